import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rejected } from '#decider';
import { clearChargingProfile, getActiveProfile, type SetChargingProfile, setChargingProfile } from '#contracts/evems-controller';
import { listSessions, requestProfile, setPreferences } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Session } from '#ocpi';
import { accepted, aCharge, bct, began, card, openWorld, plunk, stops, type World, xyz } from './sessions-world.ts';

// Whose session a charging profile is for, and which charger that is; evems-controller is played.

let world: World;
const orders: SetChargingProfile[] = [];
let evems: () => object = () => ({ found: true });

beforeAll(async () => {
  world = await openWorld({ profile_every_s: 3_600 });
  await world.bus.answer(setChargingProfile, async (requests) => requests.map((order) => {
    orders.push(order);
    return evems() as { found: boolean };
  }));
  await world.bus.answer(clearChargingProfile, async (requests) => requests.map(() => ({ found: false })));
  await world.bus.answer(getActiveProfile, async (requests) => requests.map(() => ({})));
});
afterAll(() => world?.close());

const profile = { unit: 'W', periods: [{ startS: 0, limit: '2080' }] };
let order = 0;
const request = (sessionId: string, more: object = {}) =>
  world.bus.ask(requestProfile, { orderId: `O${(order += 1)}`, sessionId, method: 'PUT', parties: [plunk], profile, ...more });

const preferencesJson = toJsonBytes({ profile_type: 'REGULAR' });

async function running(uid: string, stationId?: string) {
  const charge = aCharge(stationId);
  await world.say(began(charge, accepted(card(uid))));
  return { charge, ...(await world.sessionBegun(uid)) };
}

test('CHP-03: the owner of the token sets a profile; nobody else does, and not for what is unknown or over', async () => {
  const { charge, id } = await running('P-1');
  expect(await request(id, { parties: [xyz] })).toMatchObject({ result: 'REJECTED', message: expect.stringContaining('token') });
  expect(await request('NOBODY')).toMatchObject({ result: 'UNKNOWN_SESSION' });
  expect(await request(id, { party: xyz })).toMatchObject({ result: 'UNKNOWN_SESSION' });
  expect(orders).toEqual([]);
  // Between two phases of 208 V each, of which no whole power is said.
  expect(await request(id, { party: bct })).toMatchObject({ result: 'ACCEPTED', timeoutS: 60 });
  expect(orders).toMatchObject([{ ...charge, connectorId: 1, sessionId: id, wattsPerAmp: '416', timeoutS: 60 }]);
  await world.say(stops(charge, '18:00:00', '9000'));
  await expect.poll(() => world.of('ended', id)).toHaveLength(1);
  expect(await request(id)).toMatchObject({ result: 'REJECTED', message: 'the session does not charge' });
  await expect(world.bus.ask(setPreferences, { sessionId: id, parties: [plunk], preferencesJson })).rejects.toThrow('is over');
});

test('CHP-03: changes in too quick succession are TOO_OFTEN, but the same order again is not, and asking is free', async () => {
  const { id } = await running('P-2', 'OASIS-L2-02');
  const same = { orderId: 'SAME' };
  expect((await request(id, same)).result).toBe('ACCEPTED');
  expect((await request(id, same)).result).toBe('ACCEPTED');
  expect((await request(id)).result).toBe('TOO_OFTEN');
  expect((await request(id, { method: 'DELETE' })).result).toBe('TOO_OFTEN');
  expect(await request(id, { method: 'GET' })).toMatchObject({ result: 'ACCEPTED', outcome: 'REJECTED' });
  const db = await world.openSessionsDb();
  await db.query("UPDATE profile_orders SET ordered_at = ordered_at - interval '1 hour'");
  await db.close();
  expect((await request(id)).result, 'an hour later').toBe('ACCEPTED');
});

/** What OASIS grants a provider: of Carbon Plunk's contracts one. */
const smart = { countryCode: 'CA', partyId: 'SMC' };
const granted = { own: bct, to: smart, tokenParty: plunk, contractIds: [card('P-5').contract_id], locations: [] as string[], since: '2022-02-01T00:00:00Z' };

