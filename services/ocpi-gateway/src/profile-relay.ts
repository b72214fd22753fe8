import { randomUUID } from 'node:crypto';
import { toJsonBytes } from '#contracts';
import type { LimitProfile } from '#contracts/evems-controller';
import { steeringGrantOf } from '#grants';
import { type ActiveChargingProfileResult, type ChargingProfile, instantMs, type Party, partyText, sameParty, type Session } from '#ocpi';
import type { Database, Queryable } from '#postgres';
import type { Clock } from '#time';
import { findTaken } from './command-rows.ts';
import type { PartnerProfiles } from './partner-profiles.ts';
import { followBy, followersOf, isWithdrawn, type KeptRequest, setLast } from './profile-rows.ts';
import { lockLinks } from './pushes/pushed-rows.ts';
import { pushOf, queueAll } from './pushes/queue-rows.ts';
import { TIMEOUT_S } from './repeats.ts';
import type { Steering } from './steering.ts';
import { type Steered, steeredOfSession } from './steered-rows.ts';

export interface RelayParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly steering: Steering;
  readonly partnerProfiles: PartnerProfiles;
  readonly resultDue: (tx: Queryable, order: { orderId: string; sessionId: string }, body: object) => Promise<void>;
  readonly wake: () => void;
}

export interface RelayWish {
  readonly orderId: string;
  readonly method: string;
  readonly profile?: object | undefined;
  readonly durationS: number;
  readonly askers: readonly Party[];
  /** Of ours, where one is named. */
  readonly addressed?: Party | undefined;
}

/** OCPI ChargingProfileResponse; `outcome` is the result where it is known at once, `by` whose grant it was asked by. */
export interface ProfileTaken {
  readonly result: string;
  readonly timeoutS: number;
  readonly message: string;
  readonly outcome?: string | undefined;
  readonly active?: LimitProfile | undefined;
  readonly by?: string | undefined;
}

/** An eMSP between a smart charging service provider and the operator: Receiver of the one and Sender to the other. CHP-05. */
export class ProfileRelay {
  constructor(private readonly parts: RelayParts) {}

  /** What the operator answers at once is what the provider is answered. */
  async request(steered: Steered, wish: RelayWish): Promise<ProfileTaken> {
    const { clock, steering, partnerProfiles } = this.parts;
    const { steeredId, to, operator, sessionId } = steered;
    const { orderId, method, profile, durationS, askers, addressed } = wish;
    const session = await steering.sessionOf(steered);
    if (!session || (addressed && !sameParty(addressed, session.cdr_token))) return refused('UNKNOWN_SESSION', 'there is no such session');
    const isTheirs = askers.some((party) => sameParty(party, to));
    if (!isTheirs || !steeringGrantOf(session, await steering.grantsOf([to]))) return refused('REJECTED', 'no agreement grants you the session');
    if (session.status !== 'ACTIVE') return refused('REJECTED', 'the session does not charge');
    const { country_code, party_id } = session.cdr_token;
    const { sent } = await partnerProfiles.send({
      orderId, party: operator, from: { country_code, party_id }, sessionId, method, durationS, steeredId,
      mayReplace: (held) => method === 'GET' || !held || held.steeredId === steeredId || isOver(held.profile, session, clock.now()),
      ...(profile ? { bodyJson: toJsonBytes(profile) } : {}),
    });
    const by = partyText(to);
    switch (sent?.outcome) {
      case 'answered': return { ...refused(sent.result, sent.message), timeoutS: sent.timeoutS, by };
      case 'unreachable': case 'no-partner': return { ...refused('REJECTED', sent.message), by };
      // It may have been taken, and a result may follow.
      case 'unclear': case undefined: return { ...refused('ACCEPTED', ''), timeoutS: TIMEOUT_S, by };
    }
  }

  /** How it ended goes on as it came; whose profile was obeyed hears of the active one from then on. */
  async resulted({ orderId, steeredId, method }: KeptRequest, result: ActiveChargingProfileResult): Promise<void> {
    const { db, resultDue, wake } = this.parts;
    if (steeredId === undefined) return;
    const taken = await findTaken(db, orderId);
    if (!taken) return;
    await db.tx(async (tx) => {
      const isOver = method === 'PUT' && await isWithdrawn(tx, steeredId, taken.partnerId);
      await resultDue(tx, { orderId, sessionId: steeredId }, isOver ? { result: 'REJECTED' } : result);
      if (method === 'PUT' && result.result === 'ACCEPTED') await followBy(tx, steeredId, taken);
    });
    wake();
  }

  /** CHP-02: to those who set a profile through us. */
  async changed(operator: Party, sessionId: string, text: string): Promise<void> {
    const { db, clock, wake } = this.parts;
    const known = await steeredOfSession(db, operator, sessionId);
    if (known.length === 0) return;
    await db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      const followers = await Promise.all(known.map(async ({ steeredId }) => ({ steeredId, all: await followersOf(tx, steeredId) })));
      const own = followers.flatMap(({ steeredId, all }) =>
        all.map(({ partnerId }) => pushOf({ partnerId, module: 'chargingprofiles', objectKey: steeredId }, text)));
      await queueAll(tx, { own }, clock.now());
    });
    wake();
  }

  /** What a provider set may hold no longer: the operator clears it. False where it has to be asked once more. */
  async withdraw({ steeredId, operator, sessionId }: Steered): Promise<boolean> {
    const { db, partnerProfiles, steering } = this.parts;
    const held = await setLast(db, operator, sessionId);
    if (held?.steeredId !== steeredId) return true;
    const session = await steering.sessionOf({ operator, sessionId });
    const { sent } = await partnerProfiles.send({
      orderId: randomUUID(), party: operator, from: session && fromOf(session), sessionId, method: 'WITHDRAW', durationS: 0, steeredId,
    });
    return sent?.outcome === 'no-partner' || (sent?.outcome === 'answered' && sent.result !== 'TOO_OFTEN');
  }
}

function fromOf({ cdr_token: { country_code, party_id } }: Session): Party {
  return { country_code, party_id };
}

/** Relative to the start of the charge where it has none of its own. CHP-04. */
function isOver(profile: ChargingProfile | undefined, { start_date_time: startedAt }: Session, now: number): boolean {
  if (typeof profile?.duration !== 'number') return false;
  const start = instantMs(profile.start_date_time ?? startedAt) ?? now;
  return now - start >= profile.duration * 1_000;
}

function refused(result: string, message: string): ProfileTaken {
  return { result, timeoutS: 0, message };
}
