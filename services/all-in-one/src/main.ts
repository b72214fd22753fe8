import { runService } from '#service';
import { start } from './start.ts';

await runService('all-in-one', start);
