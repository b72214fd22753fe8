import { type Party, sameParty } from '#ocpi';
import { type Grants, monthStart } from '#settlement';
import { instant, zone } from '#time';

/** One version of the agreement of one of our parties with one partner, as far as it grants something. */
export interface GrantVersion {
  /** Ours, `CA*BCT`. */
  readonly own: string;
  readonly partner: Party;
  /** 1, 2, 3 … in the order in which they were set; for the same month the newest holds. */
  readonly version: number;
  /** "2022-02". */
  readonly validFrom: string;
  readonly timeZone: string;
  /** When it was set. */
  readonly at: string;
  readonly grants: Grants;
}

/** When a version begins to hold: with its month, or when it was set. Epoch ms. */
export function beginsAt({ validFrom, timeZone, at }: GrantVersion): number {
  return Math.max(monthStart(validFrom, zone(timeZone)), instant(at));
}

/** Whether it took the other one's place before that ever held. */
export function replaces(one: GrantVersion, other: GrantVersion): boolean {
  return one.own === other.own && sameParty(one.partner, other.partner) && one.validFrom === other.validFrom
    && one.version > other.version && beginsAt(one) <= beginsAt(other);
}

/** Whether it holds where both have begun. */
export function isLater(one: GrantVersion, other: GrantVersion): boolean {
  return one.validFrom === other.validFrom ? one.version > other.version : one.validFrom > other.validFrom;
}
