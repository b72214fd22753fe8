import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getSession, listSessions, requestProfile } from '#contracts/sessions';
import { addDue, type Due, type DueOutcome } from '#due';
import { type GrantRows, isSteeringAlike, type Steering as Granted, steeringFor, type SteeringGrant, steeringGrantOf } from '#grants';
import { ERASED, idKey, type Party, partyText, sameParty, type Session } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import { endpointOf, hasParty, isHub, partiesOf, type Partner, steeringToBus, toBus } from './partners/partner.ts';
import { findPartner, registeredPartners } from './partners/partner-rows.ts';
import { hush, noteCleared, steeredBy, steerersOf, unfollow } from './profile-rows.ts';
import { forgetOne, lockLinks, type PushedKey, waitingSteered } from './pushes/pushed-rows.ts';
import { type Push, pushOf, queueAll } from './pushes/queue-rows.ts';
import { alias, STEERED, steeredKey, steeredView, steererIn } from './pushes/steered.ts';
import { findSteered, keepSteered, type Steered, steeredOfSession } from './steered-rows.ts';

export interface SteeringParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly grants: GrantRows;
  readonly parties: OwnParties;
  readonly log: Log;
  /** Of the names that stand for tokens, and for Sessions of others. */
  readonly key: Buffer;
  /** Ends what was set through us at an operator; false where it has to be asked once more. */
  readonly withdrawElsewhere: (steered: Steered) => Promise<boolean>;
}

const PAGE = 200;
const NEIGHBOUR_IS_AWAY_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

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

  async run({ body }: Due, attempt: number): Promise<DueOutcome> {
    const { db, log } = this.parts;
    const partner = await findPartner(db, (body as { partnerId: string }).partnerId);
    if (!partner) return 'done';
    try {
      if (partner.state === 'registered') {
        await this.hide(partner);
        await this.tellOpen(partner);
      }
      await this.withdraw(partner);
      return 'done';
    } catch (error) {
      log.warn('what a partner may limit is not yet as it is granted', { partner: partner.name, attempt, error });
      return { retryInMs: Math.min(NEIGHBOUR_IS_AWAY_MS * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS) };
    }
  }

  private async pushesTo(tx: Tx, partners: readonly Partner[], sessions: readonly Session[], grants: readonly SteeringGrant[]): Promise<Push[]> {
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

  /** Nothing that waits goes to one who may not see it any more. What it has nobody can take back. */
  private async hide(partner: Partner): Promise<void> {
    const { db } = this.parts;
    const granted = await this.grantsOf(partiesOf(partner));
    const lost: PushedKey[] = [];
    for (const { key, current } of await waitingSteered(db, partner.id)) {
      if (!(await this.mayStill(steererIn(key.objectKey)!, (JSON.parse(current) as Session).id, granted))) lost.push(key);
    }
    await db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      for (const key of lost) await forgetOne(tx, key);
    });
  }

  /** What it set by a grant that is over does not hold any longer. */
  private async withdraw(partner: Partner): Promise<void> {
    const { db, bus, withdrawElsewhere } = this.parts;
    const granted = partner.state === 'registered' ? await this.grantsOf(partiesOf(partner)) : [];
    const over: Awaited<ReturnType<typeof steeredBy>> = [];
    for (const { sessionId, by } of await steeredBy(db, partner.id)) {
      if (await this.mayStill(by, sessionId, granted)) continue;
      await hush(db, sessionId, partner.id);
      over.push({ sessionId, by });
    }
    const awaited: Steered[] = [];
    for (const { sessionId, by } of over) {
      const elsewhere = await findSteered(db, sessionId);
      if (!elsewhere) await bus.ask(requestProfile, { orderId: randomUUID(), sessionId, method: 'WITHDRAW', parties: [toBus(by)] });
      else if (!(await withdrawElsewhere(elsewhere))) {
        awaited.push(elsewhere);
        continue;
      }
      await noteCleared(db, sessionId, partner.id);
    }
    if (awaited.length > 0) throw new Error(`${awaited.length} profiles have yet to be cleared, one at ${partyText(awaited[0]!.operator)}`);
  }

  private async mayStill(to: Party, knownAs: string, granted: readonly SteeringGrant[]): Promise<boolean> {
    const { db, parties } = this.parts;
    const elsewhere = await findSteered(db, knownAs);
    const places = elsewhere ? [elsewhere] : parties.all.map((operator) => ({ operator, sessionId: knownAs }));
    for (const place of places) {
      const session = await this.sessionOf(place);
      if (session) return !isForgotten(session) && steeringGrantOf(session, granted.filter((one) => sameParty(one.to, to))) !== undefined;
    }
    return false;
  }

  async sessionOf({ operator, sessionId }: Pick<Steered, 'operator' | 'sessionId'>): Promise<Session | undefined> {
    const { sessionJson } = await this.parts.bus.ask(getSession, { party: toBus(operator), sessionId });
    return sessionJson && fromJsonBytes<Session>(sessionJson);
  }

  /** Sessions that run are told to whom may see them from now on. Nobody else queues meanwhile. */
  private async tellOpen(partner: Partner): Promise<void> {
    const { db, bus, clock, grants } = this.parts;
    let offset = 0;
    let position: bigint | undefined;
    for (let more = true; more;) {
      const page = await db.tx(async (tx) => {
        await lockLinks(tx, 'alone');
        const now = clock.now();
        const granted = steeringFor(partiesOf(partner), await grants.steering(tx, now));
        if (granted.length === 0) return undefined;
        const listed = await bus.ask(listSessions, {
          page: { offset, limit: PAGE, ...(position === undefined ? {} : { after: { position, offset } }) },
          tokenParties: [toBus(granted[0]!.to)], steering: granted.map(steeringToBus), openOnly: true,
        });
        const own = await this.pushesTo(tx, [partner], listed.objectsJson.map((bytes) => fromJsonBytes<Session>(bytes)), granted);
        await queueAll(tx, { own }, now);
        return listed;
      });
      offset += page?.objectsJson.length ?? 0;
      position = page?.position;
      more = page !== undefined && page.objectsJson.length > 0 && position !== undefined && page.more;
    }
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

const isForgotten = ({ cdr_token: token }: Session): boolean => token.uid === ERASED;

function steerDue(partnerId: string, at: number) {
  return { id: `steer ${partnerId} ${randomUUID()}`, key: `${partnerId} steering`, kind: 'steer', at, body: { partnerId } };
}

/** What is granted changes by itself. */
export function grantsTurnDue(at: number) {
  return { id: `grants turn ${at}`, key: 'grants turn', kind: 'grants-turn', at, body: {} };
}
