import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { checkoutRoot } from '#servers';

/** What `npm run <name> -- --help` shows: run.mjs shows it before anything is installed. */
export function helpOf(name: string): string {
  return readFileSync(join(checkoutRoot(), 'scripts/help', `${name}.txt`), 'utf8');
}

/** The command line of `npm run <name>`; ends the process with the help when asked, or with status 2 when wrong. */
export function argumentsOf<const T extends ParseArgsConfig>(name: string, config: T): ReturnType<typeof parseArgs<T>> {
  const given = process.argv.slice(2);
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(helpOf(name));
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_')) throw error;
    process.stderr.write(`${(error as Error).message}\n\n${helpOf(name)}`);
    process.exit(2);
  }
}
