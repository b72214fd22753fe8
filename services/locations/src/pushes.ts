import { type MirroredFact, type Outbox, TooLarge } from '#bus';
import { Rejected } from '#decider';
import { type Database, DatabaseFailure, type FailureName } from '#postgres';
import { type HeldLocation, keyText, lockLocations, storeLocations, type StoredLocation, storing } from './location-rows.ts';
import { type Change, type Push, pushed, type PushRefusal } from './push.ts';
import { PartnersFacts } from './told-locations.ts';

type Outcome = Change | Error;

/** What is wrong with one push's data is not wrong with the others'. */
const ofOnePush: ReadonlySet<FailureName> = new Set(['database-error', 'check-violation', 'not-null-violation']);

/** Takes what partners push, many pushes by one transaction. */
export class Pushes {
  constructor(private readonly parts: { readonly db: Database; readonly outbox: Outbox }) {}

  /** As if one after the other: as many outcomes as pushes, in their order; one that is refused changes nothing. */
  async take(pushes: readonly Push[]): Promise<Outcome[]> {
    try {
      return await storing(this.parts.db, async (tx) => {
        const { outcomes, stored, facts } = fold(await lockLocations(tx, pushes), pushes);
        await storeLocations(tx, stored);
        await this.parts.outbox.tell(tx, facts);
        return outcomes;
      });
    } catch (error) {
      const isOfAll = error instanceof DatabaseFailure && !ofOnePush.has(error.failure);
      if (pushes.length === 1 || isOfAll) throw error;
    }
    const outcomes: Outcome[] = [];
    for (const push of pushes) outcomes.push(await this.take([push]).then(([one]) => one!, (error: unknown) => error as Error));
    return outcomes;
  }
}

interface Folded {
  readonly outcomes: readonly Outcome[];
  readonly stored: readonly StoredLocation[];
  readonly facts: readonly MirroredFact[];
}

/** What the pushes come to, each on what those before it left. */
function fold(held: ReadonlyMap<string, HeldLocation>, pushes: readonly Push[]): Folded & { outcomes: Outcome[] } {
  const now = new Map(held);
  const facts = new PartnersFacts();
  const changed = new Set<string>();
  const outcomes = pushes.map((push): Outcome => {
    const key = keyText(push);
    try {
      const made = pushed(now.get(key)?.location, push);
      if (!('location' in made)) return made.change;
      const next = { own: false, isPrivate: false, location: made.location, text: JSON.stringify(made.location) };
      facts.add(next, made.onlyStatus);
      now.set(key, next);
      changed.add(key);
      return made.change;
    } catch (error) {
      if (error instanceof TooLarge) {
        return new Rejected<PushRefusal>(
          'invalid-object',
          `${push.locationId}: with it the Location is larger than is kept: ${error.message}`,
        );
      }
      return error as Error;
    }
  });
  const stored = [...changed].map((key) => ({ before: held.get(key)?.location, now: now.get(key)! }));
  return { outcomes, stored, facts: facts.all() };
}
