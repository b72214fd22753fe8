import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listPartners } from '#contracts/ocpi-gateway';
import { exampleLocation, exampleTariff, exampleToken, nextLink, routingHeaders } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, origin, type Side } from './side.ts';

// Who of a hub's members hears what is told to everybody, and how the hub lists them.

const everything = ['RECEIVER locations', 'RECEIVER tariffs', 'RECEIVER tokens'];
const hubParty = { country_code: 'CA', party_id: 'HUB' };

let hub: Side;
let members: Record<'cpo' | 'second' | 'emsp' | 'nsp' | 'other' | 'deaf', HandPartner>;

beforeAll(async () => {
  hub = await openSide({
    party: { ...hubParty, name: 'Open Hub', roles: ['HUB'] },
    ocpi: { allow_private_urls: true, page_limit: 2 },
    hub: { planned: [{ country_code: 'CA', party_id: 'SOO', role: 'CPO' }], planned_since: '2022-01-01T00:00:00Z' },
  });
  members = {
    cpo: await HandPartner.open('Energy OASIS', 'EOA', 'CPO', everything),
    second: await HandPartner.open('Burnaby', 'BBY', 'CPO', everything),
    emsp: await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', everything),
    nsp: await HandPartner.open('Maps', 'MAP', 'NSP', everything),
    other: await HandPartner.open('Fleet cards', 'FLT', 'OTHER', everything),
    deaf: await HandPartner.open('Quiet maps', 'QMP', 'NSP', ['RECEIVER tariffs']),
  };
  for (const member of Object.values(members)) expect((await member.register(hub)).status_code).toBe(1000);
});
afterAll(async () => {
  await Promise.all(Object.values(members ?? {}).map((member) => member.close()));
  await hub?.close();
});

type Name = keyof typeof members;

