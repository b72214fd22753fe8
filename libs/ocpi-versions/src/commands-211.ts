import type { CommandResponse, CommandResult, Credentials, ReserveNow, Role, StartSession } from '#ocpi';
import type { Context } from './context.ts';
import { Fields, filled, type Json, NotCarried, Notes } from './converted.ts';
import { tokenDown, tokenUp } from './tokens-211.ts';

/** How long a sender may assume that a command takes when nobody says so. */
const TIMEOUT_S = 30;

export function startSessionDown(command: StartSession, notes: Notes): Json {
  const from = new Fields(command, notes);
  const token = from.take('token')!;
  const value = { ...from.same('response_url'), token: tokenDown(token, notes.at('token')), ...from.same('location_id', 'evse_uid') };
  from.restIsLost();
  return value;
}

export function reserveNowDown(command: ReserveNow, notes: Notes): Json {
  const from = new Fields(command, notes);
  const token = from.take('token')!;
  const value = {
    ...from.same('response_url'),
    token: tokenDown(token, notes.at('token')),
    ...from.same('expiry_date'),
    reservation_id: reservationDown(from.take('reservation_id')!, notes),
    ...from.same('location_id', 'evse_uid'),
  };
  from.restIsLost();
  return value;
}

/** An int: a reservation that is sent again has to have the same, and no command of 2.1.1 names one afterwards. */
function reservationDown(id: string, notes: Notes): number {
  if (/^(0|[1-9]\d{0,8})$/.test(id)) return Number(id);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(id.toLowerCase())) hash = Math.imul(hash ^ byte, 0x01000193);
  const number = hash & 0x7fffffff;
  notes.say('reservation_id', 'is a number in OCPI 2.1.1; one that is made of it stands for it');
  return number;
}

export function cancelReservationDown(): Json {
  throw new NotCarried('cannot-be-said', 'OCPI 2.1.1 has no CANCEL_RESERVATION');
}

/** START_SESSION and RESERVE_NOW: the token is one of the partner's own. */
export function withTokenUp(command: Json, { owner }: Context, notes: Notes): Json {
  const { token, reservation_id: reservation, ...others } = command;
  return filled({
    ...others,
    token: tokenUp(token as Json, owner, notes.at('token'), true),
    reservation_id: reservation === undefined ? undefined : String(reservation),
  });
}

export function responseDown(response: CommandResponse, notes: Notes): Json {
  const from = new Fields(response, notes);
  const value = from.same('result');
  from.restIsLost();
  return value;
}

export function responseUp({ result, ...others }: Json, notes: Notes): Json {
  if (result === 'TIMEOUT') notes.say('result', 'OCPI 2.2.1 has no TIMEOUT at once; REJECTED is taken');
  return { ...others, result: result === 'TIMEOUT' ? 'REJECTED' : result, timeout: TIMEOUT_S };
}

const resultsOf211 = ['ACCEPTED', 'NOT_SUPPORTED', 'REJECTED', 'TIMEOUT'];

export function resultDown(answer: CommandResult, notes: Notes): Json {
  const from = new Fields(answer, notes);
  const result = from.take('result')!;
  if (!resultsOf211.includes(result)) notes.say('result', `OCPI 2.1.1 has no ${result}; REJECTED is sent`);
  from.restIsLost();
  return { result: resultsOf211.includes(result) ? result : 'REJECTED' };
}

export function resultUp({ result, ...others }: Json, notes: Notes): Json {
  if (result === 'UNKNOWN_SESSION') notes.say('result', 'OCPI 2.2.1 has no UNKNOWN_SESSION as a result; FAILED is taken');
  return { ...others, result: result === 'UNKNOWN_SESSION' ? 'FAILED' : result };
}

/** One party: the first. */
export function credentialsDown(credentials: Credentials, notes: Notes): Json {
  const from = new Fields(credentials, notes);
  const [first, ...others] = from.take('roles')!;
  const { country_code, party_id, business_details } = first!;
  const left = others.filter((role) => role.party_id !== party_id || role.country_code !== country_code);
  for (const role of left) notes.say('roles', `OCPI 2.1.1 has one party a platform; ${role.country_code}*${role.party_id} is not named`);
  const value = { ...from.same('token', 'url'), business_details, party_id, country_code };
  from.restIsLost();
  return value;
}

export function credentialsUp(credentials: Json, roles: readonly Role[]): Json {
  const { business_details, party_id, country_code, ...others } = credentials;
  return { ...others, roles: roles.map((role) => ({ role, business_details, party_id, country_code })) };
}
