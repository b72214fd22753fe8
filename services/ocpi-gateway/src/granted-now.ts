import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { listSessions, requestProfile } from '#contracts/sessions';
import type { Due, DueOutcome } from '#due';
import { type GrantRows, steeringFor, type SteeringGrant, steeringGrantOf } from '#grants';
import { type Party, partyText, sameParty, type Session } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import { partiesOf, type Partner, steeringToBus, toBus } from './partners/partner.ts';
import { findPartner } from './partners/partner-rows.ts';
import { hush, noteCleared, steeredBy } from './profile-rows.ts';
import { forgetOne, lockLinks, type PushedKey, waitingSteered } from './pushes/pushed-rows.ts';
import { queueAll } from './pushes/queue-rows.ts';
import { steererIn } from './pushes/steered.ts';
import { findSteered, type Steered } from './steered-rows.ts';
import { isForgotten, type Steering } from './steering.ts';

export interface GrantedParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly grants: GrantRows;
  readonly parties: OwnParties;
  readonly log: Log;
  readonly steering: Steering;
  /** Ends what was set through us at an operator; false where it has to be asked once more. */
  readonly withdrawElsewhere: (steered: Steered) => Promise<boolean>;
}

const PAGE = 200;
const NEIGHBOUR_IS_AWAY_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** Brings a partner to what is granted to it now: told of what it may see, and of no more, and limiting nothing else. CHP-03. */
export class GrantedNow {
  constructor(private readonly parts: GrantedParts) {}

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

  /** Nothing that waits goes to one who may not see it any more. What it has nobody can take back. */
  private async hide(partner: Partner): Promise<void> {
    const { db } = this.parts;
    const granted = await this.parts.steering.grantsOf(partiesOf(partner));
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
    const granted = partner.state === 'registered' ? await this.parts.steering.grantsOf(partiesOf(partner)) : [];
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
      const session = await this.parts.steering.sessionOf(place);
      if (session) return !isForgotten(session) && steeringGrantOf(session, granted.filter((one) => sameParty(one.to, to))) !== undefined;
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
        const own = await this.parts.steering.pushesTo(tx, [partner], listed.objectsJson.map((bytes) => fromJsonBytes<Session>(bytes)), granted);
        await queueAll(tx, { own }, now);
        return listed;
      });
      offset += page?.objectsJson.length ?? 0;
      position = page?.position;
      more = page !== undefined && page.objectsJson.length > 0 && position !== undefined && page.more;
    }
  }
}
