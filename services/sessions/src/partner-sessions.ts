import { isDeepStrictEqual } from 'node:util';
import { type Outbox, told } from '#bus';
import { busParty } from '#contracts/party';
import { partnerSessionChanged } from '#contracts/sessions';
import { fromJsonBytes, jsonText, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import {
  type AskedFor,
  isOutdated,
  type Party,
  patchSession,
  read,
  type Reading,
  sameId,
  sameParty,
  Session,
  SessionPatch,
} from '#ocpi';
import type { Marks } from '#erasure';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import type { Logs } from './logs.ts';
import { isDenied, type Order } from './order.ts';
import {
  findPartnerSession,
  type HeldSession,
  noteOrderOf,
  startsOrderedFor,
  stopsOrderedFor,
  storePartnerSession,
} from './partner-session-rows.ts';
import { partyKey } from './session-rows.ts';
import { isErasedSession, withoutToken } from './without-token.ts';

export type PartnerRefusal = 'unknown-session' | 'invalid-object' | 'session-is-final';
export type Change = 'created' | 'updated' | 'unchanged' | 'stale';

export interface Push extends AskedFor {
  readonly party: Party;
  readonly sessionId: string;
  readonly patch: boolean;
  readonly body: Uint8Array;
}

export interface PartnerSessionsParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logs: Logs;
  readonly marks: Marks;
}

const refuse = (code: PartnerRefusal, detail: string) => new Rejected<PartnerRefusal>(code, detail);

/** Our drivers' sessions at partners, as the partners tell them. SES-01 to SES-04. */
export class PartnerSessions {
  constructor(private readonly parts: PartnerSessionsParts) {}

  async put(push: Push): Promise<Change> {
    const { db, outbox } = this.parts;
    const { party, sessionId } = push;
    const { change, session, orderId } = await db.tx(async (tx) => {
      const held = await findPartnerSession(tx, party, sessionId, true);
      const pushed = withoutErased(pushedSession(push, held), this.parts.marks);
      const change = changeOf(pushed, held, push);
      if (change === 'unchanged' || change === 'stale')
        return { change, session: held!.session, orderId: held?.orderId };
      await storePartnerSession(tx, party, pushed.session, pushed.text);
      const fact = told(partnerSessionChanged, {
        party: busParty(party),
        sessionId: pushed.session.id,
        sessionJson: toJsonBytes(pushed.text),
      });
      await outbox.tell(tx, [{ ...fact, about: `${partyKey(party)}*${sessionId.toLowerCase()}` }]);
      return { change, session: pushed.session, orderId: held?.orderId };
    });
    // Also after a repeat: the first time may have ended before it came to this.
    if (orderId === undefined) await this.link(party, session);
    if (isOver(session)) await this.noteOver(party, session);
    return change;
  }

  /** Whatever was said of the orders to stop it: it is over. */
  private async noteOver(party: Party, { id }: Session): Promise<void> {
    const { clock, db, logs } = this.parts;
    for (const orderId of await stopsOrderedFor(db, party, id)) {
      await logs.orders.execute(orderId, `over ${orderId}`, {
        type: 'NoteSessionOver',
        at: clock.iso(),
      });
    }
  }

  private async link(party: Party, session: Session): Promise<void> {
    const { clock, db, logs } = this.parts;
    const order = await this.orderOf(party, session);
    if (!order) return;
    const { orderId } = order;
    await logs.orders.execute(orderId, `link ${orderId}`, {
      type: 'LinkSession',
      sessionId: session.id,
      at: clock.iso(),
    });
    await noteOrderOf(db, party, session.id, orderId);
  }

  /** By the reference that we sent; a partner that leaves it out may still mean our order. */
  private async orderOf(party: Party, session: Session): Promise<Order | undefined> {
    const { db } = this.parts;
    const { authorization_reference: reference } = session;
    const candidates =
      reference === undefined ? await startsOrderedFor(db, party, session) : [reference];
    for (const orderId of candidates) {
      const {
        state: { order },
      } = await this.parts.logs.orders.load(orderId);
      if (order && isFor(order, party, session)) return order;
    }
    return undefined;
  }
}

function isFor(order: Order, party: Party, session: Session): boolean {
  const linked = order.sessionId === undefined || sameId(order.sessionId, session.id);
  return (
    linked &&
    (order.command === 'START_SESSION' || order.command === 'RESERVE_NOW') &&
    sameParty(order.party, party) &&
    sameId(order.tokenUid, session.cdr_token.uid) &&
    order.state !== 'refused' &&
    (!isDenied(order) || session.authorization_reference !== undefined)
  );
}

export function isOver({ status }: Session): boolean {
  return status === 'COMPLETED' || status === 'INVALID';
}

interface Pushed {
  readonly session: Session;
  readonly text: string;
  readonly lastUpdated: string;
}

/** The Session that a push leaves. */
function pushedSession(
  { party, sessionId, patch, body }: Push,
  held: HeldSession | undefined,
): Pushed {
  const given = fromJsonBytes<unknown>(body);
  if (patch && !held)
    throw refuse('unknown-session', `session ${sessionId} is not known: PUT it first`);
  const made = patch ? patchSession(held!.session, valid(read(SessionPatch, given))) : given;
  const session = valid(read(Session, made));
  if (!sameId(session.id, sessionId))
    throw refuse('invalid-object', `id: ${session.id} is not the ${sessionId} of the URL`);
  if (!sameParty(session, party)) throw refuse('invalid-object', "party_id: is not the URL's");
  // The bytes as they came, unless a status had to be understood: nobody else has to know that RESERVED is RESERVATION. D2.
  const isAsItCame = !patch && (given as Session).status === session.status;
  const text = isAsItCame ? jsonText(body) : JSON.stringify(session);
  return { session, text, lastUpdated: (patch ? (given as Session) : session).last_updated };
}

/** Of a contract that was erased since the session began nothing is kept but that somebody charged. */
function withoutErased(pushed: Pushed, marks: Marks): Pushed {
  if (!isErasedSession(marks, pushed.session)) return pushed;
  const session = withoutToken(pushed.session);
  return { ...pushed, session, text: JSON.stringify(session) };
}

function valid<T>(reading: Reading<T>): T {
  if (!reading.ok) throw refuse('invalid-object', reading.message);
  return reading.value;
}

function changeOf(
  { session, lastUpdated }: Pushed,
  held: HeldSession | undefined,
  asked: AskedFor,
): Change {
  if (!held) return 'created';
  if (isDeepStrictEqual(session, held.session)) return 'unchanged';
  if (isOutdated(held.session, held.takenAt, { last_updated: lastUpdated }, asked)) return 'stale';
  if (held.session.status !== 'COMPLETED') return 'updated';
  // SES-01. The same once more under a newer time says nothing.
  if (isDeepStrictEqual({ ...session, last_updated: '' }, { ...held.session, last_updated: '' }))
    return 'unchanged';
  throw refuse(
    'session-is-final',
    `session ${session.id} is COMPLETED and never changes again (OCPI 2.2.1 mod_sessions)`,
  );
}
