import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { evseStatusChanged } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { type Cdr, exampleCdr, exampleLocation } from '#ocpi';
import type { Running } from '#service';
import { start } from '../src/start.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// One queue per partner: its line, what an answer that never came means, and two gateways at once.

const bct = { countryCode: 'CA', partyId: 'BCT' };
let oasis: Side;
let partner: HandPartner;

beforeAll(async () => {
  oasis = await openSide({});
  partner = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations', 'RECEIVER cdrs']);
  await partner.register(oasis);
});
beforeEach(() => {
  partner.answer = () => ({});
  partner.seen.length = 0;
});
afterAll(async () => {
  await partner?.close();
  await oasis?.close();
});

const view = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Montreal')!;
const idle = () => expect.poll(async () => (await view()).waiting).toBe(0);
const cdrOf = (id: string): Cdr => ({ ...exampleCdr, id, session_id: 'S-none', cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } });
const issued = (cdr: Cdr, partyId = 'MTL') => told(cdrIssued, {
  cdrId: cdr.id, sessionId: 'S-none', credit: false, tokenParty: { countryCode: 'CA', partyId }, cdrJson: toJsonBytes(cdr),
});
const statusOf = (locationId: string, status: 'CHARGING' | 'AVAILABLE' | 'BLOCKED', second: number) => {
  const at = `2022-02-01T17:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}Z`;
  const evses = exampleLocation.evses!.map((evse, n) => (n === 0 ? { ...evse, status, last_updated: at } : evse));
  return told(evseStatusChanged, {
    own: true, party: bct, locationId, evseUid: evses[0]!.uid, status, lastUpdated: at,
    locationJson: toJsonBytes({ ...exampleLocation, id: locationId, evses, last_updated: at }),
  });
};

test.each([
  ['the answer was lost', 'hang up', 'LOST-1'],
  ['HTTP 500 was answered', { http: 500, status: 3000 }, 'LOST-500'],
  ['3000 was answered', { http: 200, status: 3000 }, 'LOST-3000'],
  ['its hub waited for it in vain', { http: 200, status: 4002 }, 'LOST-4002'],
  ['its hub had a broken answer of it', { http: 200, status: 4000 }, 'LOST-4000'],
] as const)('CDR-01: a CDR that was taken though %s is found by GET and not sent again', async (_, fault, id) => {
  const kept: unknown[] = [];
  partner.answer = (what) => {
    if (what === 'POST /cdrs') {
      kept.push(partner.seen.at(-1)!.body);
      return kept.length === 1 ? fault : {};
    }
    return what.startsWith('GET /cdrs?') ? { data: kept } : { http: 404, status: 2003 };
  };
  await oasis.neighbours.tell(issued(cdrOf(id)));
  await expect.poll(() => partner.pushed('GET ')).toHaveLength(2);
  await idle();
  expect(partner.pushed()).toEqual(['POST /cdrs', `GET /cdrs/${id}`, expect.stringMatching(/^GET \/cdrs\?date_from=/)]);
});

test('a partner without GET of CDRs gets the CDR again, and one that says where it keeps them is asked there', async () => {
  let posts = 0;
  partner.answer = (what) => {
    if (what !== 'POST /cdrs') return { http: 404, status: 2003 };
    posts += 1;
    return posts === 1 ? 'hang up' : { headers: { Location: `${partner.base}/kept/LOST-2` } };
  };
  await oasis.neighbours.tell(issued(cdrOf('LOST-2')));
  await expect.poll(() => partner.pushed('POST /cdrs')).toHaveLength(2);
  await idle();
  partner.seen.length = 0;
  partner.answer = (what) => (what === 'POST /cdrs' ? 'hang up' : { data: cdrOf('LOST-3') });
  await oasis.neighbours.tell(issued(cdrOf('LOST-3')));
  await expect.poll(() => partner.pushed('GET ')).toEqual(['GET /kept/LOST-3']);
  await idle();
  expect(partner.pushed('POST ')).toEqual(['POST /cdrs']);
});

