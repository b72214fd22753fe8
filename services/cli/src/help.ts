import type { Option, Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

const EXIT = `Exit status
  0  fine
  1  findings, or an input was refused (the others were worked on)
  2  the command was used wrongly`;

/** Of all verbs, or of those of one group. */
export function commandHelp(names: readonly string[] = Object.keys(VERBS)): string {
  const width = Math.max(...names.map((name) => name.length));
  const verbs = names.map((name) => `  ${name.padEnd(width)}  ${VERBS[name]!.summary}`);
  return [
    'npx roamwatt VERB …: prices, explains, lints and verifies plain JSON files, without any server; `conformance` tries any OCPI',
    'platform; `partner`, `session` and `erase` ask the portal of a running platform of yours (--url, ROAMWATT_OPERATOR_KEY).',
    '',
    ...verbs,
    '',
    'npx roamwatt VERB --help explains each, with examples; npx roamwatt --version says which this is.',
    '',
    EXIT,
  ].join('\n');
}

export function verbHelp(name: string, { usage, about, options, examples }: Verb): string {
  const shown = Object.entries(options).map(([option, of]) => [flag(option, of), of.help] as const);
  const width = Math.max(...shown.map(([text]) => text.length));
  return [
    `npx roamwatt ${name} ${usage}`,
    '',
    about,
    '',
    'Options',
    ...shown.map(([text, help]) => `  ${text.padEnd(width)}  ${help}`),
    '',
    'Examples',
    ...examples.flatMap(([line, what]) => [`  ${line}`, `      ${what}`]),
    '',
    EXIT,
  ].join('\n');
}

function flag(name: string, { value }: Option): string {
  return `--${name}${value === undefined ? '' : ` ${value}`}`;
}
