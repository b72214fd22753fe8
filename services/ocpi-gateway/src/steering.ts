import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getSession } from '#contracts/sessions';
import { addDue } from '#due';
import { type GrantRows, isSteeringAlike, type Steering as Granted, steeringFor, type SteeringGrant, steeringGrantOf } from '#grants';
import { ERASED, idKey, type Party, partyText, sameParty, type Session } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Clock } from '#time';
import { endpointOf, hasParty, isHub, partiesOf, type Partner, toBus } from './partners/partner.ts';
import { registeredPartners } from './partners/partner-rows.ts';
import { steeredBy, steerersOf, unfollow } from './profile-rows.ts';
import { type Push, pushOf } from './pushes/queue-rows.ts';
import { alias, STEERED, steeredKey, steeredView } from './pushes/steered.ts';
import { keepSteered, type Steered, steeredOfSession } from './steered-rows.ts';

export interface SteeringParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly grants: GrantRows;
  readonly parties: OwnParties;
  /** Of the names that stand for tokens, and for Sessions of others. */
  readonly key: Buffer;
}

/** Who may see and limit Sessions of others' tokens, because an agreement grants it: smart charging service providers. CHP-03, CHP-05. */
export class Steering {
  constructor(private readonly parts: SteeringParts) {}

  /** What is granted to these now. */
  async grantsOf(parties: readonly Party[]): Promise<SteeringGrant[]> {
    const { db, grants, clock } = this.parts;
    return steeringFor(parties, await grants.steering(db, clock.now()));
  }

  /** Sessions as one of these has them who is not the owner of their tokens. */
  async views(sessions: readonly Session[], grants: readonly SteeringGrant[]): Promise<(Session | undefined)[]> {
    const seen = sessions.map((session) => ({ session, to: steeringGrantOf(session, grants)?.to }));
    await this.keep(this.parts.db, seen.flatMap(({ session, to }) => (to ? [{ session, to }] : [])));
    return seen.map(({ session, to }) => to && this.viewOf(session, to));
  }

  /** Sessions of ours, or of our drivers at partners, are like this now: for those to whom they are granted. */
  async pushes(tx: Tx, sessions: readonly Session[], atMs: number): Promise<Push[]> {
    const { grants } = await this.parts.grants.steering(tx, atMs);
    if (grants.length === 0) return [];
    const [forgotten, seen] = [true, false].map((is) => sessions.filter((session) => isForgotten(session) === is)) as [Session[], Session[]];
    for (const session of forgotten) await this.erased(tx, session);
    return this.pushesTo(tx, await registeredPartners(tx), seen, grants);
  }

  /** A Session is over: nobody hears of its profile any more. */
  async ended(tx: Tx, { id, ...operator }: Session): Promise<void> {
    for (const { steeredId } of await steeredOfSession(tx, operator, id)) await unfollow(tx, steeredId);
  }

  /** What is granted is another thing: who is concerned is told of what it sees now, and its profiles for what it does not end. */
  async changed(tx: Tx, before: Granted, after: Granted): Promise<boolean> {
    const concerned = (await registeredPartners(tx)).filter((partner) => !isSteeringAlike(partiesOf(partner), before, after));
    for (const { id } of concerned) await addDue(tx, steerDue(id, this.parts.clock.now()));
    if (after.until !== undefined) await addDue(tx, grantsTurnDue(after.until));
    return concerned.length > 0 || after.until !== undefined;
  }

  /** Its parties may be others than before. */
  async joined(tx: Tx, { id }: Partner): Promise<void> {
    await addDue(tx, steerDue(id, this.parts.clock.now()));
  }

  /** Of parties behind a hub it says other than before that they are there. */
  async seenBehind(tx: Tx, { id }: Partner, news: readonly Party[]): Promise<void> {
    const now = this.parts.clock.now();
    if (steeringFor(news, await this.parts.grants.steering(tx, now)).length > 0) await addDue(tx, steerDue(id, now));
  }