test('CDR-01: a CDR that was taken is found in the list of a partner that keeps them elsewhere by now', async () => {
  partner.answer = () => ({ headers: { Location: `${partner.base}/2.1.1/MOVED-1` } });
  await oasis.neighbours.tell(issued(cdrOf('MOVED-1')));
  await expect.poll(() => partner.pushed()).toEqual(['POST /cdrs']);
  await idle();
  partner.seen.length = 0;
  partner.answer = (what) => {
    if (what === 'POST /cdrs') return partner.pushed('POST ').length === 1 ? 'hang up' : {};
    return what.startsWith('GET /cdrs?') ? { data: [cdrOf('MOVED-2')] } : { http: 404, status: 2003 };
  };
  await oasis.neighbours.tell(issued(cdrOf('MOVED-2')));
  await expect.poll(() => partner.pushed('GET ')).toContain('GET /2.1.1/MOVED-2');
  await idle();
  expect(partner.pushed('POST ')).toEqual(['POST /cdrs']);
});

test('CDR-01: a CDR that was taken does not go again while the place where its partner keeps CDRs has a fault, and it has them nowhere else', async () => {
  partner.answer = () => ({ headers: { Location: `${partner.base}/kept/HERE-1` } });
  await oasis.neighbours.tell(issued(cdrOf('HERE-1')));
  await expect.poll(() => partner.pushed()).toEqual(['POST /cdrs']);
  await idle();
  partner.seen.length = 0;
  const looks = () => partner.pushed('GET /kept/').length;
  partner.answer = (what) => {
    if (what === 'POST /cdrs') return partner.pushed('POST ').length === 1 ? 'hang up' : {};
    if (!what.startsWith('GET /kept/')) return { http: 404, status: 2003 };
    return looks() < 3 ? { http: 500, status: 3000 } : { data: cdrOf('HERE-2') };
  };
  await oasis.neighbours.tell(issued(cdrOf('HERE-2')));
  await expect.poll(looks).toBe(3);
  await idle();
  expect(partner.pushed('POST ')).toEqual(['POST /cdrs']);
});

test('CDR-01: a CDR that was taken in the end is looked for however often it failed before, and goes again only where nobody says whether it is there', async () => {
  let posts = 0;
  partner.answer = (what) => {
    if (what !== 'POST /cdrs') return { data: cdrOf('LATE-1') };
    posts += 1;
    return posts < 7 ? { http: 404, status: 2000 } : posts === 7 ? 'hang up' : {};
  };
  await oasis.neighbours.tell(issued(cdrOf('LATE-1')));
  await expect.poll(() => posts).toBeGreaterThan(6);
  await idle();
  expect(posts, 'the last of them was taken').toBe(7);
  expect(partner.pushed('GET ')).toHaveLength(1);
  partner.seen.length = 0;
  partner.answer = (what) => (what === 'POST /cdrs' && partner.pushed('GET ').length > 4 ? {} : 'hang up');
  await oasis.neighbours.tell(issued(cdrOf('LATE-2')));
  await expect.poll(() => partner.pushed('POST ')).toHaveLength(2);
  await idle();
});

test.each([
  ['a hub waits in vain for it still', { http: 200, status: 4002 }, 'SLOW-4002'],
  ['HTTP 500 is answered to the GET, too', { http: 500, status: 3000 }, 'SLOW-500'],
] as const)('CDR-01: a CDR that was taken does not go again while %s, and goes where that lasts', async (_, fault, id) => {
  const kept: unknown[] = [];
  partner.answer = (what) => {
    if (what === 'POST /cdrs') kept.push(partner.seen.at(-1)!.body);
    if (kept.length > 0 && partner.pushed('GET ').length < 5) return fault;
    return { data: kept };
  };
  await oasis.neighbours.tell(issued(cdrOf(id)));
  await expect.poll(() => partner.pushed('GET ')).toHaveLength(5);
  await idle();
  expect(partner.pushed('POST ')).toEqual(['POST /cdrs']);
  kept.length = partner.seen.length = 0;
  partner.answer = (what) => (what === 'POST /cdrs' && kept.push(what) > 1 ? {} : fault);
  await oasis.neighbours.tell(issued(cdrOf(`${id}-FOR-EVER`)));
  await expect.poll(() => partner.pushed('POST ')).toHaveLength(2);
  await idle();
});

