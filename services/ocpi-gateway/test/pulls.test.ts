import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listDifferences, listPartners, pullPartner } from '#contracts/ocpi-gateway';
import { creditCdr, exampleCdr, exampleLocation, exampleSession, exampleTariff } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// An eMSP's gateway that reads the lists of a CPO worked by hand.

const owner = { country_code: 'CA', party_id: 'EOA' };
const at = (n: number) => `2022-02-01T1${n}:00:00Z`;
const location = (id: string, n = 0) => ({ ...exampleLocation, ...owner, id, last_updated: at(n) });
const tariff = (id: string, n = 0) => ({ ...exampleTariff, ...owner, id, last_updated: at(n) });

let plunk: Side;
let cpo: HandPartner;
let partnerId: string;
/** What the CPO lists now, in its order; a page has two. */
let lists: Record<string, unknown[]>;

function answer(what: string) {
  const url = new URL(what.slice(4), cpo.base);
  const module = url.pathname.slice(1);
  if (!what.startsWith('GET ') || !(module in lists)) return {};
  const offset = Number(url.searchParams.get('offset') ?? 0);
  const all = lists[module]!;
  url.searchParams.set('offset', String(offset + 2));
  return {
    data: all.slice(offset, offset + 2),
    headers: {
      'X-Total-Count': String(all.length),
      'X-Limit': '2',
      ...(offset + 2 < all.length ? { Link: `<${url.href}>; rel="next"` } : {}),
    },
  };
}

beforeAll(async () => {
  plunk = await openSide({
    party: plunkParty,
    ocpi: {
      allow_private_urls: true,
      first_retry_ms: 50,
      longest_retry_ms: 400,
      pull: { first_s: 0, every_s: 1, full_every_s: 1, splay_s: 0 },
    },
  });
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER locations', 'SENDER tariffs', 'SENDER sessions', 'SENDER cdrs'], ['CPO QBC']);
  lists = {
    locations: [location('L-1'), location('L-2'), location('L-3')],
    tariffs: [tariff('T-1'), tariff('T-2')],
    sessions: [],
    cdrs: [],
  };
  cpo.answer = answer;
  await cpo.register(plunk);
  ({ partnerId } = (await plunk.neighbours.bus.ask(listPartners, {})).partners[0]!);
});
afterAll(async () => {
  await cpo?.close();
  await plunk?.close();
});
beforeEach(() => {
  cpo.answer = answer;
});

const held = (kind: string) =>
  [...plunk.neighbours.partners.keys()]
    .filter((key) => key.startsWith(kind.toUpperCase()))
    .map((key) => key.split(/[ *]/).at(-1)!.toLowerCase())
    .sort();
const report = async () =>
  (await plunk.neighbours.bus.ask(listDifferences, { partnerId, limit: 100 })).differences.map(
    ({ objectId: objectKey, module, what, detail }) => ({ objectKey, module, what, detail }),
  );

test('TRN-14, TRN-50: after the handshake all lists are read, page by page, Tariffs before Locations', async () => {
  await expect.poll(() => held('location')).toEqual(['l-1', 'l-2', 'l-3']);
  expect(held('tariff')).toEqual(['t-1', 't-2']);
  const order = plunk.neighbours.taken.map(({ what }) => what.split(' ')[1]!.toLowerCase());
  // Behind them the lists may have been read once more.
  expect(order.slice(0, order.indexOf('location'))).toEqual(['tariff', 'tariff']);
  await expect.poll(() => cpo.pushed('GET /sessions').length).toBeGreaterThan(0);
  const sessions = cpo.pushed('GET /sessions')[0]!;
  expect(new URL(sessions.slice(4), cpo.base).searchParams.get('date_from')).toMatch(/^\d{4}-/);
});

test('TRN-55, TRN-73: one object that is invalid, or of somebody else, does not touch the others of its page', async () => {
  const { coordinates: _, ...broken } = location('L-BROKEN');
  lists.locations = [broken, location('L-1'), { ...location('L-FOREIGN'), party_id: 'XYZ' }, location('L-4')];
  await expect.poll(() => held('location')).toContain('l-4');
  expect(held('location')).not.toContain('l-broken');
  expect(held('location')).not.toContain('l-foreign');
  await expect
    .poll(report)
    .toContainEqual(
      expect.objectContaining({ module: 'locations', what: 'invalid', detail: expect.stringContaining('coordinates') }),
    );
});

