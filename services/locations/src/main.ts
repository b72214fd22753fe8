import { runService } from '#service';
import { start } from './start.ts';

await runService('locations', start);