test.each([503, 429])('a CDR goes again to a partner that says HTTP %d for ever to whoever looks for it', async (http) => {
  let posts = 0;
  partner.answer = (what) => {
    if (what !== 'POST /cdrs') return { http, status: 3000 };
    posts += 1;
    return posts === 1 ? 'hang up' : {};
  };
  await oasis.neighbours.tell(issued(cdrOf(`BUSY-${http}`)));
  await expect.poll(() => posts).toBe(2);
  await idle();
});

test('of many changes of an EVSE the newest is sent, as a PATCH of its status alone', async () => {
  await oasis.neighbours.tell(statusOf('BUSY', 'AVAILABLE', 0));
  await expect.poll(() => partner.pushed()).toEqual(['PUT /locations/CA/BCT/BUSY']);
  await idle();
  partner.seen.length = 0;
  await oasis.neighbours.tell(
    ...Array.from({ length: 20 }, (_, n) => statusOf('BUSY', n % 2 === 0 ? 'CHARGING' : 'AVAILABLE', n + 1)),
    statusOf('BUSY', 'BLOCKED', 30),
  );
  await expect.poll(() => (partner.seen.at(-1)?.body as { last_updated?: string } | undefined)?.last_updated).toBe('2022-02-01T17:00:30Z');
  await idle();
  const uid = exampleLocation.evses![0]!.uid;
  expect(new Set(partner.pushed())).toEqual(new Set([`PATCH /locations/CA/BCT/BUSY/${uid}`]));
  expect(partner.seen.at(-1)!.body).toEqual({ status: 'BLOCKED', last_updated: '2022-02-01T17:00:30Z' });
});

test('two gateways send one partner each object once and never the same one side by side', async () => {
  const second: Running = await start({ ...oasis.platform.env, OCPI_PORT: '0' });
  try {
    const locations = Array.from({ length: 30 }, (_, n) => `TWO-${n}`);
    await oasis.neighbours.tell(...locations.map((id) => statusOf(id, 'AVAILABLE', 0)));
    await expect.poll(() => partner.pushed().length).toBeGreaterThanOrEqual(30);
    await idle();
    expect(partner.pushed('PUT ').toSorted()).toEqual(locations.map((id) => `PUT /locations/CA/BCT/${id}`).toSorted());
    partner.seen.length = 0;
    for (let n = 1; n <= 5; n += 1)
      await oasis.neighbours.tell(...locations.map((id) => statusOf(id, n % 2 === 0 ? 'AVAILABLE' : 'CHARGING', n)));
    const newest = () =>
      new Set(
        partner.seen
          .filter(({ body }) => (body as { last_updated: string }).last_updated.endsWith(':05Z'))
          .map(({ what }) => what),
      ).size;
    await expect.poll(newest).toBe(30);
    await idle();
    for (const id of locations) {
      const times = partner.seen
        .filter(({ what }) => what.includes(`/${id}/`))
        .map(({ body }) => (body as { last_updated: string }).last_updated);
      expect(times, id).toEqual([...new Set(times)].toSorted());
      expect(times.at(-1), id).toBe('2022-02-01T17:00:05Z');
    }
    expect(partner.pushed().every((what) => what.startsWith('PATCH '))).toBe(true);
  } finally {
    await second.stop();
  }
});

test('a line that is down is shown as open, since when and until when; then it is closed', async () => {
  partner.answer = () => ({ http: 503, status: 3000, headers: { 'Retry-After': '1' } });
  await oasis.neighbours.tell(statusOf('DOWN', 'AVAILABLE', 0));
  await expect.poll(async () => (await view()).line?.state).toBe('open');
  const { line } = await view();
  expect(Date.parse(line!.nextTry!) - Date.parse(line!.since!)).toBeGreaterThanOrEqual(1_000);
  expect((await view()).lastError).toMatch(/HTTP 503, 3000: said 3000$/);
  partner.answer = () => ({});
  await expect.poll(async () => (await view()).line?.state).toBe('closed');
  await expect.poll(async () => (await view()).lastError).toMatch(/HTTP 503, 3000: said 3000 \(up again since 2\d{3}-.*Z\)$/);
  expect((await view()).line).not.toHaveProperty('since', expect.any(String));
  await idle();
});

