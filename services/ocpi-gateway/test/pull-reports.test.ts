import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { chooseQuirks, listDifferences, listPartners, listQuirks, pullPartner } from '#contracts/ocpi-gateway';
import { exampleCdr, exampleTariff } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// What an operator reads of the lists of a CPO, and where the next reading begins. Lists are read when asked for alone.

const owner = { country_code: 'CA', party_id: 'EOA' };
const now = () => `${new Date().toISOString().slice(0, 19)}Z`;
const tariff = (id: string, last_updated = '2022-02-01T10:00:00Z') => ({ ...exampleTariff, ...owner, id, last_updated });
const cdr = (id: string) => ({ ...exampleCdr, ...owner, id, last_updated: now() });

let plunk: Side;
let cpo: HandPartner;
let partnerId: string;
let lists: Record<string, unknown[]>;
/** What a page of a module and an offset is answered instead. */
let broken: (module: string, offset: number) => { http?: number; status?: number; headers?: Record<string, string> } | undefined;
/** What its Links have behind the path of its endpoint. */
let slash = '';

function answer(what: string) {
  const url = new URL(what.slice(4), cpo.base);
  const module = url.pathname.split('/').filter(Boolean).at(-1)!;
  if (!what.startsWith('GET ') || !(module in lists)) return {};
  const offset = Number(url.searchParams.get('offset') ?? 0);
  const all = lists[module]!;
  url.searchParams.set('offset', String(offset + 2));
  if (!url.pathname.endsWith('/')) url.pathname += slash;
  return {
    data: all.slice(offset, offset + 2),
    headers: {
      'X-Total-Count': String(all.length),
      'X-Limit': '2',
      ...(offset + 2 < all.length ? { Link: `<${url.href}>; rel="next"` } : {}),
    },
    ...broken(module, offset),
  };
}

beforeAll(async () => {
  plunk = await openSide({
    party: plunkParty,
    ocpi: {
      allow_private_urls: true,
      first_retry_ms: 10,
      longest_retry_ms: 20,
      pull: { first_s: 0, every_s: 86_400, full_every_s: 86_400, splay_s: 0 },
    },
  });
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER tariffs', 'SENDER cdrs']);
  lists = { tariffs: ['T-1', 'T-2', 'T-3', 'T-4', 'T-5'].map((id) => tariff(id)), cdrs: [] };
  broken = () => undefined;
  cpo.answer = answer;
  await cpo.register(plunk);
  ({ partnerId } = (await plunk.neighbours.bus.ask(listPartners, {})).partners[0]!);
  await vi.waitFor(async () => expect((await reportOf('cdrs'))?.endedAt).toBeDefined(), { timeout: 60_000 });
});
afterAll(async () => {
  await cpo?.close();
  await plunk?.close();
});
beforeEach(() => {
  broken = () => undefined;
});

const found = () => plunk.neighbours.bus.ask(listDifferences, { partnerId, limit: 100 });
const reportOf = async (module: string) => (await found()).pulls.find((one) => one.module === module);
const goneOf = async (module: string) =>
  (await found()).differences.filter((one) => one.module === module && one.what === 'gone').map(({ objectId }) => objectId);
const asked = (module: string) => cpo.pushed(`GET /${module}`).map((what) => what.replace(/date_from=[^&]*/, 'date_from').slice(4));

/** Asks for the lists, and waits until the last of them was asked for to its end, or `until`. */
async function pull(full: boolean, until = async () => (await reportOf('cdrs'))!.endedAt): Promise<void> {
  cpo.seen.length = 0;
  const before = await until();
  await plunk.neighbours.bus.ask(pullPartner, { partnerId, full });
  await expect.poll(until).not.toBe(before);
}

test('TRN-57: what is gone is among the differences of its list, and a list that was read twice has each object once', async () => {
  lists.tariffs = lists.tariffs!.slice(1);
  await pull(true);
  expect(await goneOf('tariffs')).toEqual(['t-1']);
  expect(asked('tariffs')).toEqual(['/tariffs', '/tariffs?offset=2', '/tariffs', '/tariffs?offset=2']);
  expect(await reportOf('tariffs')).toMatchObject({ full: true, objects: 4, differences: 1, error: '' });
});

