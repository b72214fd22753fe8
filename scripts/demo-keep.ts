import { createInterface } from 'node:readline';
import type { Control } from './charger-control.ts';
import { levelTwoStation } from './demo-settings.ts';
import type { Screen } from './demo-screen.ts';
import type { Stage } from './demo-stage.ts';

/** Every address, id and credential that it takes to use both platforms by hand, and the lines for a first charge. */
export function printHowToUse({ oasis, plunk }: Stage, screen: Screen): void {
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
  const { stations, sites, locations } = oasis.settings;
  screen.line(`   chargers    ${oasis.ocppUrl}/<station>, by Basic authentication; the demo's simulated ones are connected:`);
  for (const { id, password } of stations) screen.line(`               ${id}  password ${password}`);
  screen.line(`   location    ${locations.map(({ id }) => id).join(', ')} of CA*BCT; feeds: ${sites.map(({ id }) => id).join(', ')}`);

  const [driver] = plunk.settings.drivers;
  const [key] = oasis.settings.portal.operator_keys;
  const json = "-H 'content-type: application/json'";
  const signedIn = '-H "authorization: Bearer $TOKEN"';
  screen.step('A charge by hand');
  screen.line('   Here, what happens at a charger (npm run charger -- --help has the rest):');
  screen.line(`     {"do":"plug-in","station":"${levelTwoStation(1)}","car":"leaf","soc":40}`);
  screen.line('   In another terminal: sign in, find an EVSE, order a charge, and see how the feed is shared:');
  screen.line(
    `     TOKEN=$(curl -s ${plunk.portalUrl}/v1/sign-in ${json} -d '${JSON.stringify({ email: driver!.email, password: driver!.password })}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')`,
  );
  screen.line(`     curl -s '${plunk.portalUrl}/v1/evses?latitude=49.2488&longitude=-123.0016&limit=3' ${signedIn}`);
  screen.line(
    `     curl -s ${plunk.portalUrl}/v1/charges ${signedIn} ${json} -d '{"country_code":"CA","party_id":"BCT","location_id":"BURNABY","evse_uid":"L2-01"}'`,
  );
  screen.line(`     curl -s ${oasis.portalUrl}/v1/operator/sites/${sites[0]!.id}/plan -H 'x-api-key: ${key}'`);
  screen.line();
}

/** Hands what is typed on to the demo's chargers, a line of JSON at a time, and says what came of it. */
export function handOn({ chargers }: Stage, screen: Screen): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.trim() === '') return;
    tell(line, (control) => chargers.do(control)).then(
      () => screen.line('   done'),
      (error: Error) => screen.line(`   not done: ${error.message}`),
    );
  });
}

async function tell(line: string, act: (control: Control) => Promise<void>): Promise<void> {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    throw new Error('the line is no JSON; such as {"do":"unplug","station":"OASIS-L2-01"}');
  }
  const isControl = typeof said === 'object' && said !== null && 'do' in said && said.do !== 'quit';
  if (!isControl) throw new Error('the line must be an object with "do"; Ctrl-C ends the demo');
  await act(said as Control);
}
