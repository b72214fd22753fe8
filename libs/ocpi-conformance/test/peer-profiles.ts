import {
  ActiveProfileQuery, answers, ChargingPreferences, envelope, exampleSession, findEndpoint, joinUrl, read,
  ResponseUrlQuery, SetChargingProfile,
} from '#ocpi';
import type { Asked, Peer, Said } from './peer.ts';

const active = {
  start_date_time: '2022-02-01T17:00:00Z',
  charging_profile: { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] },
};

/** Of the one Session that is a charge, by its Token's owner. */
export function profiled(peer: Peer, { method, path, query, body }: Asked): Said {
  if (path.length !== 1) return { answer: answers.notFound };
  if (!['GET', 'PUT', 'DELETE'].includes(method)) return { answer: answers.methodNotAllowed };
  if (peer.isLiberal) return { data: { result: 'NOT_SUPPORTED', timeout: 0 } };
  const given = method === 'PUT' ? forgiving(peer, body as object) : Object.fromEntries(query);
  const isFree = peer.has('a charging profile needs no response_url') && (given as { response_url?: unknown }).response_url === undefined;
  const reading = read(
    method === 'PUT' ? SetChargingProfile : method === 'GET' ? ActiveProfileQuery : ResponseUrlQuery,
    isFree ? { ...given, response_url: peer.url } : given,
  );
  if (!reading.ok) return { answer: answers.invalid };
  const isKnown = path[0] === 'S-CHARGE';
  const result = isKnown || peer.has('a charging profile of an unknown Session is ACCEPTED') ? 'ACCEPTED' : 'UNKNOWN_SESSION';
  const data = { result, ...(peer.has('a ChargingProfileResponse has no timeout') ? {} : { timeout: 3 }) };
  const { response_url: url } = reading.value as { response_url: string };
  const isDue = isKnown
    ? !peer.has('the result of a charging profile never comes')
    : peer.has('the result of a charging profile comes though nothing was accepted');
  return { data, ...(isDue && !isFree ? { afterwards: () => void say(peer, method, url, isKnown).catch(() => {}) } : {}) };
}

function forgiving(peer: Peer, body: object): object {
  const text = JSON.stringify(body);
  return peer.has('a limit may have two decimals') ? JSON.parse(text.replace('10.25', '10')) as object : body;
}

async function say(peer: Peer, method: string, url: string, isKnown: boolean): Promise<void> {
  const bare = {
    result: 'ACCEPTED',
    ...(method === 'GET' && !peer.has('an active profile is left out of its result') ? { profile: active } : {}),
  };
  await peer
    .calls()
    .send(
      'POST',
      url,
      peer.has('the result of a charging profile is wrapped')
        ? envelope(bare, 1000, undefined, '2022-02-01T17:00:00Z')
        : bare,
    );
  if (method === 'PUT' && isKnown && !peer.has('nobody is told of an active profile')) await tellActive(peer);
}

export async function tellActive(peer: Peer): Promise<void> {
  const endpoint = findEndpoint(peer.partner!.details, 'chargingprofiles', 'SENDER')!;
  const body = peer.has('an active profile is told within a result') ? { result: 'ACCEPTED', profile: active } : active;
  await peer.calls().send('PUT', joinUrl(endpoint, 'S-CHARGE'), body);
}

/** PUT of charging_preferences. */
export function preferred(peer: Peer, { method, path, body }: Asked): Said {
  if (method !== 'PUT') return { answer: answers.methodNotAllowed };
  if (path[0] !== 'S-CHARGE' && !peer.has('preferences of an unknown Session are ACCEPTED')) return { answer: answers.notFound };
  const odd = peer.has('any profile_type is taken') ? { ...body as object, profile_type: 'REGULAR' } : body;
  if (!read(ChargingPreferences, odd).ok) return { answer: answers.invalid };
  return { data: peer.has('preferences are answered by an object') ? { result: 'ACCEPTED' } : 'ACCEPTED' };
}

/** The reservation that a command led to. */
export async function pushReservation(peer: Peer, uid: string): Promise<void> {
  const { country_code, party_id } = peer.party;
  const cdr_token = { ...exampleSession.cdr_token, ...peer.clientParty(), uid };
  const status = peer.has('the Session of a reservation is PENDING') ? 'PENDING' : 'RESERVATION';
  const session = { ...exampleSession, id: 'S-RESERVED', status, evse_uid: '#NA', connector_id: '#NA', cdr_token };
  await peer
    .calls()
    .send(
      'PUT',
      joinUrl(findEndpoint(peer.partner!.details, 'sessions', 'RECEIVER')!, country_code, party_id, session.id),
      session,
    );
}
