import { runService } from '#settings';
import { start } from './start.ts';

await runService('tariff-engine', start);
