import { nearest, readArguments } from './arguments.ts';
import { commandHelp, verbHelp } from './help.ts';
import type { Terminal } from './terminal.ts';
import { type ExitStatus, RefusedInput, WrongUsage } from './verb.ts';
import { VERBS } from './verbs.ts';

/** Runs one command line to its end; answers its exit status. */
export async function roamwatt(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  const { out, err } = terminal;
  const two = args.slice(0, 2).join(' ');
  const name = Object.hasOwn(VERBS, two) ? two : (args[0] ?? '');
  if (['', 'help', '--help', '-h'].includes(name)) {
    out.line(commandHelp());
    await out.settle(true);
    return name === '' ? 2 : 0;
  }
  const entry = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!entry) {
    const like = nearest(name, Object.keys(VERBS));
    err(`roamwatt: unknown verb "${name}"${like ? `; did you mean "${like}"?` : ''}`);
    err(`Verbs: ${Object.keys(VERBS).join(', ')}. See: npx roamwatt --help`);
    return 2;
  }
  const verb = await entry.load();
  const rest = args.slice(name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    out.line(verbHelp(name, verb));
    await out.settle(true);
    return 0;
  }
  try {
    return await verb.run(readArguments(rest, verb), terminal);
  } catch (error) {
    terminal.status?.('');
    if (error instanceof WrongUsage) {
      err(`roamwatt ${name}: ${error.message}`);
      err(`See: npx roamwatt ${name} --help`);
      return 2;
    }
    if (!(error instanceof RefusedInput)) throw error;
    err(error.message);
    return 1;
  } finally {
    await out.settle(true);
  }
}
