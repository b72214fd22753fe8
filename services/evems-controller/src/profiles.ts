import { Rejected } from '#decider';
import type { Executor } from '#event-store';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import { stepsAhead } from './active-profile.ts';
import { carAt } from './car.ts';
import { connectorsOf } from './connector-rows.ts';
import type { Explained } from './explained.ts';
import { type Charger, chargerKey, type Site } from './feeder.ts';
import type { LimitCommand, LimitEvent, SiteLimits } from './limits.ts';
import { type HeldProfile, isSetByAnother, type Profile, type Step, type Unit, validProfile } from './profile.ts';
import { type ChargePlace, findHeld, keepHeld } from './profile-rows.ts';
import { planOf } from './site-rows.ts';

export type ProfileRefusal = 'unknown-charger' | 'unusable-profile' | 'set-by-another';

export interface ProfilesParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly sites: readonly Site[];
  readonly logbook: Executor<SiteLimits, LimitCommand, LimitEvent>;
  /** The site's owner, where it is in this process, looks at once. */
  readonly changed: (stationId: string) => void;
}

export interface ProfileOrder extends Unit {
  readonly orderId: string;
  readonly sessionId: string;
  readonly profile: Profile;
  readonly timeoutS: number;
}

/** Charging profiles for single charges, kept until the charge ends; whoever owns the site obeys them. */
export class Profiles {
  constructor(private readonly parts: ProfilesParts) {}

  /** The same order again is the same profile. */
  async set(place: ChargePlace, { timeoutS, ...order }: ProfileOrder): Promise<void> {
    const { db, clock } = this.parts;
    const now = clock.now();
    const holding = await this.holding(place);
    await db.tx(async (tx) => {
      const known = await findHeld(tx, place, true);
      if (known?.orderId === order.orderId) return;
      const before = holding.profile(known, now);
      if (isSetByAnother(before, order.profile.setBy, holding.chargeStartedAt, now)) throw setByAnother();
      await keepHeld(tx, place, { ...order, obeyUntil: now + timeoutS * 1_000, before });
    });
    this.parts.changed(place.stationId);
  }

  /** False where there is none to clear. With `by`: what this one set, and nothing else. */
  async clear(place: ChargePlace, orderId: string, by?: string): Promise<boolean> {
    const { db, clock } = this.parts;
    const now = clock.now();
    const holding = await this.holding(place);
    const cleared = await db.tx(async (tx) => {
      const known = await findHeld(tx, place, true);
      if (!known || known.orderId === orderId) return known !== undefined;
      if (!known.profile) return false;
      if (isSetByAnother(holding.profile(known, now), by, holding.chargeStartedAt, now)) {
        // Nor does it come back where what was set over it is not obeyed.
        if (known.before?.setBy === by) await keepHeld(tx, place, { ...known, before: undefined });
        return 'set-by-another';
      }
      await keepHeld(tx, place, { ...known, orderId, profile: undefined, before: undefined });
      return true;
    });
    this.parts.changed(place.stationId);
    if (cleared === 'set-by-another') throw setByAnother();
    return cleared;
  }

  /** What holds at an instant of what was set for a charge, and when that began. */
  private async holding(place: ChargePlace) {
    const { db, logbook } = this.parts;
    const { site, charger } = this.chargerAt(place);
    const [[connector], { state }] = await Promise.all([connectorsOf(db, [charger]), logbook.load(site.id)]);
    const settled = state.chargers.get(charger.key)?.profile;
    return {
      chargeStartedAt: connector ? carAt(connector).arrivedAt : 0,
      profile: (known: HeldProfile | undefined, now: number) => validProfile(known, settled, now),
    };
  }

  /** Who set the profile that holds, and what the charge may draw from now on, where that is clear now. */
  async active(place: ChargePlace): Promise<{ setBy?: string | undefined; ahead?: { steps: Step[]; unit: HeldProfile['unit'] } }> {
    const { db, clock, logbook } = this.parts;
    const { site, charger } = this.chargerAt(place);
    const [row, [connector], { state }] = await Promise.all([
      planOf(db, site.id), connectorsOf(db, [charger]), logbook.load(site.id),
    ]);
    if (connector?.transaction?.id !== place.transactionId) return {};
    const { held, arrivedAt } = carAt(connector);
    const now = clock.now();
    const profile = validProfile(held, state.chargers.get(charger.key)?.profile, now);
    const plan = row?.plan ? (JSON.parse(row.plan) as Explained) : undefined;
    const limit = plan?.limits.find((one) => chargerKey(one.stationId, one.connectorId) === charger.key);
    if (!limit?.isClear) return { setBy: profile?.setBy };
    const steps = stepsAhead({
      profile, chargeStartedAt: arrivedAt, nowMa: limit.confirmedMa, siteMa: limit.siteMa ?? limit.targetMa,
      maxMa: charger.maxMa, minMa: site.minMa, stepMa: site.stepMa,
    }, now);
    return { setBy: profile?.setBy, ahead: { steps, unit: held?.unit ?? 'A' } };
  }

  private chargerAt({ stationId, connectorId }: ChargePlace): { site: Site; charger: Charger } {
    const key = chargerKey(stationId, connectorId);
    for (const site of this.parts.sites) {
      const charger = site.chargers.find((one) => one.key === key);
      if (charger) return { site, charger };
    }
    throw new Rejected<ProfileRefusal>('unknown-charger', `connector ${connectorId} of ${stationId} is at no site`);
  }
}

const setByAnother = () => new Rejected<ProfileRefusal>('set-by-another', "another party's profile holds until it is cleared or ends");
