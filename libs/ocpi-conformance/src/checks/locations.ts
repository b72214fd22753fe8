import { type Evse, findEvse, Location, type Party, sameId } from '#ocpi';
import { type Bench, ok, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeNotOffered, judgeNotThere, judgeObject, judgeRefused, judgeTaken, sameInstant, sameJson } from '../judging.ts';
import { kitLocation } from '../objects.ts';
import { joined, swapped } from './lists.ts';
import { judgeCharset } from './pushed.ts';

const ADDED = 'ADDED';

/** The Receiver interface of Locations: one of ours is pushed, changed, and left REMOVED. */
export const receivedLocations: Check = {
  name: 'locations: PUT, PATCH and GET',
  of: ['locations', 'RECEIVER'],
  writes: 'one Location that is not published, KIT-…-LOC. It cannot be deleted: its EVSEs end REMOVED',
  rules: [
    'TRN-07',
    'TRN-10',
    'TRN-11',
    'TRN-17',
    'TRN-30',
    'TRN-60',
    'TRN-61',
    'TRN-62',
    'TRN-70',
    'TRN-71',
    'TRN-72',
    'LOC-01',
    'LOC-02',
    'LOC-03',
    'LOC-09',
    'LOC-30',
    'LOC-31',
    'LOC-33',
    'LOC-34',
    'TYP-03',
    'TYP-10',
  ],
  run,
};

