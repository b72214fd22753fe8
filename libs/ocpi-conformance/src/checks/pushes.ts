import type { z } from 'zod';
import {
  Cdr, CdrToken, ChargingProfileResult, CommandResult, Connector, ConnectorPatch, Evse, EvsePatch, headerText, instantMs, Location, LocationPatch,
  type ModuleId, type Party, partyText, readRouting, sameId, sameParty, Session, SessionPatch, Tariff, Token, TokenPatch, unwrapped,
} from '#ocpi';
import type { Bench } from '../bench.ts';
import type { Check } from '../check.ts';
import { judgeObject } from '../judging.ts';
import { judgeSums } from '../sums.ts';
import { type Incoming, isFunctionalPath, isListed, saidBy } from '../listener.ts';

/** Pushes that are judged: enough to know how the platform writes them. */
const JUDGED_AT_MOST = 300;

/** What the platform asked and pushed of its own accord while it was our partner. */
export const pushes: Check = {
  name: 'requests of the platform',
  rules: [
    'TRN-01',
    'TRN-03',
    'TRN-07',
    'TRN-10',
    'TRN-11',
    'TRN-12',
    'TRN-15',
    'TRN-16',
    'TRN-62',
    'TRN-63',
    'TRN-70',
    'TRN-71',
    'TRN-80',
    'HUB-01',
    'HUB-02',
    'HUB-04',
    'TYP-01',
    'TYP-02',
    'TYP-03',
    'TYP-04',
    'TYP-08',
    'TYP-10',
    'LOC-09',
    'LOC-30',
    'LOC-31',
    'SES-04',
    'SES-10',
    'CDR-03',
    'CDR-04',
    'CDR-06',
    'CDR-11',
    'CDR-12',
    'CDR-14',
    'CDR-16',
    'TAR-01',
    'TOK-13',
  ],
  run: async (bench) => {
    const named = new Map<string, Incoming>();
    for (const incoming of bench.listener.seen.slice(0, JUDGED_AT_MOST)) {
      judgeRequest(bench, incoming);
      judgeName(bench, incoming, named);
    }
    await judgeAfterRefusal(bench);
  },
};

/** One PATCH was answered as if the object were unknown to us. */
async function judgeAfterRefusal(bench: Bench): Promise<void> {
  const { listener, options } = bench;
  const { patched, seen } = listener;
  if (!patched) return;
  const since = seen.indexOf(patched) + 1;
  const follows = ({ method, path }: Incoming) => (method === 'GET' || method === 'PUT') && `${patched.path}/`.startsWith(`${path}/`);
  const isFollowed = await listener.until(() => seen.slice(since).some(follows), 5 * options.patienceMs);
  bench.judge('TRN-63', isFollowed, 'after a PATCH that was answered HTTP 404 and 2001: a GET of the object, or a PUT of all of it', saidBy(patched));
}

/** One that is sent once more may have the id that it had. */
function judgeName(bench: Bench, incoming: Incoming, named: Map<string, Incoming>): void {
  const id = headerText(incoming.headers, 'x-request-id');
  if (id === undefined) return;
  const { method, path, text } = named.get(id) ?? incoming;
  const isItsOwn = method === incoming.method && path === incoming.path && text === incoming.text;
  bench.judge('TRN-80', isItsOwn, 'an X-Request-ID that no other request had', saidBy(incoming));
  named.set(id, incoming);
}

function judgeRequest(bench: Bench, incoming: Incoming): void {
  const { path, headers, text } = incoming;
  const said = saidBy(incoming);
  const header = headerText(headers, 'authorization') ?? '';
  const encoded = /^Token ([A-Za-z0-9+/]+={0,2})$/.exec(header)?.[1];
  const decoded = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  const isOurs = decoded !== undefined && bench.listener.given.has(decoded.trimEnd());
  bench.judge('TRN-01', isOurs, 'Authorization: Token and the Base64 of the token', said);
  if (isOurs) bench.judge('TRN-03', !/\s$/.test(decoded), 'a token without a newline encoded behind it', said);
  for (const name of ['X-Request-ID', 'X-Correlation-ID'])
    bench.judge('TRN-80', headerText(headers, name.toLowerCase()) !== undefined, `${name} in the request`, said);
  if (text !== '')
    bench.judge(
      'TRN-11',
      /^application\/json\b/i.test(headerText(headers, 'content-type') ?? ''),
      'Content-Type: application/json',
      said,
    );
  if (!bench.judge('TRN-15', isListed(path), 'a path below one of the URLs that the kit lists', said)) return;
  const isFunctional = isFunctionalPath(path);
  const routing = readRouting(headers);
  const names = Object.keys(headers).filter((name) => name.toLowerCase().startsWith('ocpi-'));
  if (!isFunctional) {
    bench.judge('HUB-02', names.length === 0, 'no routing headers in requests of configuration modules', said);
    return;
  }
  if (names.length > 0 || bench.ours.length > 1 || (bench.theirs?.roles.length ?? 0) > 1) {
    bench.judge(
      'HUB-01',
      routing.ok && routing.routing.from !== undefined && routing.routing.to !== undefined,
      'all four routing headers in the request',
      said,
    );
    if (routing.ok && routing.routing.from && !bench.isHub)
      bench.judge('HUB-04', bench.isTheirs(routing.routing.from), 'FROM one of the parties of the platform', said);
  }
  judgePush(bench, incoming, said);
}

