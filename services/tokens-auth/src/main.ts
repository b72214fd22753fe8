import { runService } from '#service';
import { start } from './start.ts';

await runService('tokens-auth', start);
