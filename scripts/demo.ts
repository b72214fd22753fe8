import { parseArgs } from 'node:util';
import { playDemo } from './demo-play.ts';
import { Screen } from './demo-screen.ts';
import { setStage, type Stage } from './demo-stage.ts';

const HELP = `Replays the roaming test of 1 February 2022 between two complete platforms, Energy OASIS (charge point
operator) and Carbon Plunk (mobility provider): find, start, watch, stop, bill, check, correct.

  npm run demo                    one process for each platform
  npm run demo -- --split         every service of both platforms as its own process
  npm run demo -- --trace         prints one trace of the charge as a tree, with durations
  npm run demo -- --keep          leaves both platforms running and prints how to use them; Ctrl-C stops them
  npm run demo -- --rate 60       how much faster than life the platforms' clock runs (default 90)
  npm run demo -- --json          the checks as JSON on standard output, the story on standard error

Exit status: 0 when every check holds, 1 when one does not, 130 after Ctrl-C.`;

const { values } = parseArgs({
  options: {
    split: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rate: { type: 'string', default: '90' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
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
  screen.line(`Two platforms, ${values.split ? 'a process for every service' : 'a process each'}; their clock starts at 2022-02-01T17:00:00Z and runs ${rate} times as fast as life.`);
  stage = await setStage({ split: values.split, trace: values.trace, rate });
  const played = await Promise.race([playDemo(stage, screen, startedAtMs), interrupted.promise]);
  if (played === 'interrupted') status = 130;
  else if (values.keep) {
    printHowToUse(stage);
    await interrupted.promise;
  }
} catch (error) {
  screen.line();
  screen.line(`The demo broke off: ${(error as Error).stack ?? error}`);
  if (stage) screen.line(`What the services said: ${stage.oasis.logDir} and ${stage.plunk.logDir} (kept with --keep)`);
  status = 1;
} finally {
  await stage?.stop();
}
const broken = screen.checks.filter(({ holds }) => !holds);
if (status === 0 && (broken.length > 0 || screen.checks.length === 0)) status = 1;
screen.line();
screen.line(`${screen.checks.length - broken.length} of ${screen.checks.length} checks hold; ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s in all.`);
for (const { check, detail } of broken) screen.line(`   ✗ ${check}${detail ? ` (${detail})` : ''}`);
if (values.json) console.log(JSON.stringify({ holds: status === 0, checks: screen.checks }));
process.exit(status);

function printHowToUse({ oasis, plunk }: Stage): void {
  screen.step('Both platforms go on; Ctrl-C stops them');
  for (const { name, portalUrl, ocpiVersionsUrl, databaseUrl, natsUrl, logDir, settings } of [oasis, plunk]) {
    screen.line(`   ${name}`);
    screen.line(`     portal    ${portalUrl}  (OpenAPI at /openapi.json)  operator key ${settings.portal.operator_keys[0]}`);
    for (const driver of settings.drivers) screen.line(`               driver ${driver.email}  password ${driver.password}`);
    screen.line(`     OCPI      ${ocpiVersionsUrl}`);
    screen.line(`     database  ${databaseUrl}`);
    screen.line(`     NATS      ${natsUrl}`);
    screen.line(`     logs      ${logDir}`);
  }
  const [station] = oasis.settings.stations;
  screen.line(`   chargers    ${oasis.ocppUrl}/<station>, for instance ${station!.id} with password ${station!.password}`);
}