async function run(bench: Bench): Promise<void> {
  const location = kitLocation(bench);
  const { country_code, party_id } = bench.party;
  const base = bench.at('locations', 'RECEIVER');
  const url = (...path: readonly string[]) => joined(base, country_code, party_id, location.id, ...path);
  const call = (method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE', at: string, body?: unknown) =>
    bench.call(method, at, { module: 'locations', ...(body === undefined ? {} : { body }) });
  const held = async (): Promise<[Location | undefined, Seen]> => {
    const seen = await call('GET', url());
    const isOne = ok(seen) && judgeObject(bench, 'locations', Location, seen.data, seen) !== undefined;
    return [isOne ? (seen.data as Location) : undefined, seen];
  };

  judgeNotThere(bench, 'TRN-30', 'GET of a Location that was never pushed', await call('GET', url()));
  const early = await call('PUT', url(location.evses![0]!.uid), location.evses![0]);
  judgeNotThere(bench, 'LOC-34', 'PUT of an EVSE of an unknown Location', early);
  if (!judgeTaken(bench, 'LOC-02', 'PUT of a new Location', await call('PUT', url(), location))) return;
  await replacing(bench, location, call, url, held);
  await changing(bench, location, call, url, held);
  await adding(bench, location, { call, url, held });
  await refusing(bench, location, call, url);
  await others(bench, location, call, base);
  await leaving(bench, location, call, url, held);
}

type Call = (method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE', at: string, body?: unknown) => Promise<Seen>;
type Url = (...path: readonly string[]) => string;
type Held = () => Promise<[Location | undefined, Seen]>;

async function replacing(bench: Bench, location: Location, call: Call, url: Url, held: Held): Promise<void> {
  const [as, seen] = await held();
  if (!bench.judge('LOC-02', as !== undefined, 'the Location that was PUT can be read at its URL', seen)) return;
  bench.judge('TRN-60', sameJson(as, location), 'the Location as it was PUT', seen);
  const again = await call('GET', sameInOtherCase(url(), location.id));
  bench.judge('TRN-72', ok(again), 'the Location by its id in letters of the other case', again);
  const by = await call('GET', withPartyInOtherCase(url(), bench.party));
  bench.judge('TRN-72', ok(by), 'the Location by its party in letters of the other case', by);
  const later = { ...location, later_version: { kept: true }, last_updated: bench.tick() };
  const taken = await call('PUT', url(), later);
  bench.judge('TRN-17', ok(taken), 'a Location with a field that 2.2.1 does not know is taken', taken);
  const { name: _, ...unnamed } = { ...location, last_updated: bench.tick() };
  judgeTaken(bench, 'LOC-02', 'PUT of a known Location', await call('PUT', url(), unnamed));
  const [after, read] = await held();
  bench.judge('TRN-60', after !== undefined && (after.name ?? null) === null, 'no name: PUT replaces, and it was left out', read);
  const [kept, ...omitted] = location.evses!;
  if (!ok(await call('PUT', url(), { ...unnamed, evses: [kept], last_updated: bench.tick() }))) return;
  const [left, seenLeft] = await held();
  const still = left?.evses?.find(({ uid, status }) => status !== 'REMOVED' && omitted.some((one) => sameId(one.uid, uid)));
  if (left) bench.judge('LOC-33', still === undefined, 'the EVSE that the PUT left out gone, or REMOVED', seenLeft);
}

function sameInOtherCase(url: string, id: string): string {
  const at = url.lastIndexOf(encodeURIComponent(id));
  return `${url.slice(0, at)}${encodeURIComponent(swapped(id))}`;
}

function withPartyInOtherCase(url: string, { country_code, party_id }: Party): string {
  const owner = `/${country_code}/${party_id}/`;
  const at = url.lastIndexOf(owner);
  return `${url.slice(0, at)}${swapped(owner)}${url.slice(at + owner.length)}`;
}

async function changing(bench: Bench, location: Location, call: Call, url: Url, held: Held): Promise<void> {
  const [before] = await held();
  const at = bench.tick();
  judgeTaken(bench, 'TRN-61', 'PATCH of a Location with one field', await call('PATCH', url(), { city: 'Surrey', last_updated: at }));
  const [patched, seen] = await held();
  if (before)
    bench.judge(
      'TRN-61',
      sameJson(patched, { ...before, city: 'Surrey', last_updated: at }),
      'the field of the PATCH changed, and nothing else',
      seen,
    );
  await judgeCharset(bench, 'locations', url(), { city: 'Delta' });
  const evse = location.evses![0]!;
  for (const [path, patch] of [
    [[evse.uid], { status: 'OUTOFORDER' }],
    [[evse.uid, evse.connectors[0]!.id], { max_amperage: 60 }],
  ] as const) {
    const last_updated = bench.tick();
    const what = path.length === 1 ? 'an EVSE' : 'a Connector';
    if (!judgeTaken(bench, 'LOC-02', `PATCH of ${what}`, await call('PATCH', url(...path), { ...patch, last_updated })))
      continue;
    const [changed, read] = await held();
    if (!changed) continue;
    const now = findEvse(changed, evse.uid);
    const connector = now?.connectors.find(({ id }) => sameId(id, evse.connectors[0]!.id));
    const fresh = [
      changed.last_updated,
      now?.last_updated,
      ...(path.length === 2 ? [connector?.last_updated] : []),
    ];
    bench.judge(
      'LOC-01',
      fresh.every((one) => sameInstant(one, last_updated)),
      `last_updated ${last_updated} of ${what} on its parents, too`,
      read,
    );
    const value = path.length === 1 ? now?.status === 'OUTOFORDER' : connector?.max_amperage === 60;
    bench.judge('TRN-61', value, `what the PATCH of ${what} says`, read);
  }
  judgeNotThere(
    bench,
    'LOC-34',
    'PATCH of an unknown EVSE',
    await call('PATCH', url(bench.id('NO-EVSE')), { status: 'UNKNOWN', last_updated: bench.tick() }),
  );
}

/** An EVSE more, and a Connector of it: each by a PUT of its own. */
async function adding(bench: Bench, location: Location, { call, url, held }: { call: Call; url: Url; held: Held }): Promise<void> {
  const { evse_id: _, ...known } = location.evses![0]!;
  const evse = { ...known, uid: bench.id(ADDED), last_updated: bench.tick() };
  const connector = { ...known.connectors[0]!, id: 'ADDED', last_updated: bench.tick() };
  const path = [evse.uid, connector.id];
  const [before] = await held();
  for (const [what, object, at] of [['an EVSE', evse, path.slice(0, 1)], ['a Connector', connector, path]] as const) {
    if (!judgeTaken(bench, 'LOC-02', `PUT of ${what} of a known Location`, await call('PUT', url(...at), object))) return;
    const [after, seen] = await held();
    if (!before || !after) return;
    const isKept = before.evses!.every(({ uid }) => findEvse(after, uid));
    const now = findEvse(after, evse.uid);
    bench.judge('LOC-02', isKept && now !== undefined, `the EVSE ${evse.uid} beside those that were there, after the PUT of ${what}`, seen);
    // What is lost is lost by this alone.
    if (!isKept) return void (await call('PUT', url(), { ...location, last_updated: bench.tick() }));
    const isNew = [after, now].every((one) => !one || sameInstant(one.last_updated, object.last_updated));
    bench.judge('LOC-01', isNew, `last_updated ${object.last_updated} of ${what} that was PUT on its parents, too`, seen);
    const own = await call('GET', url(...at));
    bench.judge('LOC-02', ok(own) && sameJson(own.data, object), `${what} as it was PUT, at its own URL`, own);
  }
}

async function refusing(bench: Bench, location: Location, call: Call, url: Url): Promise<void> {
  const whole = () => ({ ...location, last_updated: bench.tick() });
  judgeRefused(bench, 'LOC-31', 'PATCH of a Location without last_updated', await call('PATCH', url(), { city: 'Delta' }), 2001);
  judgeRefused(
    bench,
    'LOC-31',
    'PATCH of an EVSE without last_updated',
    await call('PATCH', url(location.evses![0]!.uid), { status: 'BLOCKED' }),
    2001,
  );
  judgeRefused(bench, 'LOC-30', 'PUT of a Location without city', await call('PUT', url(), { ...whole(), city: undefined }), 2001);
  const coordinates = { latitude: 49.248809, longitude: -123.0023 };
  judgeRefused(
    bench,
    'LOC-09',
    'PUT of a Location with coordinates that are numbers',
    await call('PUT', url(), { ...whole(), coordinates }),
    2001,
  );
  judgeRefused(
    bench,
    'TYP-10',
    'PUT of a Location with a country of two letters',
    await call('PUT', url(), { ...whole(), country: 'CA' }),
    2001,
  );
  judgeRefused(
    bench,
    'TYP-03',
    'PUT of a Location with a last_updated that is no DateTime',
    await call('PUT', url(), { ...whole(), last_updated: 'today' }),
    2001,
  );
  judgeRefused(
    bench,
    'TRN-71',
    'PUT of a Location under the id of another',
    await call('PUT', url(), { ...whole(), id: bench.id('OTHER') }),
    2001,
  );
  const broken = await call('PUT', url(), '{"id":');
  bench.judge('TRN-30', broken.http === 400, 'a body that is no JSON: HTTP 400', broken);
  for (const method of ['DELETE', 'POST'] as const) {
    judgeNotOffered(
      bench,
      method === 'DELETE' ? 'LOC-03' : 'TRN-10',
      `${method} of a Location`,
      await call(method, url(), method === 'POST' ? whole() : undefined),
    );
  }
}

/** Of a party that is not ours nothing may be pushed. */
async function others(bench: Bench, location: Location, call: Call, base: string): Promise<void> {
  const foreign = { country_code: 'NL', party_id: 'ZZZ' };
  const seen = await call('PUT', joined(base, foreign.country_code, foreign.party_id, location.id), {
    ...location,
    ...foreign,
    last_updated: bench.tick(),
  });
  bench.judge('TRN-07', !ok(seen), 'a Location of a party that is none of our roles is refused', seen);
  if (!ok(seen))
    bench.judge(
      'TRN-30',
      seen.http === 404 || (seen.http < 300 && (seen.status ?? 0) >= 2000),
      'HTTP 404, or HTTP 200 and 2xxx, for a foreign party',
      seen,
    );
}

async function leaving(bench: Bench, location: Location, call: Call, url: Url, held: Held): Promise<void> {
  const last_updated = bench.tick();
  const [one, ...rest] = location.evses!;
  judgeTaken(bench, 'LOC-03', 'an EVSE becomes REMOVED by PATCH', await call('PATCH', url(one!.uid), { status: 'REMOVED', last_updated }));
  for (const uid of [...rest.map((evse) => evse.uid), bench.id(ADDED)]) await call('PATCH', url(uid), { status: 'REMOVED', last_updated: bench.tick() });
  const [left, seen] = await held();
  const removed = left?.evses?.find(({ uid }: Evse) => uid.toLowerCase() === one!.uid.toLowerCase());
  if (left) bench.judge('LOC-03', removed === undefined || removed.status === 'REMOVED', 'the EVSE as REMOVED', seen);
}