test('CHP-03 CHP-05: who has a grant for the session sets a profile in its own name; of another contract it does not, and what another set it does not clear', async () => {
  const { id } = await running('P-5', 'OASIS-L2-05');
  const by = { parties: [smart], steering: [granted] };
  orders.length = 0;
  expect(await request(id, { ...by, steering: [] })).toMatchObject({ result: 'REJECTED' });
  expect(await request(id, { ...by, steering: [{ ...granted, contractIds: ['CA-CPK-OTHER'] }] })).toMatchObject({ result: 'REJECTED' });
  expect(await request(id, { ...by, steering: [{ ...granted, own: xyz }] })).toMatchObject({ result: 'REJECTED' });
  expect(orders).toEqual([]);
  expect(await request(id, by)).toMatchObject({ result: 'ACCEPTED', by: 'CA*SMC' });
  expect(orders).toMatchObject([{ sessionId: id, by: 'CA*SMC' }]);
  // Nobody uses up the turns of another, and least of all those of the token's owner.
  expect((await request(id, by)).result).toBe('TOO_OFTEN');
  evems = () => new Rejected('set-by-another', "another party's profile holds until it is cleared or ends");
  const another = { countryCode: 'CA', partyId: 'AGG' };
  expect(await request(id, { parties: [another], steering: [{ ...granted, to: another }] }))
    .toMatchObject({ result: 'REJECTED', message: expect.stringContaining('holds') });
  evems = () => ({ found: true });
  const owners = await request(id);
  expect(owners.result).toBe('ACCEPTED');
  expect(owners.by).toBeUndefined();
  expect(orders.at(-1)?.by).toBeUndefined();
});

test('CHP-03: Sessions are listed for the owners of their tokens, and for whom they are granted', async () => {
  const list = async (more: object) => {
    const { objectsJson } = await world.bus.ask(listSessions, { page: { offset: 0, limit: 100 }, tokenParties: [smart], ...more });
    return objectsJson.map((bytes) => fromJsonBytes<Session>(bytes).cdr_token.uid);
  };
  expect(await list({})).toEqual([]);
  const all = await list({ tokenParties: [plunk] });
  expect(all).toEqual(expect.arrayContaining(['P-1', 'P-5']));
  expect(await list({ steering: [granted] })).toEqual(all);
  expect(await list({ steering: [granted], openOnly: true })).toEqual(all.filter((uid) => uid !== 'P-1'));
  expect(await list({ steering: [{ ...granted, since: '2022-03-01T00:00:00Z' }] })).toEqual(all.filter((uid) => uid !== 'P-1'));
  for (const none of [{ tokenParty: xyz }, { own: xyz }, { contractIds: ['NONE'] }, { locations: ['NO-*'] }, { locations: ['_%'] }]) {
    expect(await list({ steering: [{ ...granted, ...none }] })).toEqual([]);
  }
  expect(await list({ steering: [{ ...granted, contractIds: [], locations: ['*'] }] })).toEqual(all);
});

test('CHP-01: a charger at no site is NOT_SUPPORTED, and a profile that cannot be used is REJECTED with the reason', async () => {
  const { id } = await running('P-3', 'OASIS-L2-03');
  evems = () => new Rejected('unknown-charger', 'it is at no site');
  expect(await request(id, { orderId: 'X' })).toMatchObject({ result: 'NOT_SUPPORTED' });
  evems = () => new Rejected('unusable-profile', 'a limit is less than 0');
  expect(await request(id, { orderId: 'X' })).toMatchObject({ result: 'REJECTED', message: 'a limit is less than 0' });
});

test('SES-20: an EVSE that does not claim it takes no preferences, and another party\'s session is unknown', async () => {
  const { id } = await running('P-4', 'OASIS-L2-04');
  const prefer = (parties: object[], more: object = {}) =>
    world.bus.ask(setPreferences, { sessionId: id, parties, preferencesJson, ...more });
  await expect(prefer([plunk])).rejects.toThrow('not-capable');
  await expect(prefer([xyz])).rejects.toThrow('unknown-session');
  await expect(prefer([plunk], { party: xyz }), 'at another party of ours').rejects.toThrow('unknown-session');
});