test('TRN-57: what a whole list does not have is no longer valid; listed again, it is', async () => {
  lists.locations = [location('L-1'), location('L-4')];
  lists.tariffs = [tariff('T-2')];
  // At once, or one after the other where the list changed while it was read.
  const gone = () => dropped().flatMap((what) => what.slice('DROP locations '.length).split(','));
  await expect.poll(() => [...new Set(gone())].toSorted()).toEqual(['l-2', 'l-3']);
  await expect.poll(() => held('tariff')).toEqual(['t-2']);
  await expect.poll(report).toContainEqual(expect.objectContaining({ module: 'tariffs', what: 'gone', objectKey: 't-1' }));
  lists.tariffs = [tariff('T-1'), tariff('T-2')];
  await expect.poll(() => held('tariff')).toEqual(['t-1', 't-2']);
});

const dropped = () => plunk.neighbours.taken.map(({ what }) => what).filter((what) => what.startsWith('DROP locations'));
/** Whole lists of Locations that were begun. */
const rounds = () => cpo.pushed('GET /locations').filter((what) => !what.includes('offset')).length;
async function wholeRounds(count: number): Promise<void> {
  const before = rounds();
  await expect.poll(rounds).toBeGreaterThan(before + count);
}

test('TRN-55, TRN-57: what is listed and cannot be read is there all the same', async () => {
  lists.locations = [location('L-1'), location('L-4'), location('L-5'), location('L-6')];
  await expect.poll(() => held('location')).toContain('l-6');
  const { coordinates: _, ...broken } = location('L-5', 1);
  const { country_code: __, party_id: ___, ...nobodys } = location('L-6', 1);
  lists.locations = [location('L-1'), location('L-4'), broken, nobodys];
  const said = async () => new Set((await report()).filter(({ what }) => what === 'invalid').map(({ objectKey }) => objectKey.toLowerCase()));
  await expect.poll(async () => [...await said()]).toEqual(expect.arrayContaining(['l-5', 'l-6']));
  await wholeRounds(2);
  expect([held('location'), /l-[56]/.test(dropped().join())]).toEqual([expect.arrayContaining(['l-5', 'l-6']), false]);
});

test('TRN-54, TRN-57: what moved to a page that was read already, or came in the meantime, is not gone', async () => {
  lists.locations = ['M-A', 'M-B', 'M-C', 'M-D'].map((id) => location(id));
  const heldNow = () => held('location').filter((id) => id.startsWith('m-'));
  await expect.poll(heldNow).toEqual(['m-a', 'm-b', 'm-c', 'm-d']);
  await expect.poll(() => ['l-1', 'l-4', 'l-5', 'l-6'].every((id) => dropped().join().includes(id))).toBe(true);
  const before = dropped().length;
  let isMoved = false;
  cpo.answer = (what) => {
    if (!isMoved && what.includes('GET /locations') && what.includes('offset=2')) {
      isMoved = true;
      // As many as before: no count tells that M-C is on the first page now.
      lists.locations = ['M-B', 'M-C', 'M-D', 'M-E'].map((id) => location(id));
    }
    return answer(what);
  };
  await expect.poll(() => dropped().at(-1)).toBe('DROP locations m-a');
  expect(dropped().slice(before)).toEqual(['DROP locations m-a']);

  let isPushed = false;
  cpo.answer = (what) => {
    const page = answer(what);
    if (!isPushed && what.includes('GET /locations') && what.includes('offset=2')) {
      isPushed = true;
      lists.locations = [...lists.locations!, location('M-F')];
      plunk.neighbours.partners.set('LOCATION CA*EOA M-F', location('M-F'));
    }
    return page;
  };
  await expect.poll(() => isPushed).toBe(true);
  await wholeRounds(2);
  expect(dropped().slice(before)).toEqual(['DROP locations m-a']);
});