test('TRN-57: whoever asks for whole lists gets them, also where a list of what changed stopped in the middle', async () => {
  lists.tariffs = ['T-2', 'T-3', 'T-4', 'T-5'].map((id) => tariff(id, now()));
  broken = (module, offset) => (module === 'tariffs' && offset === 2 ? { http: 500, status: 3000 } : undefined);
  await pull(false);
  // It is given up after ten times.
  await expect.poll(() => asked('tariffs').filter((what) => what.endsWith('offset=2'))).toHaveLength(10);
  expect(await reportOf('tariffs')).toMatchObject({ full: false, objects: 2, error: expect.stringContaining('HTTP 500') });
  broken = () => undefined;
  lists.tariffs = lists.tariffs.slice(1);
  await pull(true, async () => (await reportOf('tariffs'))!.endedAt);
  expect(await goneOf('tariffs')).toContain('t-2');
  expect(await reportOf('tariffs')).toMatchObject({ full: true, error: '' });
  // The whole list after it ends, too, before the next test asks.
  await expect.poll(async () => (await reportOf('cdrs'))!.full).toBe(true);
});

test('TRN-52: what no Link led to is said, and is asked for again, however old it is by then', async () => {
  await pull(false);
  const since = () => new URL(cpo.pushed('GET /cdrs').at(-1)!.slice(4), cpo.base).searchParams.get('date_from');
  await pull(false);
  const before = since();
  lists.cdrs = ['C-1', 'C-2', 'C-3', 'C-4', 'C-5'].map(cdr);
  broken = (module) => (module === 'cdrs' ? { headers: { 'X-Total-Count': '5', 'X-Limit': '2' } } : undefined);
  await pull(false);
  const stood = since();
  expect(Date.parse(stood!)).toBeGreaterThan(Date.parse(before!));
  expect(await reportOf('cdrs')).toMatchObject({ objects: 2, differences: 2, error: '3 objects are on no page that a Link led to' });
  broken = () => undefined;
  await pull(false);
  expect(since()).toBe(stood);
  expect(await reportOf('cdrs')).toMatchObject({ objects: 5, differences: 3, error: '' });
  await pull(false);
  expect(Date.parse(since()!)).toBeGreaterThan(Date.parse(stood!));
});

test('TRN-52: a CPO that counts what was not asked for is asked for it once more, not each time from where it was', async () => {
  const since = () => Date.parse(new URL(cpo.pushed('GET /cdrs').at(-1)!.slice(4), cpo.base).searchParams.get('date_from')!);
  lists.cdrs = [cdr('C-6')];
  broken = (module) => (module === 'cdrs' ? { headers: { 'X-Total-Count': '500', 'X-Limit': '2' } } : undefined);
  await pull(false);
  const stood = since();
  await pull(false);
  expect(since()).toBe(stood);
  await pull(false);
  const moved = since();
  expect(moved).toBeGreaterThan(stood);
  await pull(false);
  expect(since()).toBeGreaterThan(moved);
  expect(await reportOf('cdrs')).toMatchObject({ error: '499 objects are on no page that a Link led to' });
});

test('TRN-16: a list whose Links write its endpoint otherwise goes on where it stopped', async () => {
  lists.tariffs = ['T-3', 'T-4', 'T-5', 'T-6', 'T-7'].map((id) => tariff(id));
  slash = '/';
  broken = (module, offset) => (module === 'tariffs' && offset === 4 ? { http: 503, status: 3000 } : undefined);
  await pull(true);
  await expect.poll(() => asked('tariffs').filter((what) => what.endsWith('offset=4'))).toHaveLength(10);
  expect(asked('tariffs').filter((what) => !what.includes('offset'))).toEqual(['/tariffs']);
  broken = () => undefined;
  slash = '';
  await pull(true, async () => (await reportOf('tariffs'))!.endedAt);
});

test('TRN-91: a list in whose midst a partner asks for less, or takes our token for nobody\'s, goes on where it stopped', async () => {
  for (const http of [429, 401]) {
    broken = (module, offset) => (module === 'tariffs' && offset === 4 ? { http, status: 2000 } : undefined);
    await pull(true);
    await expect.poll(() => asked('tariffs').filter((what) => what.endsWith('offset=4'))).toHaveLength(10);
    expect(asked('tariffs').filter((what) => !what.includes('offset')), String(http)).toEqual(['/tariffs']);
    broken = () => undefined;
    await pull(true);
  }
});