  /** Whose driver is forgotten is limited by nobody: who did that by a consent ends it. */
  async erased(tx: Tx, { id, ...operator }: Session): Promise<void> {
    const known = this.parts.parties.has(operator) ? [id] : (await steeredOfSession(tx, operator, id)).map(({ steeredId }) => steeredId);
    for (const partnerId of await steerersOf(tx, known)) await addDue(tx, steerDue(partnerId, this.parts.clock.now()));
  }

  /** Whose link is over limits nothing any more. */
  async left(tx: Tx, { id }: Partner): Promise<void> {
    if ((await steeredBy(tx, id)).length > 0) await addDue(tx, steerDue(id, this.parts.clock.now()));
  }

  /** To these of them to whom they are granted. */
  async pushesTo(tx: Tx, partners: readonly Partner[], sessions: readonly Session[], grants: readonly SteeringGrant[]): Promise<Push[]> {
    const seen = sessions.flatMap((session) => partners.flatMap((partner) =>
      seersAt(partner, session, grants).map((to) => ({ partner, session, to }))));
    await this.keep(tx, seen);
    return seen.map(({ partner, session, to }) => {
      const view = this.viewOf(session, to);
      const key = { partnerId: partner.id, module: 'sessions', objectKey: steeredKey(to, view.id) } as const;
      const { object } = pushOf(key, JSON.stringify(view));
      return { partnerId: partner.id, object: { ...object, owner: `${STEERED}${partyText(to)}` } };
    });
  }

  private viewOf(session: Session, to: Party): Session {
    const { country_code, party_id, id } = session;
    return steeredView(session, alias(this.parts.key, to, 'token', country_code, party_id, id), this.idFor(session, to));
  }

  /** Two operators may have the same id, and a request names nothing else. */
  private idFor({ country_code, party_id, id }: Session, to: Party): string {
    const { parties, key } = this.parts;
    return parties.has({ country_code, party_id }) ? id : alias(key, to, 'session', idKey(`${country_code}*${party_id}`), idKey(id));
  }

  private async keep(db: Queryable, seen: readonly { readonly session: Session; readonly to: Party }[]): Promise<void> {
    const elsewhere = seen.filter(({ session }) => !this.parts.parties.has(session));
    await keepSteered(db, elsewhere.map(({ session, to }) => {
      const { country_code, party_id, id: sessionId } = session;
      return { steeredId: this.idFor(session, to), to, operator: { country_code, party_id }, sessionId };
    }));
  }

  async sessionOf({ operator, sessionId }: Pick<Steered, 'operator' | 'sessionId'>): Promise<Session | undefined> {
    const { sessionJson } = await this.parts.bus.ask(getSession, { party: toBus(operator), sessionId });
    return sessionJson && fromJsonBytes<Session>(sessionJson);
  }
}

/** For whom of a platform a Session is; not where that has the owner of the token, and so has it whole. Behind a hub each has its own. */
function seersAt(partner: Partner, session: Session, grants: readonly SteeringGrant[]): Party[] {
  if (endpointOf(partner, 'sessions', 'RECEIVER') === undefined) return [];
  if (!isHub(partner) && hasParty(partner, session.cdr_token)) return [];
  const granted = grants.filter((one) => hasParty(partner, one.to) && !sameParty(one.to, session.cdr_token) && steeringGrantOf(session, [one]));
  const seers = [...new Map(granted.map(({ to }) => [idKey(partyText(to)), to])).values()];
  return isHub(partner) ? seers : seers.slice(0, 1);
}

export const isForgotten = ({ cdr_token: token }: Session): boolean => token.uid === ERASED;

function steerDue(partnerId: string, at: number) {
  return { id: `steer ${partnerId} ${randomUUID()}`, key: `${partnerId} steering`, kind: 'steer', at, body: { partnerId } };
}

/** What is granted changes by itself. */
export function grantsTurnDue(at: number) {
  return { id: `grants turn ${at}`, key: 'grants turn', kind: 'grants-turn', at, body: {} };
}