test('VER-08: who takes no Locations any more at a renewal gets none, and nothing waits; who takes them again gets each as it is by then', async () => {
  const interfaces = ['RECEIVER locations', 'RECEIVER cdrs'];
  const quebec = await HandPartner.open('Quebec', 'QBC', 'EMSP', interfaces);
  const renew = async () => {
    const body = quebec.credentials();
    const { data } = await call(oasis, '/ocpi/2.2.1/credentials', { token: quebec.token, method: 'PUT', body });
    quebec.token = (data as { token: string }).token;
  };
  const mine = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Quebec')!;
  const locations = () => quebec.pushed().filter((what) => what.includes('/locations/'));
  try {
    await quebec.register(oasis);
    await oasis.neighbours.tell(statusOf('STOPS', 'AVAILABLE', 0));
    await expect.poll(locations).toContain('PUT /locations/CA/BCT/STOPS');
    quebec.answer = () => ({ http: 503, status: 3000 });
    await oasis.neighbours.tell(statusOf('STOPS', 'CHARGING', 1));
    await expect.poll(async () => (await mine()).line?.state).toBe('open');
    interfaces.splice(0, 1);
    quebec.answer = () => ({});
    await renew();
    await expect.poll(async () => (await mine()).waiting).toBe(0);
    quebec.seen.length = 0;
    await oasis.neighbours.tell(statusOf('STOPS', 'BLOCKED', 2), issued({ ...cdrOf('QBC-1'), cdr_token: { ...cdrOf('').cdr_token, party_id: 'QBC' } }, 'QBC'));
    await expect.poll(() => quebec.pushed('POST /cdrs')).toHaveLength(1);
    await expect.poll(mine).toMatchObject({ waiting: 0, deadLetters: 0, line: { state: 'closed' } });
    expect(locations()).toEqual([]);
    const evses = exampleLocation.evses!.map((evse) => ({ ...evse, status: 'BLOCKED' as const }));
    oasis.neighbours.own.locations.push({ ...exampleLocation, id: 'STOPS', evses, last_updated: '2022-02-01T17:00:02Z' });
    interfaces.unshift('RECEIVER locations');
    await renew();
    const last = () => quebec.seen.findLast(({ what }) => what === 'PUT /locations/CA/BCT/STOPS')?.body;
    await expect.poll(last).toMatchObject({ evses: expect.arrayContaining([expect.objectContaining({ status: 'BLOCKED' })]) });
    expect(locations().filter((what) => what.startsWith('PATCH'))).toEqual([]);
  } finally {
    oasis.neighbours.own.locations.length = 0;
    await quebec.close();
  }
});

/** With others of a platform's parties, or other endpoints, than before. */
async function renewed(one: HandPartner): Promise<void> {
  const { data } = await call(oasis, '/ocpi/2.2.1/credentials', { token: one.token, method: 'PUT', body: one.credentials() });
  one.token = (data as { token: string }).token;
}
const viewOf = async (name: string) => (await oasis.neighbours.bus.ask(listPartners, {})).partners.findLast((one) => one.name === name)!;
const ofParty = (id: string, party_id: string) => issued({ ...cdrOf(id), cdr_token: { ...cdrOf('').cdr_token, party_id } }, party_id);

test('a line whose partner wants to be left alone for an hour, and then renews its link, is tried at once', async () => {
  const early = await HandPartner.open('Early', 'EAR', 'EMSP', ['RECEIVER locations', 'RECEIVER cdrs']);
  try {
    await early.register(oasis);
    early.answer = () => ({ http: 503, status: 3000, headers: { 'Retry-After': '3600' } });
    await oasis.neighbours.tell(ofParty('EAR-1', 'EAR'), statusOf('EAR-L', 'AVAILABLE', 0));
    await expect.poll(() => new Set(early.pushed())).toEqual(new Set(['POST /cdrs', 'PUT /locations/CA/BCT/EAR-L']));
    await expect.poll(async () => (await viewOf('Early')).line?.state).toBe('open');
    early.answer = (what) => (what.startsWith('GET ') ? { http: 404, status: 2003 } : {});
    early.seen.length = 0;
    await renewed(early);
    await expect.poll(() => early.pushed('P').toSorted()).toEqual(['POST /cdrs', 'PUT /locations/CA/BCT/EAR-L']);
  } finally {
    await early.close();
  }
});