test('LOC-34, TRN-57: what is pushed while a list is read stands, though the list has it as it was before, or not at all', async () => {
  const other = { ...location('P-1'), name: 'as it is' };
  lists.locations = [location('P-1'), location('P-2')];
  await expect.poll(() => held('location')).toContain('p-2');
  const isDropped = (id: string) => dropped().some((what) => what.includes(id));
  const push = async (body: object & { id: string }) => {
    const path = `/ocpi/2.2.1/receiver/locations/CA/EOA/${body.id}`;
    expect((await call(plunk, path, { method: 'PUT', body, token: cpo.token })).status_code).toBe(1000);
  };
  let isPushed = false;
  cpo.answer = async (what) => {
    const page = answer(what);
    if (lists.locations![0] !== other && what.includes('GET /locations')) {
      await push(other);
      lists.locations = [other, location('P-2')];
      isPushed = true;
    }
    return page;
  };
  await expect.poll(() => isPushed).toBe(true);
  const back = { ...location('P-2'), name: 'back' };
  let readings = 0;
  cpo.answer = async (what) => {
    const page = answer(what);
    // P-2 is missing twice, and comes back as the second list is answered.
    if (what.endsWith('GET /locations') && lists.locations!.length === 1 && (readings += 1) === 2) {
      await push(back);
      lists.locations = [other, back];
    }
    return page;
  };
  lists.locations = [other];
  await expect.poll(() => readings).toBe(2);
  await wholeRounds(2);
  expect(isDropped('p-')).toBe(false);
  const changed = (await report()).filter(({ what, objectKey }) => what === 'changed' && objectKey.startsWith('p-'));
  expect(changed).toEqual([]);
});

test('what was missing or older here is said as a difference; a CDR that was never pushed is recorded once', async () => {
  lists.cdrs = [{ ...exampleCdr, ...owner, id: 'C-1', last_updated: new Date().toISOString().slice(0, 19) + 'Z' }];
  lists.sessions = [{ ...exampleSession, ...owner, id: 'S-1' }];
  lists.locations = [location('L-1', 5), location('L-4')];
  await expect.poll(report).toContainEqual(expect.objectContaining({ module: 'cdrs', what: 'missing', objectKey: 'c-1' }));
  await expect.poll(report).toContainEqual(expect.objectContaining({ module: 'sessions', what: 'missing', objectKey: 's-1' }));
  await expect.poll(report).toContainEqual(expect.objectContaining({ module: 'locations', what: 'changed', objectKey: 'l-1' }));
  const before = cpo.pushed('GET /cdrs').length;
  await expect.poll(() => cpo.pushed('GET /cdrs').length).toBeGreaterThan(before + 1);
  expect((await report()).filter(({ module }) => module === 'cdrs')).toHaveLength(1);
  // Only what changed since is asked for, with an overlap.
  expect(cpo.pushed('GET /cdrs').at(-1)).toContain('date_from=');
});

test('CDR-04 a Credit CDR that is listed beside its original is recorded behind it, in whatever order the list has them', async () => {
  const original = { ...exampleCdr, ...owner, id: 'C-2', last_updated: new Date().toISOString().slice(0, 19) + 'Z' };
  lists.cdrs = [creditCdr(original, original.last_updated), original];
  const recorded = () => [...plunk.neighbours.partners.keys()].filter((key) => /^CDR .* C-2(-C)?$/.test(key)).map((key) => key.split(' ').at(-1));
  await expect.poll(recorded, { timeout: 20_000 }).toEqual(['C-2', 'C-2-C']);
});

test('TRN-91: a list that breaks off in the middle goes on with the page that failed, also after a restart', async () => {
  lists.locations = ['A', 'B', 'C', 'D', 'E', 'F'].map((id) => location(`L-${id}`, 6));
  let isBroken = true;
  cpo.seen.length = 0;
  // A whole one: that of what changed begins anew when all is wanted.
  const isBreak = (what: string) => what.startsWith('GET /locations?') && what.includes('offset=4') && !what.includes('date_from');
  cpo.answer = (what) => (isBroken && isBreak(what) ? { http: 503, status: 3000 } : answer(what));
  await expect.poll(() => cpo.pushed('GET /locations?').filter(isBreak).length).toBeGreaterThan(0);
  // It was asked for while the page before it was taken in.
  const errorOf = async (of: string) =>
    (await plunk.neighbours.bus.ask(listDifferences, { partnerId, limit: 1 })).pulls.find(({ module }) => module === of)?.error;
  await expect.poll(() => errorOf('locations')).toEqual(expect.stringContaining('503'));
  await plunk.gateway.stop();
  cpo.seen.length = 0;
  isBroken = false;
  await plunk.restart();
  await expect.poll(() => cpo.pushed('GET /locations')[0] ?? '').toContain('offset=');
  await expect.poll(() => held('location')).toContain('l-f');
});

