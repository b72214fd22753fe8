import type { Option, Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

const EXIT = `Exit status
  0  fine
  1  findings, or an input was refused (the others were worked on)
  2  the command was used wrongly`;

export function commandHelp(): string {
  const width = Math.max(...Object.keys(VERBS).map((name) => name.length));
  const verbs = Object.entries(VERBS).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
  );
  return [
    'npx roamwatt VERB …: works on plain OCPI 2.2.1 JSON files, without any server; `conformance` tries a platform.',
    '',
    ...verbs,
    '',
    'npx roamwatt VERB --help explains each, with examples.',
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
