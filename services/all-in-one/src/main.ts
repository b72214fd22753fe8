import { runService } from '#settings';
import { start } from './start.ts';

await runService('all-in-one', start);
