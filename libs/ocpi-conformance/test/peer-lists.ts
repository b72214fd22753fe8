import { answers, findEvse, instantMs, type Location, type LocationReferences, pageHeaders, readPage, sameId, type Token } from '#ocpi';
import type { Asked, Peer, Said } from './peer.ts';
import { withCursor } from './peer-liberties.ts';
import type { Owned } from './peer-objects.ts';
import { preferred } from './peer-profiles.ts';

const MAX = 50;

/** The Sender interfaces of the platform. */
export function listed(peer: Peer, asked: Asked, module: string): Said {
  const { method, path } = asked;
  if (module === 'sessions' && path.length === 2 && path[1] === 'charging_preferences') return preferred(peer, asked);
  if (module === 'tokens' && path.length === 2 && path[1] === 'authorize')
    return method === 'POST' ? authorized(peer, asked) : { answer: answers.methodNotAllowed };
  if (!['locations', 'sessions', 'cdrs', 'tariffs', 'tokens'].includes(module)) return { answer: answers.notFound };
  if (method !== 'GET') return { answer: answers.methodNotAllowed };
  if (path.length > 0) return module === 'locations' ? oneLocation(peer, path) : { answer: answers.notFound };
  return pageOf(peer, asked, module as keyof Owned);
}

function oneLocation(peer: Peer, [id = '', evseUid, connectorId]: readonly string[]): Said {
  const same = peer.has('ids are compared with their case') ? (a: string, b: string) => a === b : sameId;
  const location = (peer.owned().locations as Location[]).find((one) => same(one.id, id));
  const evse = location && evseUid !== undefined ? findEvse(location, evseUid) : location;
  const found =
    connectorId === undefined
      ? evse
      : (evse as { connectors?: { id: string }[] } | undefined)?.connectors?.find((one) => one.id === connectorId);
  if (!found) return { answer: answers.notFound };
  return { data: peer.has('one object is a list of one') ? [found] : found };
}

function pageOf(peer: Peer, { query, url }: Asked, module: keyof Owned): Said {
  const given = Object.fromEntries(query);
  const isDated = module === 'sessions' && !peer.has('Sessions are listed without date_from');
  const reading = readPage(given, { maxLimit: MAX, dateFromRequired: isDated });
  if (Number(query.get('limit')) > MAX && peer.has('a limit above the maximum is refused')) return { answer: answers.invalid };
  if (!reading.ok && !(peer.has('nonsense in a query is ignored') && !reading.message.includes('missing')))
    return { answer: peer.isLiberal ? { http: 400, status: 2001 } : answers.invalid };
  const page = reading.ok ? reading.page : { offset: 0, limit: MAX };
  const isIn = ({ last_updated }: { last_updated: string }) => {
    if (peer.has('filters are ignored')) return true;
    const atMs = instantMs(last_updated)!;
    const fromMs = 'dateFrom' in page && page.dateFrom !== undefined ? instantMs(page.dateFrom)! : -Infinity;
    if (atMs < fromMs || (atMs === fromMs && peer.has('date_from is exclusive'))) return false;
    if (!('dateTo' in page) || page.dateTo === undefined) return true;
    const endMs = instantMs(page.dateTo)!;
    return atMs < endMs || (peer.has('date_to is inclusive') && atMs === endMs);
  };
  const reads = (peer.reads.get(module) ?? 0) + 1;
  peer.reads.set(module, reads);
  const there = (peer.owned()[module] as { last_updated: string }[]).slice(0, peer.isLiberal && module === 'sessions' ? reads : undefined);
  const matching: ({ last_updated: string } | null)[] = there.filter(isIn);
  if (peer.has('a list holds null') && module === 'locations' && !query.has('date_to')) matching.push(null);
  if (page.offset > matching.length && peer.has('a page behind the end is HTTP 404')) return { answer: answers.notFound };
  const start = peer.has('pages overlap') ? Math.max(0, page.offset - 1) : page.offset;
  const objects = matching.slice(start, start + page.limit);
  const all = (peer.owned()[module] as unknown[]).length;
  const headers = pageHeaders(url, page, matching.length, MAX);
  if (peer.has('X-Total-Count ignores the filters')) headers['X-Total-Count'] = String(all);
  if (peer.has('a Link drops the filters') && headers['Link']) headers['Link'] = headers['Link'].replace(/date_from=[^&]*&/, '');
  if (peer.has('a Link is relative') && headers['Link']) headers['Link'] = headers['Link'].replace(peer.url, '');
  if (peer.has('a Link leads to another host') && headers['Link']) headers['Link'] = headers['Link'].replace('127.0.0.1', 'localhost');
  if (peer.isLiberal && headers['Link']) headers['Link'] = withCursor(headers['Link']);
  if (peer.has('the last page has a Link'))
    headers['Link'] ??= `<${url}?date_from=1970-01-01T00:00:00Z&offset=${matching.length}&limit=1>; rel="next"`;
  if (peer.has('X-Limit is the number of objects')) headers['X-Limit'] = String(objects.length);
  if (peer.has('X-Total-Count is the number of objects')) headers['X-Total-Count'] = String(objects.length);
  if (peer.has('a page is countless') && module === 'tariffs')
    return { bare: `{"data":[{}${',{}'.repeat(2_100_000)}],"status_code":1000,"timestamp":"2022-02-01T17:00:00Z"}` };
  return { data: objects.length === 0 && peer.has('an empty list is null') ? null : objects, headers };
}

function authorized(peer: Peer, { path, query, body }: Asked): Said {
  const uid = path[0]!;
  const type = query.get('type') ?? 'RFID';
  const same = peer.has('authorize compares the uid with its case') ? (a: string, b: string) => a === b : sameId;
  const token = (peer.owned().tokens as Token[]).find(
    (one) => same(one.uid, uid) && (one.type === type || peer.has('the type of a Token is ignored')),
  );
  if (!token) return { answer: peer.has('an unknown Token is HTTP 200') ? { http: 200, status: 2004 } : answers.unknownToken };
  const location = body as LocationReferences | undefined;
  if (location !== undefined && typeof location.location_id !== 'string') return { answer: answers.invalid };
  if (location === undefined && peer.has('authorize needs a body')) return { answer: answers.invalid };
  if (!token.valid && peer.has('a BLOCKED Token is HTTP 403')) return { answer: { http: 403, status: 2000 } };
  if (location !== undefined && peer.has('authorize of an unknown place is 2003')) return { answer: answers.unknownLocation };
  const place = location ?? (peer.has('authorize says a place that nobody asked about') ? { location_id: 'Site-0' } : undefined);
  const said = peer.has('authorize answers another Token') ? { ...token, uid: 'ANOTHER' }
    : peer.has('authorize answers the Token of another party') ? { ...token, party_id: 'ZZZ' } : token;
  const isMore = place && peer.has('authorize allows an EVSE that nobody asked about');
  const allowedAt = isMore ? { ...place, evse_uids: ['ANOTHER'] } : place;
  return { data: { allowed: token.valid ? 'ALLOWED' : 'BLOCKED', token: said, ...(allowedAt ? { location: allowedAt } : {}) } };
}
