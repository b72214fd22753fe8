import type { Terminal } from './terminal.ts';

/** 0 fine; 1 findings, or inputs that were refused; 2 the command was used wrongly. */
export type ExitStatus = 0 | 1 | 2;

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** What stands for the value in the help, as in `--time-zone IANA`. */
  readonly value?: string;
  readonly help: string;
}

/** What was given to a verb; options that take a value come as lists, in the order given. */
export interface Given {
  readonly files: readonly string[];
  readonly options: Readonly<Record<string, readonly string[] | undefined>>;
  readonly flags: ReadonlySet<string>;
}

/** One verb of the command: a file of its own, named in the table of verbs.ts. */
export interface Verb {
  /** What comes after the verb: "CDR.json… [options]". */
  readonly usage: string;
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly (readonly [line: string, what: string])[];
  run(given: Given, terminal: Terminal): Promise<ExitStatus>;
}

/** The command was used wrongly; the message says what to write instead. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/** An input that cannot be worked on: what is wrong, by which rule, and what to do. */
export class RefusedInput extends Error {
  override readonly name = 'RefusedInput';
}

/** The last value given for an option. */
export function optionOf({ options }: Given, name: string): string | undefined {
  return options[name]?.at(-1);
}