/** What is pushed whole names itself as its URL does. */
function judgeNames(bench: Bench, { id, ...owner }: Party & { readonly id: string }, body: unknown, said: string): void {
  const { id: own, uid, country_code, party_id } = (body ?? {}) as Record<string, unknown>;
  const named = uid ?? own;
  if (typeof country_code === 'string' && typeof party_id === 'string')
    bench.judge('TRN-70', sameParty({ country_code, party_id }, owner), `the owner of the object, ${country_code}*${party_id}, in its URL`, said);
  if (typeof named === 'string') bench.judge('TRN-71', sameId(named, id), `the id of the object, ${named}, in its URL`, said);
}

/** Sessions and CDRs go to the owner of their token alone; a part of them that cannot be read was judged as such. */
function judgeToken(bench: Bench, { cdr_token: token }: Partial<Session>, said: string): void {
  if (bench.isHub || !CdrToken.safeParse(token).success) return;
  bench.judge('TRN-07', sameParty(token!, bench.party), `nothing of other eMSPs: this is of a token of ${partyText(token!)}`, said);
}

type Pushed = readonly [whole: z.ZodType, part: z.ZodType | undefined];
const levels: Readonly<Record<string, readonly Pushed[]>> = {
  locations: [[Location, LocationPatch], [Evse, EvsePatch], [Connector, ConnectorPatch]],
  sessions: [[Session, SessionPatch]],
  tariffs: [[Tariff, undefined]],
  tokens: [[Token, TokenPatch]],
};

/** Undefined where a segment is not percent-encoded as it should be. */
function segmentsOf(path: string): string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function judgePush(bench: Bench, { method, path, body }: Incoming, said: string): void {
  const segments = segmentsOf(path);
  if (!segments) return void bench.judge('TRN-16', false, 'each segment of a path percent-encoded', said);
  const [, side = '', module = '', country_code = '', party_id = '', ...ids] = segments;
  // Of a profile, it was judged where it was asked for.
  if (side === 'results')
    return void (
      ChargingProfileResult.safeParse(unwrapped(body)).success ||
      judgeObject(bench, 'commands', CommandResult, unwrapped(body), said)
    );
  if (side !== 'receiver' || method === 'GET') return;
  if (module === 'cdrs') {
    bench.judge('TRN-10', method === 'POST', 'CDRs by POST alone', said);
    const cdr = method === 'POST' ? judgeObject(bench, 'cdrs', Cdr, body, said) : undefined;
    if (cdr) judgeToken(bench, cdr, said);
    if (cdr && !cdr.credit) judgeSums(bench, cdr, said);
    return;
  }
  if (bench.isHub) return; // Others' objects, which it does not answer for.
  const level = levels[module]?.[Math.max(0, ids.length - 1)];
  if (!level) return;
  bench.judge('TRN-70', bench.isTheirs({ country_code, party_id }), 'the owner of the object in the URL: a party of the platform', said);
  const [whole, part] = level;
  if (method === 'PUT') {
    judgeNames(bench, { country_code, party_id, id: ids.at(-1) ?? '' }, body, said);
    judgeObject(bench, module as ModuleId, whole, body, said);
    if (module === 'sessions') judgeToken(bench, (body ?? {}) as Partial<Session>, said);
  } else if (method === 'PATCH') {
    if (!bench.judge('TRN-10', part !== undefined, `no PATCH of ${module}`, said)) return;
    const at = (body as { last_updated?: string } | undefined)?.last_updated;
    if (bench.judge('TRN-62', at !== undefined && instantMs(at) !== undefined, 'last_updated in a PATCH', said))
      judgeObject(bench, module as ModuleId, part!, body, said);
  } else {
    bench.judge('TRN-10', module === 'tariffs' && method === 'DELETE', `no ${method} of ${module}`, said);
  }
}