test('TRN-91: a list begins anew where the page at which it stopped is not given any more', async () => {
  broken = (module, offset) => (module === 'tariffs' && offset === 4 ? { http: 500, status: 3000 } : undefined);
  await pull(true);
  await expect.poll(() => asked('tariffs').filter((what) => what.endsWith('offset=4'))).toHaveLength(10);
  // Its Link was good for a while.
  broken = (module, offset) => (module === 'tariffs' && offset === 2 && !asked('tariffs').includes('/tariffs') ? { http: 403, status: 2000 } : undefined);
  await pull(true, async () => (await reportOf('tariffs'))!.endedAt);
  expect(asked('tariffs').slice(0, 2)).toEqual(['/tariffs?offset=2', '/tariffs']);
  expect(await reportOf('tariffs')).toMatchObject({ error: '' });
});

test('TRN-14: of lists that are asked for, those that were read are not read again because another one cannot be', async () => {
  broken = (module) => (module === 'cdrs' ? { http: 500, status: 3000 } : undefined);
  await pull(true, async () => (await reportOf('tariffs'))!.endedAt);
  await expect.poll(() => asked('cdrs')).toHaveLength(10);
  expect(asked('tariffs').filter((what) => !what.includes('offset'))).toEqual(['/tariffs']);
  // Nor by the next of those that come now and then, which comes soon after one that failed.
  cpo.seen.length = 0;
  const db = await openDatabase({ url: plunk.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  await db.query(`SELECT due_add('a turn', $1, 'pull', $2, 0, NULL)`, [`pull ${partnerId}`, JSON.stringify({ partnerId, turn: 1_000 })]);
  await expect.poll(async () => (await db.query(`SELECT FROM due WHERE id = 'a turn' AND done_at IS NOT NULL`)).rowCount).toBe(1);
  await db.close();
  expect([asked('tariffs'), asked('cdrs').length]).toEqual([[], 1]);
  broken = () => undefined;
  await pull(true);
});

test('TRN-52: a Link to another host ends a list, and is noted; whoever is read by offset needs none', async () => {
  const { bus } = plunk.neighbours;
  const Link = '<http://inside.example/tariffs?offset=2>; rel="next"';
  broken = (module, offset) =>
    (module === 'tariffs' ? { headers: { 'X-Total-Count': '5', 'X-Limit': '2', ...(offset < 4 ? { Link } : {}) } } : undefined);
  await pull(true);
  const quirk = async () => (await bus.ask(listQuirks, { partnerId })).quirks.find(({ name }) => name === 'no-link');
  await expect.poll(quirk).toMatchObject({ suggested: true, detail: expect.stringContaining('elsewhere') });
  await bus.ask(chooseQuirks, { partnerId, set: ['no-link'], unset: [] });
  await expect.poll(() => reportOf('tariffs')).toMatchObject({ full: true, objects: 5, error: '' });
  await pull(true);
  await bus.ask(chooseQuirks, { partnerId, set: [], unset: ['no-link'] });
});

test('VER-08: a list that stopped in the middle begins anew where its endpoint has moved to', async () => {
  broken = (module, offset) => (module === 'tariffs' && offset === 2 ? { http: 503, status: 3000 } : undefined);
  await pull(true);
  await expect.poll(() => asked('tariffs').filter((what) => what.endsWith('offset=2'))).toHaveLength(10);
  cpo.answer = (what) => (what.startsWith('GET /moved') ? answer(what) : { http: 503, status: 3000 });
  broken = () => undefined;
  cpo.endpointBase = `${cpo.base}/moved`;
  const { status_code } = await call(plunk, '/ocpi/2.2.1/credentials', { token: cpo.token, method: 'PUT', body: cpo.credentials() });
  expect(status_code).toBe(1000);
  await expect.poll(() => cpo.pushed('GET /moved')).toContain('GET /moved/tariffs');
  await expect.poll(() => reportOf('tariffs')).toMatchObject({ full: true, objects: 5, error: '' });
});
