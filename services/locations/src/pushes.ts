import { type MirroredFact, type Outbox, TooLarge } from '#bus';
import { Rejected } from '#decider';
import { type EvsePatch, idKey } from '#ocpi';
import { type Database, DatabaseFailure, type FailureName } from '#postgres';
import { lockStatuses, type StatusRow, storeStatuses } from './evse-rows.ts';
import { type HeldLocation, keyText, lockLocations, partyKey, storeLocations, type StoredLocation, storing } from './location-rows.ts';
import { type Change, type Push, pushed, pushedStatus, type PushRefusal, statusPatch } from './push.ts';
import { PartnersFacts } from './told-locations.ts';

type Outcome = Change | Error;

/** What is wrong with one push's data is not wrong with the others'. */
const ofOnePush: ReadonlySet<FailureName> = new Set(['database-error', 'check-violation', 'not-null-violation']);

/** Takes what partners push, many pushes by one transaction. */
export class Pushes {
  constructor(private readonly parts: { readonly db: Database; readonly outbox: Outbox }) {}

  /** As if one after the other: as many outcomes as pushes, in their order; one that is refused changes nothing. */
  async take(pushes: readonly Push[]): Promise<Outcome[]> {
    const outcomes = new Map<Push, Outcome>();
    for (const [push, outcome] of await this.takeStatuses(statusesAlone(pushes))) outcomes.set(push, outcome);
    const others = pushes.filter((push) => !outcomes.has(push));
    const taken = await oneByOneIfRefused(others, (some) => this.takeLocations(some));
    for (const [n, push] of others.entries()) outcomes.set(push, taken[n]!);
    return pushes.map((push) => outcomes.get(push)!);
  }

  /** Of what can be taken in without the Locations; what they say of an EVSE that is not known is for others to refuse. */
  private async takeStatuses(given: readonly StatusPush[]): Promise<ReadonlyMap<Push, Outcome>> {
    const taken = await oneByOneIfRefused(given, (some) => this.parts.db.tx(async (tx) => {
      const held = new Map((await lockStatuses(tx, some.map(({ row }) => row))).map((row) => [statusKey(row), row]));
      const unknown = new Set(some.filter(({ row }) => !held.has(statusKey(row))).map(({ push }) => keyText(push)));
      const { outcomes, stored, facts } = foldStatuses(held, some, unknown);
      await storeStatuses(tx, stored);
      await this.parts.outbox.tell(tx, facts);
      return outcomes;
    }));
    return new Map(given.flatMap(({ push }, n) => (taken[n] === undefined ? [] : [[push, taken[n]]])));
  }

  private takeLocations(pushes: readonly Push[]): Promise<Outcome[]> {
    return storing(this.parts.db, async (tx) => {
      const { outcomes, stored, facts } = fold(await lockLocations(tx, pushes), pushes);
      await storeLocations(tx, stored);
      await this.parts.outbox.tell(tx, facts);
      return outcomes;
    });
  }
}

/** Where the database refuses what one of them says, the others do not suffer for it. */
async function oneByOneIfRefused<Item, Taken>(
  items: readonly Item[], take: (some: readonly Item[]) => Promise<Taken[]>,
): Promise<(Taken | Error)[]> {
  if (items.length === 0) return [];
  try {
    return await take(items);
  } catch (error) {
    const isOfAll = error instanceof DatabaseFailure && !ofOnePush.has(error.failure);
    if (items.length === 1 || isOfAll) throw error;
  }
  const outcomes: (Taken | Error)[] = [];
  for (const item of items) outcomes.push(await take([item]).then(([one]) => one!, (error: unknown) => error as Error));
  return outcomes;
}

interface StatusPush {
  readonly push: Push;
  readonly patch: EvsePatch;
  readonly row: Pick<StatusRow, 'party' | 'locationId' | 'uid'>;
}

const statusKey = ({ party, locationId, uid }: StatusPush['row']) => `${party} ${locationId} ${uid}`;

/** Those of Locations of which nothing else is pushed at the same time. */
function statusesAlone(pushes: readonly Push[]): StatusPush[] {
  const patches = pushes.map((push) => ({ push, patch: statusPatch(push) }));
  const others = new Set(patches.filter(({ patch }) => !patch).map(({ push }) => keyText(push)));
  return patches.flatMap(({ push, patch }) => (!patch || others.has(keyText(push)) ? [] : [{
    push, patch, row: { party: partyKey(push), locationId: idKey(push.locationId), uid: push.evseUid! },
  }]));
}

/** `undefined` for those of Locations that must be looked into. */
function foldStatuses(held: ReadonlyMap<string, StatusRow>, given: readonly StatusPush[], unknown: ReadonlySet<string>) {
  const now = new Map(held);
  const facts = new PartnersFacts();
  const outcomes = given.map(({ push, patch, row }): Outcome | undefined => {
    if (unknown.has(keyText(push))) return undefined;
    const key = statusKey(row);
    try {
      const next = pushedStatus(now.get(key)!, patch);
      if (typeof next === 'string') return next;
      now.set(key, { ...row, ...next });
      const party = { country_code: push.countryCode, party_id: push.partyId };
      facts.addStatus(party, { locationId: push.locationId, evseUid: row.uid, ...next });
      return 'updated';
    } catch (error) {
      return error as Error;
    }
  });
  const stored = [...now].filter(([key, row]) => row !== held.get(key)).map(([, row]) => row);
  return { outcomes, stored, facts: facts.all() };
}

/** Whenever it was that an owner was asked, this came since. */
const JUST_NOW = '9999-12-31T23:59:59Z';

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
      const made = pushed(now.get(key)?.location, push, now.get(key)?.takenAt);
      if (!('location' in made)) return made.change;
      const next = { own: false, isPrivate: false, location: made.location, text: JSON.stringify(made.location), takenAt: JUST_NOW };
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
