import type { Database, Tx } from '#postgres';
import type { Log } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import { refuse } from './handshake.ts';
import { findPartner } from './partner-rows.ts';
import { type Sighted, sightedOf, storeChosen } from './quirk-rows.ts';
import { type Chosen, hasQuirk, isForChoice, isQuirk, type Quirk, type QuirkName, quirkNames, quirks, suggested } from './quirks.ts';

export interface Choice {
  readonly set: readonly string[];
  readonly unset: readonly string[];
}

/** One quirk, as it is of one partner. */
export interface PartnerQuirk extends Quirk {
  readonly name: QuirkName;
  readonly sighted: Sighted | undefined;
  readonly chosenAt: string | undefined;
  /** It was seen, and something could be chosen for it. */
  readonly isSuggested: boolean;
}

export interface PartnerQuirksParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads all lists of a partner anew, soon. */
  readonly readAnew: (tx: Tx, partnerId: string) => Promise<void>;
  readonly wake: () => void;
}

/** What operators see and choose of partners' deviations from OCPI. */
export class PartnerQuirks {
  constructor(private readonly parts: PartnerQuirksParts) {}

  /** All that there are, for a partner. Throws Rejected. */
  async of(partnerId: string): Promise<PartnerQuirk[]> {
    const { db } = this.parts;
    const partner = await findPartner(db, partnerId);
    if (!partner) throw unknown(partnerId);
    const sighted = new Map((await sightedOf(db, partnerId)).map((one) => [one.quirk, one]));
    return quirkNames.map((name) => {
      const [seen, chosenAt] = [sighted.get(name), partner.quirks[name]];
      return {
        ...quirks[name],
        name,
        sighted: seen,
        chosenAt,
        isSuggested: seen !== undefined && suggested([name], partner.quirks).length > 0,
      };
    });
  }

  /** Holds from the next request on, in every process. Throws Rejected. */
  async choose(partnerId: string, choice: Choice): Promise<PartnerQuirk[]> {
    const { db, clock, log, readAnew, wake } = this.parts;
    await db.tx(async (tx) => {
      const partner = await findPartner(tx, partnerId, true);
      if (!partner) throw unknown(partnerId);
      const chosen = chosenAnew(partner.quirks, choice, rfc3339(clock.now()));
      await storeChosen(tx, partnerId, chosen);
      // What no Link led to is missing here since the beginning, and a list of what changed would not bring it.
      const isForLists = hasQuirk({ quirks: chosen }, 'no-link') && !hasQuirk(partner, 'no-link');
      if (isForLists && partner.state === 'registered') await readAnew(tx, partnerId);
    });
    wake();
    log.info('the quirks of a partner were chosen', { partnerId, set: choice.set.join(' '), unset: choice.unset.join(' ') });
    return this.of(partnerId);
  }
}

/** What was chosen before keeps its time. Throws Rejected. */
export function chosenAnew(chosen: Chosen, { set, unset }: Choice, at: string): Chosen {
  const next: Partial<Record<QuirkName, string>> = { ...chosen };
  for (const name of set) next[named(name)] ??= at;
  for (const name of unset) delete next[named(name)];
  return next;
}

function named(name: string): QuirkName {
  const choosable = quirkNames.filter(isForChoice).join(', ');
  if (!isQuirk(name)) throw refuse('no-such-quirk', `there is no quirk "${name}"; those to choose are ${choosable}`);
  if (!isForChoice(name))
    throw refuse(
      'no-such-quirk',
      `${name} is accepted from everybody and changes nothing that is sent; those to choose are ${choosable}`,
    );
  return name;
}

function unknown(partnerId: string) {
  return refuse('unknown-partner', `there is no partner ${partnerId}: the list has their ids`);
}
