import {
  answers, Cdr, Connector, ConnectorPatch, Evse, EvsePatch, findEvse, Location, LocationPatch, patchConnector, patchEvse, patchLocation,
  patchSession, patchToken, putConnector, putEvse, read, sameId, Session, SessionPatch, Tariff, Token, TokenPatch,
} from '#ocpi';
import type { z } from 'zod';
import type { Asked, Peer, Said } from './peer.ts';
import { retold } from './peer-liberties.ts';

const levels: Readonly<Record<string, readonly (readonly [z.ZodType, z.ZodType | undefined])[]>> = {
  locations: [[Location, LocationPatch], [Evse, EvsePatch], [Connector, ConnectorPatch]],
  sessions: [[Session, SessionPatch]],
  tariffs: [[Tariff, undefined]],
  tokens: [[Token, TokenPatch]],
};

const deletable: Readonly<Record<string, boolean>> = { tariffs: true };

/** The Receiver interfaces of the platform. */
export function received(peer: Peer, asked: Asked, module: string): Said {
  if (module === 'cdrs') return receivedCdr(peer, asked);
  const level = levels[module]?.[asked.path.length - 3];
  if (!level) return { answer: answers.notFound };
  const [country_code = '', party_id = '', id = ''] = asked.path;
  const isOffered = asked.method === 'DELETE' ? deletable[module] || peer.has('everything may be deleted')
    : asked.method === 'PATCH' ? module !== 'tariffs' || peer.has('a Tariff may be PATCHed') : ['GET', 'PUT'].includes(asked.method);
  if (!isOffered) return { answer: answers.methodNotAllowed };
  if (!peer.isClients({ country_code, party_id })) return { answer: answers.notFound };
  const cased = (text: string) => (peer.has('ids are compared with their case') ? text : text.toLowerCase());
  const type = module === 'tokens' && !peer.has('the type of a Token is ignored') ? asked.query.get('type') ?? 'RFID' : '';
  const owner = `${country_code}*${party_id}`;
  const key = `${module} ${peer.has('parties are compared with their case') ? owner : owner.toUpperCase()} ${cased(id)} ${type}`;
  const held = peer.received.get(key);
  if (asked.method === 'DELETE') return deleted(peer, key, module);
  if (asked.method === 'GET') return got(peer, held, asked.path);
  return taken(peer, asked, { module, key, held, schemas: level });
}

function deleted(peer: Peer, key: string, module: string): Said {
  if (module === 'tariffs' && !peer.has('a deleted Tariff is still there')) peer.received.delete(key);
  return {};
}

function got(peer: Peer, held: object | undefined, [, , , evseUid, connectorId]: readonly string[]): Said {
  const isWhole = connectorId === undefined && peer.has('an EVSE that was pushed is answered as its Location');
  const evse = held && evseUid !== undefined && !isWhole ? findEvse(held as Location, evseUid) : held;
  const found = connectorId === undefined ? evse : (evse as Evse | undefined)?.connectors.find(({ id }) => sameId(id, connectorId));
  if (!found) return { answer: answers.notFound };
  if (peer.has('what was pushed is answered without data')) return {};
  if (peer.isLiberal) return { data: retold(found) };
  const { evses } = found as Partial<Location>;
  return { data: evses && peer.has('an EVSE of what was pushed is null') ? { ...found, evses: [null, ...evses] } : found };
}

interface Taking {
  readonly module: string;
  readonly key: string;
  readonly held: object | undefined;
  readonly schemas: readonly [z.ZodType, z.ZodType | undefined];
}

function taken(peer: Peer, { method, path, body }: Asked, { module, key, held, schemas: [whole, part] }: Taking): Said {
  const isPatch = method === 'PATCH';
  if (isPatch && part === undefined) return {};
  const isChild = path.length > 3;
  if ((isPatch || isChild) && !held) {
    if (!isChild || isPatch || !peer.has('a child makes its parent')) return { answer: peer.isLiberal ? answers.unknownLocation : answers.notFound };
    return { answer: answers.created };
  }
  const given = isPatch && peer.has('PATCH needs no last_updated') ? { last_updated: '2022-02-01T00:00:00Z', ...body as object } : body;
  if (JSON.stringify(given).includes('later_version') && peer.has('an unknown field is refused')) return { answer: answers.invalid };
  const loosely = peer.has('"#NA" is taken everywhere') ? JSON.parse(JSON.stringify(given).replaceAll('#NA', 'NA')) as unknown : given;
  const reading = read(isPatch ? part! : whole, loosely);
  if (!reading.ok || (peer.has('"#NA" is refused') && JSON.stringify(given).includes('#NA'))) return { answer: answers.invalid };
  const object = reading.value as { id?: string; uid?: string };
  const named = object.uid ?? object.id;
  if (named !== undefined && !sameId(named, path.at(-1)!) && !peer.has('the id in the body is not looked at'))
    return { answer: answers.invalid };
  const next = isPatch ? patched(peer, module, held!, object as never, path) : put(peer, module, held, object, path);
  if (next === undefined) return { answer: answers.notFound };
  if (next === 'final') return { answer: answers.invalid };
  if (named === undefined || sameId(named, path.at(-1)!)) peer.received.set(key, next);
  return { answer: held ? answers.ok : answers.created };
}

