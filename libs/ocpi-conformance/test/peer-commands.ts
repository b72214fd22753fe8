import { answers, commandBodies, type CommandType, envelope, read, type ReserveNow, sameParty, type StartSession } from '#ocpi';
import { pushReservation, tellActive } from './peer-profiles.ts';
import { pushCdr, pushSession } from './peer-pushes.ts';
import type { Asked, Peer, Said } from './peer.ts';

/** The commands of the platform; a charge at Site-0 is started, and its result said. */
export async function commanded(peer: Peer, { method, path, body, ids: { requestId } }: Asked): Promise<Said> {
  const schema = (commandBodies as Record<string, (typeof commandBodies)[CommandType] | undefined>)[path[0] ?? ''];
  if (!schema || path.length !== 1) return { answer: answers.notFound };
  if (method !== 'POST') return { answer: answers.methodNotAllowed };
  if (peer.isLiberal && !['START_SESSION', 'STOP_SESSION'].includes(path[0]!)) return { data: { result: 'NOT_SUPPORTED', timeout: 0 } };
  const reading = read(schema, forgiving(peer, body as object));
  if (!reading.ok) return { answer: answers.invalid };
  const command = reading.value as Command;
  const result = resultOf(peer, path[0]!, command);
  const data = { result, ...(peer.has('a command has no timeout') ? {} : { timeout: peer.has('a command has a timeout of -30') ? -30 : 3 }) };
  const isUnknown =
    command.location_id !== undefined &&
    command.location_id !== 'Site-0' &&
    result !== 'ACCEPTED' &&
    !peer.has('a command at an unknown place is 1000');
  const say = async () => {
    const ids: Record<string, string> = peer.has('a result has the request id of its command') ? { 'X-Request-ID': requestId } : {};
    await peer.calls(ids).send('POST', command.response_url, wrapped(peer, { result: wordOf(peer, path[0]!, command) }));
    if (path[0] === 'STOP_SESSION' && result === 'ACCEPTED') await pushCdr(peer);
    if (result !== 'ACCEPTED' || !command.token) return;
    if (path[0] === 'RESERVE_NOW') return pushReservation(peer, command.token.uid);
    await pushSession(peer, command);
    if (peer.has('an active profile is told before a profile was set')) await tellActive(peer);
  };
  const isEarly = peer.has('a result comes before its response') && result === 'ACCEPTED';
  if (isEarly) await say().catch(() => {});
  const isDue =
    result === 'ACCEPTED'
      ? !isEarly && !peer.has('a result never comes')
      : peer.has('a result comes though nothing was accepted');
  return {
    answer: isUnknown ? answers.unknownLocation : answers.ok, data,
    ...(peer.has('a CommandResponse has no envelope') ? { bare: JSON.stringify(data) } : {}),
    ...(isDue ? { afterwards: () => void say().catch(() => {}) } : {}),
  };
}

type Command = StartSession & Pick<ReserveNow, 'reservation_id'> & { session_id?: string };

function forgiving(peer: Peer, body: object): object {
  if (peer.has('RESERVE_NOW needs no expiry_date') && 'token' in body && 'reservation_id' in body)
    return { expiry_date: '2030-01-01T00:00:00Z', ...body };
  if (peer.has('a command needs no response_url') && !('response_url' in body)) return { response_url: `${peer.url}/none`, ...body };
  if (peer.has('UNLOCK_CONNECTOR needs no connector_id') && 'evse_uid' in body) return { connector_id: '1', ...body };
  return peer.has('CANCEL_RESERVATION needs no reservation_id') && Object.keys(body).length === 1
    ? { reservation_id: 'R', session_id: '', ...body }
    : body;
}

/** How it ended; a reservation is one that was made. */
function wordOf(peer: Peer, name: string, { reservation_id: id }: Command): string {
  if (name !== 'CANCEL_RESERVATION') return 'ACCEPTED';
  return id.includes('NO-RES') && !peer.has('what was never reserved is cancelled') ? 'UNKNOWN_RESERVATION' : 'ACCEPTED';
}

function resultOf(peer: Peer, name: string, { token, location_id, session_id }: Command): string {
  if (name === 'CANCEL_RESERVATION') return 'ACCEPTED';
  if (session_id !== undefined) return session_id === 'S-CHARGE' ? 'ACCEPTED' : 'UNKNOWN_SESSION';
  if (name !== 'START_SESSION' && name !== 'RESERVE_NOW') return 'REJECTED';
  if (!sameParty(token, peer.clientParty()) && peer.has('a Token of another eMSP is accepted')) return 'ACCEPTED';
  if (peer.has('the Token of a command has to be known')) return 'REJECTED';
  return location_id === 'Site-0' && sameParty(token, peer.clientParty()) ? 'ACCEPTED' : 'REJECTED';
}

function wrapped(peer: Peer, result: object): object {
  return peer.has('a result is wrapped') ? envelope(result, 1000, undefined, '2022-02-01T17:00:00Z') : result;
}
