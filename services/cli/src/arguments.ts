import { parseArgs } from 'node:util';
import { type Given, type Verb, WrongUsage } from './verb.ts';

/** Reads what follows the verb. Throws WrongUsage. */
export function readArguments(args: readonly string[], { options, usage }: Verb): Given {
  const known = Object.fromEntries(
    Object.entries(options).map(([name, { type }]) => [name, { type, multiple: true } as const]),
  );
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true });
  } catch (error) {
    throw new WrongUsage(reworded(error as Error & { code?: string }, args, options));
  }
  const [extra] = parsed.positionals;
  if (usage === '[options]' && extra !== undefined) throw new WrongUsage(`takes nothing but options, not "${extra}"`);
  const values: Record<string, readonly string[]> = {};
  const flags = new Set<string>();
  for (const [name, value] of Object.entries(parsed.values)) {
    if (options[name]!.type === 'boolean') flags.add(name);
    else values[name] = value as string[];
    if (options[name]!.type === 'string' && !options[name]!.multiple && values[name]!.length > 1) {
      throw new WrongUsage(`--${name} is given ${values[name]!.length} times; once is enough`);
    }
  }
  return { files: parsed.positionals, options: values, flags };
}

function reworded(
  error: Error & { code?: string },
  args: readonly string[],
  options: Verb['options'],
): string {
  const [, dashed] = /^Option '(.+?)' argument is ambiguous/.exec(error.message) ?? [];
  if (dashed) return `${dashed} needs a value; one that begins with "-" is written ${dashed}=-…`;
  if (error.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return error.message.split('\n')[0]!;
  const unknown = args.find(
    (arg) => arg.startsWith('-') && arg !== '-' && !(named(arg) in options) && arg !== '--',
  );
  const name = named(unknown ?? '');
  const like = nearest(name, Object.keys(options));
  return `unknown option ${unknown ?? ''}${like ? `; did you mean --${like}?` : ''}`;
}

function named(arg: string): string {
  return arg.replace(/^--?/, '').replace(/=.*$/, '');
}

/** The name that differs in the fewest letters, if it is near enough to be meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const measured = names
    .map((one) => [one, distance(name, one)] as const)
    .sort(([, a], [, b]) => a - b)[0];
  return measured && measured[1] <= Math.max(1, Math.floor(name.length / 3))
    ? measured[0]
    : undefined;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