function put(
  peer: Peer,
  module: string,
  held: object | undefined,
  object: object,
  [, , , evseUid, connectorId]: readonly string[],
): object | undefined {
  if (module === 'locations' && connectorId !== undefined) {
    const location = held as Location;
    if (!peer.has('a PUT of a Connector leaves its parents as old as they were')) return putConnector(location, evseUid!, object as Connector);
    const last_updated = findEvse(location, evseUid!)?.last_updated ?? '';
    const made = putConnector(location, evseUid!, object as Connector);
    return made && { ...putEvse(made, { ...findEvse(made, evseUid!)!, last_updated }), last_updated: location.last_updated };
  }
  if (module === 'locations' && evseUid !== undefined) {
    const made = putEvse(held as Location, object as Evse);
    return peer.has('a PUT of an EVSE drops the others') ? { ...made, evses: [object as Evse] } : made;
  }
  if (module === 'sessions' && held && peer.has('PUT merges charging periods'))
    return patchSession(held as Session, object as Session);
  if (module !== 'sessions' && peer.has('PUT merges')) return { ...held, ...object };
  if (module === 'locations' && held && peer.has('PUT keeps the EVSEs that it omits')) {
    const { evses = [], ...rest } = object as Location;
    const omitted = (held as Location).evses!.filter(({ uid }) => !evses.some((one) => sameId(one.uid, uid)));
    return { ...rest, evses: [...evses, ...omitted] };
  }
  return object;
}

function patched(
  peer: Peer,
  module: string,
  held: object,
  patch: { last_updated: string },
  [, , , evseUid, connectorId]: readonly string[],
): object | 'final' | undefined {
  if (module === 'sessions') {
    if ((held as Session).status === 'COMPLETED' && !peer.has('a COMPLETED Session changes')) return 'final';
    const periods = (patch as SessionPatch).charging_periods;
    if (peer.has('PATCH replaces charging periods') && periods?.length) return { ...held, ...patch };
    return patchSession(held as Session, patch);
  }
  if (module === 'tokens')
    return peer.has('PATCH replaces') ? { ...patch, uid: (held as Token).uid } : patchToken(held as Token, patch);
  const location = held as Location;
  const made =
    connectorId !== undefined
      ? patchConnector(location, evseUid!, connectorId, patch)
      : evseUid !== undefined
        ? patchEvse(location, evseUid, patch)
        : patchLocation(location, patch);
  if (made && evseUid !== undefined && peer.has('a PATCH of an EVSE leaves its Location as old as it was'))
    return { ...made, last_updated: location.last_updated };
  return made;
}

function receivedCdr(peer: Peer, { method, path, body }: Asked): Said {
  const byUrl = path.length === 1 ? peer.received.get(`cdr ${path[0]}`) : undefined;
  if (path.length === 1 && method === 'PUT' && peer.has('a CDR may be PUT')) return {};
  if (path.length === 1 && method === 'GET') return byUrl ? { data: peer.isLiberal ? retold(byUrl) : byUrl } : { answer: answers.notFound };
  if (path.length > 0 || method !== 'POST') return { answer: answers.methodNotAllowed };
  const given = body as Cdr;
  const isLoose = (peer.has('an id of 37 characters is taken for a CDR') && given.id.length > 36 && !given.credit) ||
    (peer.has('a Credit CDR needs no reference') && given.credit === true && given.credit_reference_id === undefined);
  if (!isLoose && !read(Cdr, body).ok) return { answer: answers.invalid };
  if (!peer.isClients(given)) return { answer: answers.invalid };
  const key = `cdr ${given.id}`;
  const held = peer.received.get(key);
  if (held && peer.has('a CDR is refused the second time') && JSON.stringify(held) === JSON.stringify(given))
    return { answer: answers.refused };
  if (held && JSON.stringify(held) !== JSON.stringify(given) && !peer.has('a CDR is changed by a second POST'))
    return { answer: answers.invalid };
  peer.received.set(key, given);
  const host = peer.has('the Location of a CDR is relative') ? '' : peer.has('the Location of a CDR is at another host') ? peer.url.replace('127.0.0.1', 'localhost') : peer.url;
  const address = `${host}/receiver/cdrs/${encodeURIComponent(given.id)}`;
  return { answer: held ? answers.ok : answers.created, headers: peer.has('a CDR has no Location header') ? {} : { Location: address } };
}
