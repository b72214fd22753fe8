import type { z } from 'zod';
import {
  Cdr, dateTimeOf, instantMs, Location, locationFaults, type ModuleId, nextLink, type Party, partyText, sameId, sameParty, Session,
  Tariff, Token,
} from '#ocpi';
import { type Bench, ok, type Seen } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeSums } from '../sums.ts';
import { judgeNotOffered, judgeNotThere, judgeObject, judgeQueryRefused, sameJson, wholeNumber } from '../judging.ts';

const pageRules = [
  'TRN-07',
  'TRN-10',
  'TRN-12',
  'TRN-14',
  'TRN-16',
  'TRN-20',
  'TRN-24',
  'TRN-30',
  'TRN-50',
  'TRN-51',
  'TRN-52',
  'TRN-53',
  'TRN-54',
  'TRN-56',
  'TRN-80',
  'HUB-01',
  'HUB-04',
  'TYP-01',
  'TYP-02',
  'TYP-03',
  'TYP-04',
  'TYP-05',
  'TYP-06',
  'TYP-08',
  'TYP-10',
];
/** Enough to see how pages follow each other; a list of 300,000 is not read to its end. */
const PAGES_AT_MOST = 12;
const LIMIT_TOO_LARGE = 1_000_000;
/** A list that changes whenever it is read is not judged by its pages. */
const READ_AT_MOST = 3;
const EPOCH = '1970-01-01T00:00:00Z';

type Listed = Partial<Party> & { id?: string; uid?: string; type?: string; last_updated: string };

interface List {
  readonly module: ModuleId & ('locations' | 'sessions' | 'cdrs' | 'tariffs' | 'tokens');
  readonly schema: z.ZodType;
  readonly rules: readonly string[];
  readonly more?: (bench: Bench, url: string, objects: readonly never[], seen: Seen) => Promise<void>;
}

const all: readonly List[] = [
  {
    module: 'locations',
    schema: Location,
    rules: ['LOC-01', 'LOC-04', 'LOC-06', 'LOC-08', 'LOC-09', 'LOC-10', 'LOC-12', 'LOC-14', 'LOC-30', 'TRN-72'],
    more: locationLevels,
  },
  { module: 'sessions', schema: Session, rules: ['SES-10'], more: ofOurTokens },
  {
    module: 'cdrs',
    schema: Cdr,
    rules: ['CDR-03', 'CDR-04', 'CDR-06', 'CDR-11', 'CDR-12', 'CDR-14', 'CDR-16'],
    more: cdrsByTheBook,
  },
  { module: 'tariffs', schema: Tariff, rules: ['TAR-01'] },
  { module: 'tokens', schema: Token, rules: ['TOK-13'] },
];

/** The Sender interfaces: what the platform has, read page by page. */
export const lists: readonly Check[] = all.map((list) => ({
  name: `${list.module}: the list`,
  of: [list.module, 'SENDER'],
  rules: [...pageRules, ...list.rules],
  run: (bench) => readList(bench, list),
}));

async function readList(bench: Bench, { module, schema, more }: List): Promise<void> {
  const url = bench.at(module, 'SENDER');
  const dated = module === 'sessions';
  const get = (query: Record<string, string | number>) =>
    bench.call('GET', withQuery(url, { ...(dated && !('date_from' in query) ? { date_from: EPOCH } : {}), ...query }), { module });
  const first = await get({});
  if (!bench.judge('TRN-24', ok(first) && Array.isArray(first.data), 'a list, also where it is empty', first)) return;
  bench.judge('TRN-14', true, 'what is pushed can be pulled', first);
  const slash = await bench.call('GET', withQuery(`${url.replace(/\/+$/, '')}/`, { date_from: EPOCH }), { module });
  bench.judge('TRN-16', ok(slash), 'the same list with a slash behind its path', slash);
  const objects = (first.data as unknown[])
    .slice(0, 200)
    .flatMap((one) => (judgeObject(bench, module, schema, one, first) as Listed | undefined) ?? []);
  const total = wholeNumber(first, 'x-total-count');
  const limit = wholeNumber(first, 'x-limit');
  const count = (first.data as unknown[]).length;
  bench.judge('TRN-52', total !== undefined, 'X-Total-Count', first);
  bench.judge('TRN-52', limit !== undefined && limit > 0, 'X-Limit, the most that a page of this server holds', first);
  if (limit !== undefined && limit > 0) bench.judge('TRN-53', count <= limit, `a page of at most ${limit}, as X-Limit says`, first);
  if (dated) {
    judgeQueryRefused(bench, 'TRN-50', 'a list of Sessions without date_from', await bench.call('GET', url, { module }), 2001);
  }
  await inStillness(bench, get, first, (still) => pages(bench, { get, first: still, limit, module }));
  await nonsense(bench, get, total ?? 0);
  await windows(bench, get, objects, total);
  const wrong = await bench.call('DELETE', url, { module });
  judgeNotOffered(bench, 'TRN-10', `DELETE of the list of ${module}`, wrong);
  await more?.(bench, url, objects as never, first);
}

