import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeRun, runFolder, stateFolder } from '#servers';
import { argumentsOf } from './help.ts';
import { torture } from './torture-run.ts';

const { values } = argumentsOf('torture', {
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string' },
    steps: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const wholeNumber = (name: 'seed' | 'steps', text: string) => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return wrong(`--${name} takes a whole number, not "${text}"`);
};
const seed = values.seed === undefined ? randomInt(1_000_000) : wholeNumber('seed', values.seed);
const steps = values.steps === undefined ? undefined : wholeNumber('steps', values.steps);
const minutes = Number(values.minutes ?? '1');
if (!(minutes > 0)) wrong(`--minutes takes a number above 0, not "${values.minutes}"`);

const say = (text: string) => void process.stderr.write(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
say(`seed ${seed}`);
const dir = runFolder('test');
const events = join(stateFolder('torture'), `seed-${seed}.jsonl`);
const untilMs = performance.now() + minutes * 60_000;
let isEnough = false;
// What is stopped must go on, and what was told be checked: a second signal ends it at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isEnough = true));
const goesOn = (done: number) => !isEnough && (steps === undefined ? performance.now() < untilMs : done < steps);
try {
  const { logs, ...report } = await torture({ seed, dir, events, goesOn, progress: say });
  const failed = report.problems.length > 0;
  console.log(values.json ? JSON.stringify(report) : inWords(report));
  if (failed) {
    say(`${logs}\n\n${report.problems.length} problems; all steps are in ${events}`);
    say(`Repeat it: npm run torture -- --seed ${seed} --steps ${report.steps}`);
  } else rmSync(events, { force: true });
  process.exitCode = failed ? 1 : 0;
} finally {
  removeRun(dir);
}
process.exit();

function inWords({
  steps: done,
  seconds,
  counts,
  problems,
}: {
  steps: number;
  seconds: number;
  counts: object;
  problems: readonly string[];
}): string {
  const width = Math.max(...Object.keys(counts).map(({ length }) => length));
  return [
    `${done} steps in ${seconds} s, seed ${seed}`,
    ...Object.entries(counts).map(([what, times]) => `  ${what.padEnd(width)}  ${String(times).padStart(7)}`),
    ...problems.slice(0, 20).map((problem) => `WRONG: ${problem.slice(0, 2_000)}`),
    problems.length === 0
      ? "All that was acknowledged is there, once; all chains verify; both sides make the same statements; drivers' balances are the sums of what was booked."
      : '',
  ].join('\n');
}

function wrong(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}
