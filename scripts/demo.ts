import { handOn, printHowToUse } from './demo-keep.ts';
import { playDemo } from './demo-play.ts';
import { Screen } from './demo-screen.ts';
import { setStage, type Stage } from './demo-stage.ts';
import { argumentsOf } from './help.ts';

const { values } = argumentsOf('demo', {
  options: {
    split: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rate: { type: 'string', default: '90' },
  },
});
const rate = Number(values.rate);
if (!(rate >= 1 && rate <= 600)) {
  console.error(`--rate ${values.rate}: a number from 1 to 600, such as 90`);
  process.exit(2);
}

const screen = new Screen(values.json ? process.stderr : process.stdout);
const interrupted = Promise.withResolvers<'interrupted'>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.resolve('interrupted'));

let stage: Stage | undefined;
let status = 0;
const startedAtMs = Date.now();
try {
  screen.line(
    `Two platforms, ${values.split ? 'a process for every service' : 'a process each'}; their clock starts at 2022-02-01T17:00:00Z and runs ${rate} times as fast as life.`,
  );
  stage = await setStage({ split: values.split, trace: values.trace, rate });
  const played = await Promise.race([playDemo(stage, screen, startedAtMs), interrupted.promise]);
  if (played === 'interrupted') status = 130;
  else if (values.keep) {
    sum();
    printHowToUse(stage, screen);
    handOn(stage, screen);
    await interrupted.promise;
  }
} catch (error) {
  screen.line();
  screen.line(`The demo broke off: ${(error as Error).stack ?? error}`);
  if (stage) screen.line(`What the services said is kept in ${stage.keepLogs()}. A machine with much else to do may need a lower --rate.`);
  status = 1;
} finally {
  await stage?.stop();
}
if (status === 130) {
  screen.line();
  screen.line(`Interrupted; ${stage ? 'everything is stopped again' : 'nothing was running yet'}.`);
} else if (!values.keep || status !== 0) sum();
if (values.json) console.log(JSON.stringify({ holds: status === 0, checks: screen.checks }));
process.exit(status);

/** How many checks hold, and how long the story took. */
function sum(): void {
  const broken = screen.checks.filter(({ holds }) => !holds);
  if (status === 0 && (broken.length > 0 || screen.checks.length === 0)) status = 1;
  screen.line();
  screen.line(
    `${screen.checks.length - broken.length} of ${screen.checks.length} checks hold; ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s in all.`,
  );
  for (const { check, detail } of broken) screen.line(`   ✗ ${check}${detail ? ` (${detail})` : ''}`);
}
