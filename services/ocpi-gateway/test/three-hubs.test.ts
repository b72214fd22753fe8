import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitePartner, registerPartner } from '#contracts/ocpi-gateway';
import { routingHeaders } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side, versionsUrl } from './side.ts';

// Three hubs, each registered with both others: a way may lead back to where it came from.

const hubOf = (name: string, party_id: string) => ({
  party: { country_code: 'CA', party_id, name, roles: ['HUB'] },
  hub: { quiet_s: 3600 },
});

let west: Side;
let east: Side;
let south: Side;
let emsp: HandPartner;
let cpo: HandPartner;

beforeAll(async () => {
  [west, east, south] = await Promise.all([openSide(hubOf('West', 'HWE')), openSide(hubOf('East', 'HEA')), openSide(hubOf('South', 'HSO'))]);
  emsp = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', ['SENDER commands', 'RECEIVER hubclientinfo']);
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['RECEIVER commands', 'RECEIVER hubclientinfo']);
  await emsp.register(west);
  await cpo.register(west);
});
afterAll(async () => {
  await Promise.all([emsp?.close(), cpo?.close()]);
  await Promise.all([west?.close(), east?.close(), south?.close()]);
});

async function linked(from: Side, to: Side, toParty: string): Promise<void> {
  const { tokenA } = await from.neighbours.bus.ask(invitePartner, {
    name: toParty, parties: [{ party: { countryCode: 'CA', partyId: toParty }, roles: ['HUB'] }],
  });
  const named = from === west ? 'HWE' : 'HEA';
  await to.neighbours.bus.ask(registerPartner, { name: named, versionsUrl: versionsUrl(from), tokenA }, { timeoutMs: 30_000 });
}

async function inDatabase<T>(hub: Side, work: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> {
  const db = await openDatabase({ url: hub.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** Through which partners a hub has a party, and how it is. */
const heldAt = (hub: Side, party: string) => inDatabase(hub, async (db) => {
  const { rows } = await db.query<{ held: string }>(
    `SELECT p.name || ' ' || status AS held FROM client_infos JOIN partners p USING (partner_id) WHERE party_id = $1 ORDER BY 1`, [party],
  );
  return rows.map(({ held }) => held);
});

/** As where the news that a party has left did not reach a hub yet, which has it from another. */
const missed = (hub: Side, party: string, via: string) => inDatabase(hub, (db) => db.query(
  `UPDATE client_infos SET status = CASE WHEN name = $2 THEN 'CONNECTED' ELSE 'SUSPENDED' END FROM partners p
   WHERE p.partner_id = client_infos.partner_id AND party_id = $1`, [party, via],
));

const stopSession = () => call(west, '/ocpi/2.2.1/receiver/commands/STOP_SESSION', {
  token: emsp.token, method: 'POST', body: { session_id: 'S1', response_url: `${emsp.base}/results/1` },
  headers: routingHeaders({ to: { country_code: 'CA', party_id: 'EOA' }, from: { country_code: 'CA', party_id: 'CPK' } }),
});

test('HUB-22: a party that left one of three hubs is gone at all of them, however they are linked', async () => {
  await linked(west, east, 'HEA');
  await linked(west, south, 'HSO');
  for (const hub of [east, south]) await expect.poll(() => heldAt(hub, 'CPK')).toEqual(['HWE CONNECTED']);
  await linked(east, south, 'HSO');
  await expect.poll(() => heldAt(east, 'CPK')).toEqual(['HSO CONNECTED', 'HWE CONNECTED']);
  await expect.poll(() => heldAt(south, 'EOA')).toEqual(['HEA CONNECTED', 'HWE CONNECTED']);
  await call(west, '/ocpi/2.2.1/credentials', { token: cpo.token, method: 'DELETE' });
  for (const [hub, others] of [[east, ['HSO', 'HWE']], [south, ['HEA', 'HWE']]] as const)
    await expect.poll(() => heldAt(hub, 'EOA')).toEqual(others.map((other) => `${other} SUSPENDED`));
  await expect.poll(() => heldAt(west, 'EOA')).toEqual(['Energy OASIS SUSPENDED', 'HEA SUSPENDED', 'HSO SUSPENDED']);
  expect(await stopSession()).toMatchObject({ status_code: 4003 });
});

test('HUB-22: a request goes round no ring of hubs that each have a party from the other', async () => {
  await inDatabase(west, (db) => db.query(
    `INSERT INTO client_infos (country_code, party_id, role, partner_id, behind, status, last_updated)
     SELECT 'CA', 'EOA', 'CPO', partner_id, true, 'CONNECTED', '2022-02-01T17:00:00Z' FROM partners WHERE name = 'HEA'
     ON CONFLICT (country_code, party_id, role, partner_id) DO UPDATE SET status = excluded.status`,
  ));
  // News of the test before, that come now, undo it: then once more.
  await expect.poll(async () => {
    await missed(west, 'EOA', 'HEA');
    await missed(east, 'EOA', 'HSO');
    await missed(south, 'EOA', 'HEA');
    const { status_code, status_message } = await stopSession();
    return [status_code, status_message];
  }).toEqual([4001, expect.stringContaining('CA*EOA')]);
});