type Get = (query: Record<string, string | number>) => Promise<Seen>;

/** Where drivers charge, a list may change while its pages are read: what was judged of it then says nothing, and it is read again. */
async function inStillness(bench: Bench, get: Get, first: Seen, judge: (still: Seen) => Promise<void>): Promise<void> {
  const now = (seen: Seen) => JSON.stringify([wholeNumber(seen, 'x-total-count'), objectsOf(seen.data).map((one) => [keyOf(one), one.last_updated])]);
  let before = first;
  for (let turn = 0; turn < READ_AT_MOST; turn += 1) {
    const judged = bench.judgements.length;
    await judge(before);
    if (bench.judgements.slice(judged).every((one) => one.ok)) return;
    const after = await get({});
    if (now(after) === now(before)) return;
    bench.judgements.splice(judged);
    before = after;
  }
}

async function pages(
  bench: Bench,
  { get, first, limit, module }: { get: Get; first: Seen; limit: number | undefined; module: ModuleId },
): Promise<void> {
  const total = wholeNumber(first, 'x-total-count');
  if (total === undefined || !Array.isArray(first.data)) return;
  const whole = first.data as Listed[];
  const size = Math.max(1, Math.ceil(total / PAGES_AT_MOST));
  let page = await get({ limit: size, date_from: EPOCH });
  const read: Listed[] = [];
  for (let turn = 0; turn < PAGES_AT_MOST + 2; turn += 1) {
    if (!Array.isArray(page.data))
      return void bench.judge(
        ok(page) ? 'TRN-24' : 'TRN-52',
        false,
        'a list on the page to which the Link leads',
        page,
      );
    for (const one of page.data as Listed[]) read.push(one);
    const asked = new URL(page.sent.url).searchParams.get('limit');
    if (asked === String(size)) bench.judge('TRN-53', page.data.length <= size, `at most ${size} objects, as asked for`, page);
    bench.judge(
      'TRN-52',
      wholeNumber(page, 'x-total-count') === total,
      `X-Total-Count ${total}, as on the first page`,
      page,
    );
    if (limit !== undefined && limit >= size)
      bench.judge(
        'TRN-52',
        wholeNumber(page, 'x-limit') === limit,
        `X-Limit ${limit}: the server's own, not the number of objects`,
        page,
      );
    const link = nextLink(page.headers['link']);
    if (read.length >= total || page.data.length === 0) {
      bench.judge('TRN-53', link === undefined, 'no Link on the last page', page);
      break;
    }
    const isNext = link !== undefined && URL.canParse(link);
    if (!bench.judge('TRN-52', isNext, 'a Link, rel="next", with an absolute URL', page)) return;
    const query = new URL(link!).searchParams;
    bench.judge(
      'TRN-52',
      query.has('date_from'),
      'a Link with all filters of the request',
      page,
    );
    const isThere = bench.isAtTheirs(link!);
    if (!bench.judge('TRN-52', isThere, 'a Link at a host that the platform lists: elsewhere the kit does not go with its token', page)) return;
    page = await bench.call('GET', link!, { module });
  }
  const keys = read.map(keyOf);
  bench.judge('TRN-54', new Set(keys).size === keys.length, 'no object on two pages', page);
  if (read.length >= total)
    bench.judge('TRN-52', read.length === total, `${total} objects on all pages together, as X-Total-Count says`, page);
  bench.judge(
    'TRN-54',
    keys.slice(0, whole.length).join('\n') === whole.map(keyOf).slice(0, keys.length).join('\n'),
    'the same order whatever the size of the pages',
    page,
  );
}

/** Two parties of a platform may have the same id. */
function keyOf(one: Listed): string {
  return [one?.country_code, one?.party_id, one?.id ?? one?.uid, one?.type].join(' ').trim().toLowerCase();
}