test('CDR-01: a CDR that may have been taken over a link that ended is looked for over the next one, before it goes again', async () => {
  const doubt = await HandPartner.open('Doubt', 'DBT', 'EMSP', ['RECEIVER cdrs']);
  try {
    await doubt.register(oasis);
    const kept: unknown[] = [];
    doubt.answer = (what) => {
      if (what !== 'POST /cdrs') return { http: 503, status: 3000, headers: { 'Retry-After': '3600' } };
      kept.push(doubt.seen.at(-1)!.body);
      return 'hang up';
    };
    await oasis.neighbours.tell(ofParty('DBT-1', 'DBT'));
    await expect.poll(() => doubt.pushed('GET /cdrs/')).toHaveLength(1);
    await call(oasis, '/ocpi/2.2.1/credentials', { token: doubt.token, method: 'DELETE' });
    doubt.answer = (what) => (what.startsWith('GET /cdrs?') ? { data: kept } : what === 'POST /cdrs' ? {} : { http: 404, status: 2003 });
    await doubt.register(oasis);
    await expect.poll(async () => (await viewOf('Doubt')).waiting).toBe(0);
    await expect.poll(() => doubt.pushed('GET /cdrs?')).toHaveLength(1);
    expect(doubt.pushed('POST ')).toHaveLength(1);
  } finally {
    await doubt.close();
  }
});

test('VER-08: a CDR that waits while its partner takes none goes when it takes them again', async () => {
  const interfaces = ['RECEIVER locations', 'RECEIVER cdrs'];
  const lapse = await HandPartner.open('Lapse', 'LAP', 'EMSP', interfaces);
  try {
    await lapse.register(oasis);
    lapse.answer = () => ({ http: 503, status: 3000 });
    await oasis.neighbours.tell(ofParty('LAP-1', 'LAP'), ofParty('LAP-0', 'LAP'));
    await expect.poll(async () => (await viewOf('Lapse')).line?.state).toBe('open');
    await expect.poll(async () => (await viewOf('Lapse')).waiting).toBe(2);
    interfaces.pop();
    await renewed(lapse);
    await expect.poll(async () => (await viewOf('Lapse')).waiting).toBe(0);
    lapse.answer = (what) => (what.startsWith('GET ') ? { http: 404, status: 2003 } : {});
    lapse.seen.length = 0;
    // What it fetches meanwhile it has.
    oasis.neighbours.own.cdrs.push({ ...cdrOf('LAP-0'), cdr_token: { ...cdrOf('').cdr_token, party_id: 'LAP' } });
    expect((await call(oasis, '/ocpi/2.2.1/sender/cdrs', { token: lapse.token })).data).toMatchObject([{ id: 'LAP-0' }]);
    await oasis.neighbours.tell(ofParty('LAP-2', 'LAP'));
    interfaces.push('RECEIVER cdrs');
    await renewed(lapse);
    await expect.poll(() => lapse.seen.filter(({ what }) => what === 'POST /cdrs').map(({ body }) => (body as Cdr).id).toSorted()).toEqual(['LAP-1', 'LAP-2']);
  } finally {
    await lapse.close();
  }
});

test('what waits for a party whose platform no longer has it does not go there, but to the one that comes to have it', async () => {
  const more = ['EMSP TWO'];
  const [duo, two] = [await HandPartner.open('Duo', 'DUO', 'EMSP', ['RECEIVER cdrs'], more), await HandPartner.open('Two', 'TWO', 'EMSP', ['RECEIVER cdrs'])];
  try {
    await duo.register(oasis);
    duo.answer = () => ({ http: 401, status: 2000 });
    await oasis.neighbours.tell(ofParty('TWO-1', 'TWO'));
    await expect.poll(async () => (await viewOf('Duo')).line?.state).toBe('open');
    more.pop();
    await renewed(duo);
    await expect.poll(async () => (await viewOf('Duo')).waiting).toBe(0);
    duo.answer = () => ({});
    duo.seen.length = 0;
    await two.register(oasis);
    await expect.poll(() => two.pushed()).toEqual(['POST /cdrs']);
    expect(duo.pushed()).toEqual([]);
  } finally {
    await Promise.all([duo.close(), two.close()]);
  }
});
