import { runService } from '#service';
import { start } from './start.ts';

await runService('ocpi-gateway', start);
