import { roamwatt } from './roamwatt.ts';
import { terminal } from './terminal.ts';

process.exitCode = await roamwatt(process.argv.slice(2), terminal(process));
