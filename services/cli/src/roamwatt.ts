import { nearest, readArguments } from './arguments.ts';
import { commandHelp, verbHelp } from './help.ts';
import { refusedJson } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { type ExitStatus, RefusedInput, WrongUsage } from './verb.ts';
import { VERBS } from './verbs.ts';

/** Runs one command line to its end; answers its exit status. */
export async function roamwatt(args: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  const { out, err } = terminal;
  if (args[0] === 'help' && args.length > 1) return roamwatt([...args.slice(1), '--help'], terminal);
  const unknown = async (verb: string, known?: readonly string[], group = ''): Promise<ExitStatus> => {
    const why = `unknown verb "${verb}"${likeOf(verb, known)}`;
    if (args.includes('--json')) out.line(refusedJson(why));
    err(`roamwatt: ${why}`);
    err(`Verbs: ${(known ?? Object.keys(VERBS)).join(', ')}. See: npx roamwatt ${group}--help`);
    await out.settle(true);
    return 2;
  };
  const two = args.slice(0, 2).join(' ');
  const name = Object.hasOwn(VERBS, two) ? two : (args[0] ?? '');
  if (['', 'help', '--help', '-h'].includes(name)) {
    out.line(commandHelp());
    await out.settle(true);
    return name === '' ? 2 : 0;
  }
  const group = Object.keys(VERBS).filter((verb) => verb.startsWith(`${name} `));
  if (group.length > 0) {
    const isAsked = args.length === 1 || ['help', '--help', '-h'].includes(args[1]!);
    if (!isAsked) return unknown(two, group, `${name} `);
    out.line(commandHelp(group));
    await out.settle(true);
    return args.length > 1 ? 0 : 2;
  }
  const entry = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!entry) return unknown(name);
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
    if (!(error instanceof WrongUsage || error instanceof RefusedInput)) throw error;
    if (rest.includes('--json')) out.line(refusedJson(error.message));
    if (error instanceof RefusedInput) {
      err(error.message);
      return 1;
    }
    err(`roamwatt ${name}: ${error.message}`);
    err(`See: npx roamwatt ${name} --help`);
    return 2;
  } finally {
    await out.settle(true);
  }
}

function likeOf(name: string, verbs: readonly string[] = Object.keys(VERBS)): string {
  const like = nearest(name, verbs);
  return like ? `; did you mean "${like}"?` : '';
}
