import {
  type CallOptions, type Cdr, instantMs, joinUrl, type Outcome, type Party, type Refused, sameId, type Session, type Token,
} from '#ocpi';
import type { PartnerClient } from '../partners/calls.ts';
import type { Step } from './difference.ts';
import { lately } from './lately.ts';
import { type Partner, spokesman } from '../partners/partner.ts';
import type { Pushed, PushedKey } from './pushed-rows.ts';
import { steererIn } from './steered.ts';

/** The object as it is, or as it was when it is gone: it names the party whose it is. */
export function objectOf({ current, acknowledged }: Pick<Pushed, 'current' | 'acknowledged'>): Owned {
  return ownedIn(current ?? acknowledged ?? '{}');
}

type Owned = Party & Pick<Partial<Session>, 'cdr_token' | 'id'> & Pick<Partial<Token>, 'uid' | 'type'>;

const ownedIn: (text: string) => Owned = lately((text) => {
  const { country_code, party_id, cdr_token, id, uid, type } = JSON.parse(text) as Owned;
  return { country_code, party_id, ...(cdr_token ? { cdr_token } : {}), ...(id ? { id } : {}), ...(uid && type ? { uid, type } : {}) };
});

export interface Named {
  readonly party: Party;
  readonly id: string;
}

/**
 * A hub's key begins with whose the object is, and what others wrote is behind that, in capitals; of a ClientInfo
 * it ends so. An id goes on as the object itself has it: not every receiver compares as TRN-72 has it.
 */
export function namedByHub({ module, objectKey }: PushedKey, object: Owned): Named {
  const form = module === 'hubclientinfo' ? /^[A-Z]+ ([A-Z]{2})\*([A-Z0-9]{1,3})$/ : /^([A-Z]{2})\*([A-Z0-9]{1,3}) (.+)$/;
  const [, country_code = '', party_id = '', id = ''] = form.exec(objectKey) ?? [];
  const written = (module === 'tokens' ? object.uid && `${object.type} ${object.uid}` : object.id) ?? id;
  return { party: { country_code, party_id }, id: sameId(written, id) ? written : id };
}

export function objectUrl(
  endpoint: string, module: PushedKey['module'], { party: { country_code, party_id }, id }: Named,
): (path: readonly string[]) => string {
  if (module === 'chargingprofiles') return () => joinUrl(endpoint, id);
  if (module === 'hubclientinfo') return () => joinUrl(endpoint, country_code, party_id);
  if (module !== 'tokens') return (path) => joinUrl(endpoint, country_code, party_id, id, ...path);
  const [type = '', ...uid] = id.split(' ');
  return () => `${joinUrl(endpoint, country_code, party_id, uid.join(' '))}?type=${type}`;
}

interface Addressed {
  readonly key: PushedKey;
  readonly object: Pick<Partial<Session>, 'cdr_token'>;
  /** Whether a party of the partner may have it. */
  readonly sees: (party: Party) => boolean;
}

export function addressee(partner: Partner, { key: { module, objectKey }, object: { cdr_token }, sees }: Addressed): Party | undefined {
  if (module === 'sessions' && cdr_token) return steererIn(objectKey) ?? cdr_token;
  return spokesman(partner, module === 'tokens' ? ['CPO'] : ['EMSP', 'NSP', 'OTHER'], sees);
}

/** OCPI's own no, from a partner that understood: trying again is of no use. */
export function isVerdict({ http, statusCode }: Refused): boolean {
  return http < 300 && statusCode !== undefined && statusCode >= 2000 && statusCode < 3000;
}

export function isHubs({ statusCode }: Refused): boolean {
  return statusCode !== undefined && statusCode >= 4000;
}

/** Whether the answer is about the object, and not about us or the whole of the partner's platform. */
export function isAboutOne({ http }: Refused): boolean {
  return http < 500 && ![401, 403, 408, 429].includes(http);
}

export interface Target {
  /** Of who sends: see `Hold`. */
  readonly isHeld: () => boolean;
  /** HUB-02: none on configuration modules. */
  readonly options: CallOptions;
  readonly url: (path: readonly string[]) => string;
  readonly client: PartnerClient;
}

/** What a hub says when it passed something on, and does not know what came of it. */
const HUB_KNOWS_NOT: readonly number[] = [4000, 4002];

/** Who fails in the midst may have kept it before. */
export function mayBeTaken(outcome: Outcome): boolean {
  if (outcome.kind !== 'refused') return outcome.kind === 'unclear';
  const { http, statusCode = 0 } = outcome;
  return http >= 500 || (http < 300 && ((statusCode >= 3000 && statusCode < 4000) || HUB_KNOWS_NOT.includes(statusCode)));
}

/** How an object went; `mayBeThere`: all or a part of it was taken, or may have been. */
export type Sent = Outcome & { readonly mayBeThere?: boolean };

/** One step after the other, until one is not done; at least one. Undefined: somebody else may be sending by now, and nothing was taken. */
export async function sendAll({ url, client, options: given, isHeld }: Target, steps: readonly Step[], mayBeThere = false): Promise<Sent | undefined> {
  const options = { ...given, isWanted: isHeld };
  const lost = (): Sent | undefined => (mayBeThere ? { kind: 'unclear', message: 'another may be sending by now' } : undefined);
  let outcome: Outcome | undefined;
  for (const { method, path, body } of steps) {
    if (!isHeld()) return lost();
    outcome = method === 'DELETE' ? gone(await client.delete(url(path), options))
      : method === 'PUT' ? await client.put(url(path), body, options)
      : await client.patch(url(path), body, options);
    if (outcome.kind === 'unreachable' && !isHeld()) return lost();
    if (outcome.kind !== 'ok') return { ...outcome, mayBeThere: mayBeThere || mayBeTaken(outcome) };
    mayBeThere = true;
  }
  return outcome;
}

/** A partner's clock is believed as long as it is less than a day off ours. */
const OFF_MS = 86_400_000;

/**
 * When the partner had it: settlement goes by the clock of whoever receives, and a repeat is answered
 * with the time of the first (docs/adr/0008). Without a time that can be believed, it is now.
 */
export function acknowledgedMs(timestamp: string, cdr: Cdr, now: number): number {
  const told = instantMs(timestamp);
  if (told === undefined || told > now + OFF_MS) return now;
  return told < (instantMs(cdr.last_updated) ?? now) - OFF_MS ? now : told;
}

/** What is not there is deleted. */
function gone(outcome: Outcome): Outcome {
  if (outcome.kind !== 'refused' || outcome.http !== 404) return outcome;
  return { kind: 'ok', http: 404, statusCode: 1000, data: undefined, headers: {}, timestamp: '' };
}
