import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getSession, listSessions, requestProfile } from '#contracts/sessions';
import { addDue, type Due, type DueOutcome } from '#due';
import { type GrantRows, isSteeringAlike, type Steering as Granted, steeringFor, type SteeringGrant, steeringGrantOf } from '#grants';
import { type Party, partyText, sameParty, type Session } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import { endpointOf, hasParty, isHub, partiesOf, type Partner, steeringToBus, toBus } from './partners/partner.ts';
import { findPartner, registeredPartners } from './partners/partner-rows.ts';
import { hush, steeredBy, unfollow } from './profile-rows.ts';
import { forgetOne, lockLinks, queuedSteered } from './pushes/pushed-rows.ts';
import { type Push, pushOf, queueAll } from './pushes/queue-rows.ts';
import { alias, STEERED, steeredKey, steeredView, steererIn } from './pushes/steered.ts';

export interface SteeringParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly grants: GrantRows;
  readonly parties: OwnParties;
  readonly log: Log;
  /** Of the names that stand for tokens. */
  readonly key: Buffer;
}

const PAGE = 200;
const NEIGHBOUR_IS_AWAY_MS = 500;

/** Who may see and limit Sessions of others' tokens, because an agreement grants it: smart charging service providers. CHP-03, CHP-05. */
export class Steering {
  constructor(private readonly parts: SteeringParts) {}

  /** What is granted to these now. */
  async grantsOf(parties: readonly Party[]): Promise<SteeringGrant[]> {
    const { db, grants, clock } = this.parts;
    return steeringFor(parties, await grants.steering(db, clock.now()));
  }

  /** A Session as one of these has it who is not the owner of its token. */
  view(session: Session, grants: readonly SteeringGrant[]): Session | undefined {
    const grant = steeringGrantOf(session, grants);
    return grant && this.viewOf(session, grant.to);
  }

  /** Sessions of ours are like this now: for those to whom they are granted. */
  async pushes(tx: Tx, sessions: readonly Session[], atMs: number): Promise<Push[]> {
    const { grants } = await this.parts.grants.steering(tx, atMs);
    if (grants.length === 0) return [];
    const partners = await registeredPartners(tx);
    return sessions.flatMap((session) => partners.flatMap((partner) => this.pushesTo(partner, session, grants)));
  }

  /** What is granted is another thing: who is concerned is told of what it sees now, and its profiles for what it does not end. */
  async changed(tx: Tx, before: Granted, after: Granted): Promise<boolean> {
    const concerned = (await registeredPartners(tx)).filter((partner) => !isSteeringAlike(partiesOf(partner), before, after));
    for (const { id } of concerned) await addDue(tx, steerDue(id, this.parts.clock.now()));
    if (after.until !== undefined) await addDue(tx, grantsTurnDue(after.until));
    return concerned.length > 0 || after.until !== undefined;
  }

  async joined(tx: Tx, partner: Partner): Promise<void> {
    const { grants, clock } = this.parts;
    const granted = steeringFor(partiesOf(partner), await grants.steering(tx, clock.now()));
    if (granted.length > 0) await addDue(tx, steerDue(partner.id, clock.now()));
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
      await this.withdraw(partner);
      if (partner.state !== 'registered') return 'done';
      await this.hide(partner);
      await this.tellOpen(partner);
      return 'done';
    } catch (error) {
      log.warn('what a partner may limit is not yet as it is granted', { partner: partner.name, attempt, error });
      return { retryInMs: NEIGHBOUR_IS_AWAY_MS };
    }
  }

  private pushesTo(partner: Partner, session: Session, grants: readonly SteeringGrant[]): Push[] {
    if (endpointOf(partner, 'sessions', 'RECEIVER') === undefined) return [];
    // A platform that has the token's owner has the whole Session.
    if (!isHub(partner) && hasParty(partner, session.cdr_token)) return [];
    const granted = grants.filter(({ to }) => hasParty(partner, to) && !sameParty(to, session.cdr_token));
    const grant = steeringGrantOf(session, granted);
    if (!grant) return [];
    const key = { partnerId: partner.id, module: 'sessions', objectKey: steeredKey(grant.to, session.id) } as const;
    const { object } = pushOf(key, JSON.stringify(this.viewOf(session, grant.to)));
    return [{ partnerId: partner.id, object: { ...object, owner: `${STEERED}${partyText(grant.to)}` } }];
  }

  private viewOf(session: Session, to: Party): Session {
    return steeredView(session, alias(this.parts.key, to, 'token', session.country_code, session.party_id, session.id));
  }

  /** Nothing that waits goes to one who may not see it any more. What it has nobody can take back. */
  private async hide(partner: Partner): Promise<void> {
    const { db, clock, grants } = this.parts;
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      const granted = steeringFor(partiesOf(partner), await grants.steering(tx, clock.now()));
      for (const { key, current } of await queuedSteered(tx, partner.id)) {
        const to = steererIn(key.objectKey)!;
        if (!(await this.mayStill(to, (JSON.parse(current) as Session).id, granted))) await forgetOne(tx, key);
      }
    });
  }

  /** What it set by a grant that is over does not hold any longer. */
  private async withdraw(partner: Partner): Promise<void> {
    const { db, bus } = this.parts;
    const granted = partner.state === 'registered' ? await this.grantsOf(partiesOf(partner)) : [];
    for (const { sessionId, by } of await steeredBy(db, partner.id)) {
      if (await this.mayStill(by, sessionId, granted)) continue;
      await hush(db, sessionId, partner.id);
      await bus.ask(requestProfile, { orderId: randomUUID(), sessionId, method: 'WITHDRAW', parties: [toBus(by)] });
      await unfollow(db, sessionId, partner.id);
    }
  }

  private async mayStill(to: Party, sessionId: string, granted: readonly SteeringGrant[]): Promise<boolean> {
    const { bus, parties } = this.parts;
    for (const party of parties.all) {
      const { sessionJson } = await bus.ask(getSession, { party: toBus(party), sessionId });
      if (sessionJson) return steeringGrantOf(fromJsonBytes<Session>(sessionJson), granted.filter((one) => sameParty(one.to, to))) !== undefined;
    }
    return false;
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
        const own = listed.objectsJson.flatMap((bytes) => this.pushesTo(partner, fromJsonBytes<Session>(bytes), granted));
        await queueAll(tx, { own }, now);
        return listed;
      });
      offset += page?.objectsJson.length ?? 0;
      position = page?.position;
      more = page !== undefined && page.objectsJson.length > 0 && position !== undefined && page.more;
    }
  }
}

function steerDue(partnerId: string, at: number) {
  return { id: `steer ${partnerId} ${randomUUID()}`, key: `${partnerId} steering`, kind: 'steer', at, body: { partnerId } };
}

/** What is granted changes by itself. */
export function grantsTurnDue(at: number) {
  return { id: `grants turn ${at}`, key: 'grants turn', kind: 'grants-turn', at, body: {} };
}