async function nonsense(bench: Bench, get: Get, total: number): Promise<void> {
  const behind = await get({ offset: total + 1_000 });
  bench.judge('TRN-56', ok(behind) && listOf(bench, behind).length === 0, 'an empty list behind the end', behind);
  bench.judge('TRN-53', nextLink(behind.headers['link']) === undefined, 'no Link behind the end', behind);
  const most = await get({ limit: LIMIT_TOO_LARGE });
  bench.judge('TRN-53', ok(most) && listOf(bench, most).length <= LIMIT_TOO_LARGE, 'a limit above the maximum is capped, not refused', most);
  const queries: readonly Record<string, string | number>[] = [
    { offset: -1 },
    { limit: 'many' },
    { date_from: 'yesterday' },
    { date_to: '2022-13-45' },
  ];
  for (const query of queries) {
    judgeQueryRefused(bench, 'TRN-56', `the query ${JSON.stringify(query)}`, await get(query), 2001);
  }
}

/** What a list holds; where that is no array it is none of OCPI's. */
function listOf(bench: Bench, seen: Seen): readonly Listed[] {
  if (!ok(seen)) return [];
  return bench.judge('TRN-24', Array.isArray(seen.data), 'a list, also where it is empty', seen) ? objectsOf(seen.data) : [];
}

/** What else is in a list was judged where it is read as a whole. */
function objectsOf(data: unknown): readonly Listed[] {
  return (Array.isArray(data) ? data : []).filter((one) => typeof one === 'object' && one !== null) as Listed[];
}

/** date_from is part of its window, date_to is not, and both are of last_updated. */
async function windows(bench: Bench, get: Get, objects: readonly Listed[], total: number | undefined): Promise<void> {
  const none = await get({ date_from: EPOCH, date_to: EPOCH.replace('00Z', '01Z') });
  const isNone = bench.judge('TRN-51', ok(none) && listOf(bench, none).length === 0, 'nothing that was updated in 1970', none);
  const counted = wholeNumber(none, 'x-total-count');
  if (isNone && counted !== undefined)
    bench.judge('TRN-52', counted === 0, 'X-Total-Count 0 where nothing matches the filters: it counts what does', none);
  if (objects.length === 0 || total === undefined) return;
  const times = [...new Set(objects.map(({ last_updated }) => instantMs(last_updated)!))].sort((a, b) => a - b);
  const middle = times[Math.floor(times.length / 2)]!;
  const at = dateTimeOf(middle);
  const changed = objects.find(({ last_updated }) => instantMs(last_updated) === middle)!;
  const holds = (seen: Seen) => listOf(bench, seen).some((one) => keyOf(one) === keyOf(changed));
  const from = await get({ date_from: at });
  const whole = wholeNumber(from, 'x-total-count') === listOf(bench, from).length;
  if (whole) bench.judge('TRN-50', holds(from), `date_from is inclusive: ${keyOf(changed)} was updated at ${at}`, from);
  bench.judge(
    'TRN-51',
    listOf(bench, from).every((one) => (instantMs(one.last_updated) ?? middle) >= middle),
    `only what was updated from ${at} on`,
    from,
  );
  const to = await get({ date_from: EPOCH, date_to: at });
  bench.judge('TRN-50', !holds(to), `date_to is exclusive: ${keyOf(changed)} was updated at ${at}`, to);
  bench.judge(
    'TRN-51',
    listOf(bench, to).every((one) => (instantMs(one.last_updated) ?? 0) <= middle),
    `only what was updated before ${at}`,
    to,
  );
}

function withQuery(url: string, query: Record<string, string | number>): string {
  const made = new URL(url);
  for (const [name, value] of Object.entries(query)) made.searchParams.set(name, String(value));
  return made.href;
}