/** Who has it once nothing waits for anybody any more: it was queued for all of them before it was answered. */
async function tell(from: Name, module: string, object: object, id: string): Promise<Name[]> {
  const { token, partyId } = members[from];
  const owner = { country_code: 'CA', party_id: partyId };
  const answer = await call(hub, `/ocpi/2.2.1/receiver/${module}/CA/${partyId}/${id}`, {
    token, method: 'PUT', body: { ...object, ...owner }, headers: routingHeaders({ to: hubParty, from: owner }),
  });
  expect(answer.status_code).toBe(1000);
  const { bus } = hub.neighbours;
  await expect.poll(async () => (await bus.ask(listPartners, {})).partners.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(0);
  return (Object.keys(members) as Name[]).filter((name) => members[name].pushed(`PUT /${module}/CA/${partyId}/${id}`).length > 0);
}

test.each<[Name, string, object, string, Name[]]>([
  ['cpo', 'tariffs', { ...exampleTariff, id: 'T-1' }, 'T-1', ['emsp', 'nsp', 'other', 'deaf']],
  ['cpo', 'locations', { ...exampleLocation, id: 'L-1' }, 'L-1', ['emsp', 'nsp', 'other']],
  ['emsp', 'tokens', { ...exampleToken, uid: 'U-1' }, 'U-1', ['cpo', 'second']],
  ['other', 'tokens', { ...exampleToken, uid: 'U-2' }, 'U-2', ['cpo', 'second']],
  ['other', 'locations', { ...exampleLocation, id: 'L-2' }, 'L-2', ['cpo', 'second']],
])('HUB-11: what %s tells everybody of %s goes to the opposite roles that have the interface, NSP and OTHER with the eMSPs', async (from, module, object, id, to) => {
  expect(await tell(from, module, object, id)).toEqual(to);
});

test('HUB-11: an NSP that joins later gets what an operator told before, and nothing of Tokens', async () => {
  const late = await HandPartner.open('Late maps', 'LMP', 'NSP', everything);
  try {
    await late.register(hub);
    await expect.poll(() => late.pushed('PUT').sort()).toEqual(['PUT /locations/CA/EOA/L-1', 'PUT /tariffs/CA/EOA/T-1']);
  } finally {
    await late.close();
  }
});

test('TRN-54, HCI-04: a page of the members goes on behind the one before, whoever left the list meanwhile', async () => {
  const { token } = members.emsp;
  const soo = await HandPartner.open('Soo', 'SOO', 'CPO', everything);
  const names: string[] = [];
  for (let url: string | undefined = '/ocpi/2.2.1/sender/hubclientinfo'; url !== undefined;) {
    const answer = await call(hub, url, { token });
    const infos = answer.data as { party_id: string }[];
    names.push(...infos.map(({ party_id }) => party_id));
    expect(answer.headers.get('x-total-count')).toBe('7');
    // The planned party comes, and stands behind all others from then on: by its offset the list would skip the next one.
    if (names.length === 2) await soo.register(hub);
    const next = nextLink(answer.headers.get('link') ?? undefined);
    url = next && new URL(next).pathname + new URL(next).search;
  }
  await soo.close();
  expect(names).toEqual(['SOO', 'EOA', 'BBY', 'MAP', 'FLT', 'QMP', 'LMP', 'SOO']);
});

test.each<[Name, number]>([['cpo', 200], ['emsp', 404], ['nsp', 404], ['other', 404]])(
  'HUB-11, HUB-16: the list of all Tokens is for who operates stations: %s gets %d',
  async (name, http) => {
    const { token, partyId } = members[name];
    const headers = routingHeaders({ to: hubParty, from: { country_code: 'CA', party_id: partyId } });
    expect((await call(hub, '/ocpi/2.2.1/sender/tokens', { token, headers })).http).toBe(http);
  },
);

test('HUB-11, HUB-22: a hub gets what was told to everybody when the first party that is to have it comes to be behind it', async () => {
  const island = await HandPartner.open('Island', 'ISH', 'HUB', everything);
  try {
    await island.register(hub);
    const info = { country_code: 'CA', party_id: 'ISL', role: 'EMSP', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
    await call(hub, '/ocpi/2.2.1/receiver/hubclientinfo/CA/ISL', { token: island.token, method: 'PUT', body: info });
    await expect.poll(() => island.pushed('PUT').sort()).toEqual(['PUT /locations/CA/EOA/L-1', 'PUT /tariffs/CA/EOA/T-1']);
  } finally {
    await call(hub, '/ocpi/2.2.1/credentials', { token: island.token, method: 'DELETE' });
    await island.close();
  }
});

test('HCI-02: a party whose link ended is listed once in its role when it comes back over another: as it is by then', async () => {
  const { deaf, emsp } = members;
  const listed = async () => {
    const found: string[] = [];
    for (let url: string | undefined = `${origin(hub)}/ocpi/2.2.1/sender/hubclientinfo`; url !== undefined;) {
      const answer = await call(hub, url, { token: emsp.token });
      const infos = answer.data as { party_id: string; status: string }[];
      found.push(...infos.flatMap(({ party_id, status }) => (party_id === 'QMP' ? [status] : [])));
      url = nextLink(answer.headers.get('link') ?? undefined);
    }
    return found;
  };
  const end = () => call(hub, '/ocpi/2.2.1/credentials', { token: deaf.token, method: 'DELETE' });
  for (const _ of ['once', 'again']) {
    await end();
    expect(await listed()).toEqual(['SUSPENDED']);
    await deaf.register(hub);
    expect(await listed()).toEqual(['CONNECTED']);
  }
});

describe('who meets whom, when that changes', () => {
  const told = (by: HandPartner, path: string, body: object) => {
    const owner = { country_code: 'CA', party_id: by.partyId };
    return call(hub, `/ocpi/2.2.1/receiver/${path}`, { token: by.token, method: 'PUT', body: { ...body, ...owner }, headers: routingHeaders({ to: hubParty, from: owner }) });
  };
  const restarted = async (rules: object) => {
    await hub.gateway.stop();
    const file = hub.platform.env.ROAMWATT_CONFIG!;
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')) as object, hub: rules }));
    await hub.restart();
  };

  test('those who are kept apart are gone for each other, and hear nothing more; where they may meet again, all of it', async () => {
    const { cpo } = members;
    const wary = await HandPartner.open('Wary', 'WRY', 'EMSP', ['RECEIVER tariffs', 'RECEIVER hubclientinfo']);
    const statusOf = (partyId: string) =>
      (wary.seen.findLast(({ what }) => what === `PUT /hubclientinfo/CA/${partyId}`)?.body as { status?: string } | undefined)?.status;
    try {
      await wary.register(hub);
      await expect.poll(() => statusOf('EOA')).toBe('CONNECTED');
      await expect.poll(() => wary.pushed('PUT /tariffs')).toEqual(['PUT /tariffs/CA/EOA/T-1']);
      wary.answer = () => ({ http: 503, status: 3000 });
      expect(await told(cpo, 'tariffs/CA/EOA/T-2', { ...exampleTariff, id: 'T-2' })).toMatchObject({ status_code: 1000 });
      await restarted({ never: [['CA*WRY', 'CA*EOA']] });
      wary.seen.length = 0;
      wary.answer = () => ({});
      await expect.poll(() => statusOf('EOA')).toBe('SUSPENDED');
      const { bus } = hub.neighbours;
      await expect.poll(async () => (await bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Wary')?.waiting).toBe(0);
      expect(wary.pushed('PUT /tariffs')).toEqual([]);
      await restarted({});
      await expect.poll(() => statusOf('EOA')).toBe('CONNECTED');
      await expect.poll(() => wary.pushed('PUT /tariffs')).toEqual(['PUT /tariffs/CA/EOA/T-2']);
    } finally {
      await wary.close();
    }
  });

  test('HUB-04: of a platform with several parties the one is named that may have what it is told', async () => {
    await restarted({ never: [['CA*DU1', 'CA*EOA']] });
    const duo = await HandPartner.open('Duo', 'DU1', 'EMSP', ['RECEIVER tariffs'], ['EMSP DU2']);
    try {
      await duo.register(hub);
      await expect.poll(() => duo.seen.find(({ what }) => what === 'PUT /tariffs/CA/EOA/T-1')?.headers).toMatchObject({ 'ocpi-to-party-id': 'DU2' });
    } finally {
      await duo.close();
    }
  });
});

test('TRN-15, TRN-16: what is asked of a member at an endpoint itself is asked where it lists that, with its slash, and what is below it without one', async () => {
  const slashed = await HandPartner.open('Slashes', 'SLA', 'EMSP', ['RECEIVER cdrs', 'RECEIVER tariffs']);
  slashed.endpointEnd = '/';
  await slashed.register(hub);
  const from = { country_code: 'CA', party_id: 'EOA' };
  const headers = routingHeaders({ to: { country_code: 'CA', party_id: 'SLA' }, from });
  const { token } = members.cpo;
  await call(hub, '/ocpi/2.2.1/receiver/cdrs', { token, method: 'POST', body: {}, headers });
  await call(hub, '/ocpi/2.2.1/receiver/tariffs/CA/EOA/T-1/', { token, headers });
  expect(slashed.seen.filter(({ headers: named }) => named['ocpi-from-party-id'] === 'EOA').map(({ what }) => what)).toEqual(['POST /cdrs/', 'GET /tariffs/CA/EOA/T-1']);
  await call(hub, '/ocpi/2.2.1/credentials', { token: slashed.token, method: 'DELETE' });
  await slashed.close();
});
