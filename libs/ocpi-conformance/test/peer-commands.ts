import { answers, commandBodies, type CommandType, envelope, read, sameParty, type StartSession } from '#ocpi';
import { pushSession } from './peer-pushes.ts';
import type { Asked, Peer, Said } from './peer.ts';

/** The commands of the platform; a charge at Site-0 is started, and its result said. */
export async function commanded(peer: Peer, { method, path, body }: Asked): Promise<Said> {
  const schema = (commandBodies as Record<string, (typeof commandBodies)[CommandType] | undefined>)[path[0] ?? ''];
  if (!schema || path.length !== 1) return { answer: answers.notFound };
  if (method !== 'POST') return { answer: answers.methodNotAllowed };
  const reading = read(schema, body);
  if (!reading.ok) return { answer: answers.invalid };
  const command = reading.value as StartSession & { session_id?: string };
  const result = resultOf(peer, path[0]!, command);
  const data = { result, ...(peer.has('a command has no timeout') ? {} : { timeout: 1 }) };
  const isUnknown = command.location_id !== undefined && command.location_id !== 'Site-0' && result !== 'ACCEPTED' && !peer.has('a command at an unknown place is 1000');
  const say = async () => {
    await peer.calls().send('POST', command.response_url, wrapped(peer, { result: 'ACCEPTED' }));
    if (result === 'ACCEPTED' && command.token) await pushSession(peer, command);
  };
  const isEarly = peer.has('a result comes before its response') && result === 'ACCEPTED';
  if (isEarly) await say().catch(() => {});
  const isDue = result === 'ACCEPTED' ? !isEarly && !peer.has('a result never comes') : peer.has('a result comes though nothing was accepted');
  return {
    answer: isUnknown ? answers.unknownLocation : answers.ok, data,
    ...(peer.has('a CommandResponse has no envelope') ? { bare: JSON.stringify(data) } : {}),
    ...(isDue ? { afterwards: () => void say().catch(() => {}) } : {}),
  };
}

function resultOf(peer: Peer, name: string, { token, location_id, session_id }: StartSession & { session_id?: string }): string {
  if (session_id !== undefined) return session_id === 'S-CHARGE' ? 'ACCEPTED' : 'UNKNOWN_SESSION';
  if (name !== 'START_SESSION') return 'REJECTED';
  if (!sameParty(token, peer.clientParty()) && peer.has('a Token of another eMSP is accepted')) return 'ACCEPTED';
  if (peer.has('the Token of a command has to be known')) return 'REJECTED';
  return location_id === 'Site-0' && sameParty(token, peer.clientParty()) ? 'ACCEPTED' : 'REJECTED';
}

function wrapped(peer: Peer, result: object): object {
  return peer.has('a result is wrapped') ? envelope(result, 1000, undefined, '2022-02-01T17:00:00Z') : result;
}
