import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleLocation, routingHeaders } from '#ocpi';
import type { Running } from '#service';
import { rfc3339 } from '#time';
import { start } from '../src/start.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// A hub in two processes, of which the second's clock is a minute ahead.

const away = { country_code: 'CA', party_id: 'AWY' };

let hub: Side;
let ahead: Running;
let member: HandPartner;
let witness: HandPartner;

beforeAll(async () => {
  hub = await openSide({
    party: { country_code: 'CA', party_id: 'HUB', name: 'Open Hub', roles: ['HUB'] }, hub: { quiet_s: 3_600, offline_check_s: 3_600 },
  });
  const now = Date.now();
  ahead = await start({
    ...hub.platform.env, OCPI_PORT: '0', ROAMWATT_CLOCK_EPOCH: rfc3339(now + 60_000), ROAMWATT_CLOCK_STARTED: rfc3339(now),
  });
  member = await HandPartner.open('Away', 'AWY', 'EMSP', ['RECEIVER locations']);
  witness = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER locations', 'RECEIVER hubclientinfo']);
  await member.register(hub);
  await witness.register(hub);
});
afterAll(async () => {
  await Promise.all([member, witness].map((partner) => partner?.close()));
  await ahead?.stop();
  await hub?.close();
});

const said = () => (witness.seen.filter(({ what }) => what === 'PUT /hubclientinfo/CA/AWY').at(-1)?.body as { status: string } | undefined)?.status;
const put = (through: Side) => call(through, '/ocpi/2.2.1/receiver/locations/CA/EOA/LOC1', {
  token: witness.token, method: 'PUT', body: { ...exampleLocation, country_code: 'CA', party_id: 'EOA', id: 'LOC1' },
  headers: routingHeaders({ to: away, from: { country_code: 'CA', party_id: 'EOA' } }),
});
const speaks = () => call(hub, '/ocpi/2.2.1/sender/locations', {
  token: member.token, headers: routingHeaders({ from: away, to: { country_code: 'CA', party_id: 'HUB' } }),
});

test('HUB-19, HCI-03: a member that one process of the hub finds OFFLINE is CONNECTED as soon as another hears it, whatever their clocks say', async () => {
  await expect.poll(said).toBe('CONNECTED');
  await speaks();
  const { port } = new URL(member.base);
  await member.close();
  expect((await put({ ...hub, gateway: ahead })).status_code).toBe(4003);
  await expect.poll(said).toBe('OFFLINE');
  await member.reopen(Number(port));
  // One that goes on is heard again and again.
  await expect.poll(async () => (await speaks(), (await put(hub)).status_code), { interval: 200 }).toBe(1000);
  await expect.poll(said).toBe('CONNECTED');
});