test('a partner that answers 429 with Retry-After is asked for no list until then, by nobody and not after a restart either', async () => {
  let saidAt = 0;
  const early: string[] = [];
  cpo.answer = (what) => {
    if (saidAt !== 0 && Date.now() - saidAt < 2_900) early.push(what);
    if (saidAt !== 0 || !what.startsWith('GET /locations')) return answer(what);
    saidAt = Date.now();
    return { http: 429, status: 2000, headers: { 'Retry-After': '3' } };
  };
  await expect.poll(() => saidAt).toBeGreaterThan(0);
  cpo.seen.length = 0;
  early.length = 0;
  await plunk.neighbours.bus.ask(pullPartner, { partnerId, full: true });
  await plunk.gateway.stop();
  await plunk.restart();
  await expect.poll(() => cpo.pushed('GET /tariffs').length).toBeGreaterThan(0);
  expect(early).toEqual([]);
  await expect.poll(() => cpo.pushed('GET /locations').length).toBeGreaterThan(0);
  expect(
    (await plunk.neighbours.bus.ask(listDifferences, { partnerId, limit: 1 })).pulls.map(({ module }) => module),
  ).toContain('locations');
});

test('a date in Retry-After is reckoned by the clock of the partner', async () => {
  let saidAt = 0;
  const yesterday = Date.now() - 86_400_000;
  const headers = { Date: new Date(yesterday).toUTCString(), 'Retry-After': new Date(yesterday + 3_000).toUTCString() };
  cpo.answer = (what) => {
    if (saidAt !== 0 || !what.startsWith('GET /tariffs')) return answer(what);
    saidAt = Date.now();
    return { http: 503, status: 3000, headers };
  };
  await expect.poll(() => saidAt).toBeGreaterThan(0);
  let askedAt = 0;
  cpo.answer = (what) => {
    askedAt ||= Date.now();
    return answer(what);
  };
  await expect.poll(() => askedAt).toBeGreaterThan(0);
  expect(askedAt - saidAt).toBeGreaterThanOrEqual(2_900);
});

test('TRN-55: an object that locations has no time for is no invalid one, and taken when the page is read again', async () => {
  const { refusedOnce } = plunk.neighbours;
  for (const code of ['overloaded', 'too-late', 'unanswered']) {
    const id = `L-${code}`;
    refusedOnce.set(id, code);
    lists.locations = [location('L-1'), location(id), location('L-4')];
    await expect.poll(() => held('location')).toContain(id.toLowerCase());
    expect(refusedOnce.has(id)).toBe(false);
    const differences = async () => (await report()).filter(({ objectKey }) => objectKey === id.toLowerCase()).map(({ what }) => what);
    await expect.poll(differences).toContain('missing');
    expect(await differences(), code).toEqual(['missing']);
  }
});

test('CRE-06, TRN-57: a party that leaves its platform while lists are read loses nothing by the lists that it is not on any more', async () => {
  lists.locations = [location('L-1'), { ...location('Q-1'), party_id: 'QBC' }];
  await expect.poll(() => held('location')).toContain('q-1');
  let hasLeft = false;
  cpo.answer = async (what) => {
    if (what.startsWith('GET /tariffs') && !hasLeft) {
      hasLeft = true;
      lists.locations = [location('L-1')];
      const { roles, ...given } = cpo.credentials() as { roles: object[] };
      const put = await call(plunk, '/ocpi/2.2.1/credentials', { token: cpo.token, method: 'PUT', body: { ...given, roles: roles.slice(0, 1) } });
      cpo.token = (put.data as { token: string }).token;
    }
    return answer(what);
  };
  await expect.poll(() => hasLeft && cpo.token).not.toBe(false);
  await wholeRounds(2);
  expect(dropped().join()).not.toContain('q-1');
});

test('CRE-08: nothing is taken of a list whose link has ended while it was read', async () => {
  const db = await openDatabase({ url: plunk.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  let hasEnded = false;
  cpo.answer = async (what) => {
    if (what.startsWith('GET /locations') && !hasEnded) {
      hasEnded = true;
      lists.locations = [location('L-1'), location('L-LATE')];
      expect((await call(plunk, '/ocpi/2.2.1/credentials', { token: cpo.token, method: 'DELETE' })).status_code).toBe(1000);
    }
    return answer(what);
  };
  const open = async () => (await db.query(`SELECT FROM due WHERE kind = 'pull' AND done_at IS NULL`)).rowCount;
  await expect.poll(async () => hasEnded && (await open()) === 0).toBe(true);
  expect(held('location')).not.toContain('l-late');
  await db.close();
});