async function locationLevels(bench: Bench, url: string, locations: readonly Location[], seen: Seen): Promise<void> {
  for (const location of locations) {
    const atMs = instantMs(location.last_updated)!;
    const younger = (location.evses ?? [])
      .flatMap((evse) => [evse, ...evse.connectors])
      .find(({ last_updated }) => instantMs(last_updated)! > atMs);
    bench.judge(
      'LOC-01',
      younger === undefined,
      `a last_updated of Location ${location.id} that is not before those of its EVSEs and Connectors`,
      seen,
    );
    judgeEvses(bench, location, seen);
    const faults = locationFaults(location);
    for (const { rule, at, what } of faults) bench.judge(rule, false, `Location ${location.id}, ${at}: ${what}`, seen);
    for (const rule of ['LOC-06', 'LOC-08', 'LOC-12', 'LOC-14'])
      if (!faults.some((one) => one.rule === rule)) bench.judge(rule, true, 'a Location by the book', seen);
  }
  const uids = locations.flatMap((location) => (location.evses ?? []).map(({ uid }) => `${uid.toLowerCase()} of ${partyText(location)}`));
  const twice = uids.find((uid, i) => uids.indexOf(uid) < i);
  if (uids.length > 0)
    bench.judge(
      'LOC-04',
      twice === undefined,
      `an EVSE.uid once of a party${twice === undefined ? '' : `, and not ${twice} twice`}`,
      seen,
    );
  const known = locations.find(({ evses }) => evses?.length);
  const unknown = await bench.call('GET', joined(url, bench.id('NOWHERE')), { module: 'locations' });
  judgeNotThere(bench, 'TRN-30', 'a Location that is not there', unknown);
  if (!known) return;
  const evse = known.evses![0]!;
  const levels: readonly (readonly [readonly string[], object])[] = [
    [[known.id], known],
    [[known.id, evse.uid], evse],
    [[known.id, evse.uid, evse.connectors[0]!.id], evse.connectors[0]!],
  ];
  for (const [path, object] of levels) {
    const answer = await bench.call('GET', joined(url, ...path), { module: 'locations' });
    const data = answer.data as { id?: string; uid?: string } | undefined;
    const wanted = object as { id?: string; uid?: string };
    bench.judge('TRN-24', ok(answer) && !Array.isArray(answer.data), `one object at ${path.join('/')}, no list`, answer);
    if (ok(answer) && !Array.isArray(answer.data)) {
      bench.judge(
        'LOC-30',
        sameId(data?.uid ?? data?.id ?? '', wanted.uid ?? wanted.id ?? ''),
        `the object ${path.at(-1)} at its own URL`,
        answer,
      );
    }
  }
  const lower = await bench.call('GET', joined(url, swapped(known.id)), { module: 'locations' });
  bench.judge('TRN-72', ok(lower), `the Location ${known.id} in letters of the other case`, lower);
}

function judgeEvses(bench: Bench, { id, evses = [] }: Location, seen: Seen): void {
  for (const { uid, connectors, last_updated } of evses) {
    const younger = connectors.some((one) => instantMs(one.last_updated)! > instantMs(last_updated)!);
    bench.judge('LOC-01', !younger, `a last_updated of EVSE ${uid} of Location ${id} that is not before those of its Connectors`, seen);
    const ids = new Set(connectors.map((one) => one.id.toLowerCase()));
    bench.judge('LOC-04', ids.size === connectors.length, `a Connector.id once in EVSE ${uid} of Location ${id}`, seen);
  }
}

/** The letters in the other case. */
export function swapped(id: string): string {
  return [...id].map((char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join('');
}

export function joined(url: string, ...segments: readonly string[]): string {
  return [url.replace(/\/+$/, ''), ...segments.map(encodeURIComponent)].join('/');
}

/** Sessions and CDRs go to the owner of their token alone. */
async function ofOurTokens(bench: Bench, _url: string, objects: readonly (Session | Cdr)[], seen: Seen): Promise<void> {
  const { country_code, party_id } = bench.party;
  for (const { id, cdr_token } of objects) {
    bench.judge('TRN-07', sameId(cdr_token.country_code, country_code) && sameId(cdr_token.party_id, party_id),
      `nothing of other eMSPs: ${id} is of a token of ${cdr_token.country_code}*${cdr_token.party_id}`, seen);
  }
}

async function cdrsByTheBook(bench: Bench, url: string, cdrs: readonly Cdr[], seen: Seen): Promise<void> {
  await ofOurTokens(bench, url, cdrs, seen);
  for (const cdr of cdrs.filter(({ credit }) => !credit)) judgeSums(bench, cdr, seen);
  for (const credit of cdrs.filter((cdr) => cdr.credit)) {
    const original = cdrs.find((one) => sameParty(one, credit) && sameId(one.id, credit.credit_reference_id ?? ''));
    bench.judge('CDR-04', !sameId(credit.id, credit.credit_reference_id ?? ''), `an id of its own for the Credit CDR ${credit.id}`, seen);
    if (!original) continue;
    const { total_cost: _, id: __, credit: ___, credit_reference_id: ____, last_updated: _____, ...same } = credit;
    const { total_cost, id: _id, credit: _credit, credit_reference_id: _reference, last_updated: _at, ...whole } = original;
    bench.judge('CDR-04', sameJson(same, whole), `all of ${original.id} in its Credit CDR but the total_cost`, seen);
    bench.judge(
      'CDR-04',
      credit.total_cost.excl_vat === 0 - total_cost.excl_vat,
      `the total_cost of ${original.id} negated in its Credit CDR`,
      seen,
    );
  }
}
