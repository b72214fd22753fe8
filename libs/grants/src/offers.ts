import { idKey, type Party, partyText, sameId, sameParty } from '#ocpi';
import { type Places, placesFor, placesIn } from './places.ts';
import { beginsAt, type GrantVersion, isLater, replaces } from './versions.ts';

/** Tariffs that are for these partners only. */
export interface Offer {
  readonly to: readonly Party[];
  readonly tariffIds: readonly string[];
}

export interface Granted {
  readonly offers: readonly Offer[];
  readonly places: readonly Places[];
  /** Since when it is so, and when it will change by itself; epoch ms. */
  readonly since: number;
  readonly until: number | undefined;
}

/** What all these versions come to at an instant, whatever was set later. */
export function grantedAt(versions: readonly GrantVersion[], atMs: number): Granted {
  const begins = versions.map((version) => ({ version, ms: beginsAt(version) }));
  const begun = begins.filter(({ ms }) => ms <= atMs);
  const changes = changing(begins.map(({ version }) => version)) ? begins : [];
  const later = changes.filter(({ ms }) => ms > atMs).map(({ ms }) => ms);
  return {
    offers: offersIn(begun.map(({ version }) => version)),
    places: placesIn(begun.map(({ version }) => version)),
    since: Math.max(0, ...changes.filter(({ ms }) => ms <= atMs).map(({ ms }) => ms)),
    until: later.length === 0 ? undefined : Math.min(...later),
  };
}

/**
 * Whether these parties may have and see the same by both: `parties` what tariffs are offered to, each by itself, `groups` who
 * has to be allowed to see a Location.
 */
export function areGrantedAlike(
  { parties, groups }: { readonly parties: readonly Party[]; readonly groups: readonly (readonly Party[])[] }, a: Granted, b: Granted,
): boolean {
  const seers = new Set(groups.flat().map(partyText));
  const placesIn = ({ places }: Granted) => JSON.stringify(placesFor(seers, places));
  if (placesIn(a) !== placesIn(b)) return false;
  const ids = new Set([...a.offers, ...b.offers].flatMap(({ tariffIds }) => tariffIds.map(idKey)));
  const kindOf = (id: string, { offers }: Granted) => {
    const own = offersOf(id, offers);
    return own.length === 0 ? 'all' : parties.map((party) => isGranted(own, [party])).join();
  };
  return [...ids].every((id) => kindOf(id, a) === kindOf(id, b));
}

function changing(versions: readonly GrantVersion[]): boolean {
  return versions.some(({ grants }) => (grants.tariffs ?? []).length > 0 || grants.locations !== undefined);
}

/** Of those that have begun. What nobody is granted any more is an offer to nobody. */
function offersIn(begun: readonly GrantVersion[]): Offer[] {
  const held = everHeld(begun);
  const granted = inForce(held).map(({ partner, grants }) => ({ to: [partner], tariffIds: grants.tariffs ?? [] }));
  const ever = [...new Set(held.flatMap(({ grants }) => (grants.tariffs ?? []).map(idKey)))];
  return [...granted, { to: [], tariffIds: ever }].filter(({ tariffIds }) => tariffIds.length > 0);
}

function everHeld(begun: readonly GrantVersion[]): readonly GrantVersion[] {
  return begun.filter((version) => !begun.some((other) => replaces(other, version)));
}

/** The one that holds now of each pair of parties. */
export function inForce(held: readonly GrantVersion[]): readonly GrantVersion[] {
  const newest = new Map<string, GrantVersion>();
  for (const version of held) {
    const pair = `${version.own} ${partyText(version.partner)}`;
    const before = newest.get(pair);
    if (!before || isLater(version, before)) newest.set(pair, version);
  }
  return [...newest.values()];
}

/**
 * Where several parties issued a uid: the priority of each partner that has one at an instant, the
 * highest that any of our parties gives it.
 */
export function tokenPrioritiesAt(versions: readonly GrantVersion[], atMs: number): ReadonlyMap<string, number> {
  const begun = versions.filter((version) => beginsAt(version) <= atMs);
  const priorities = new Map<string, number>();
  for (const { partner, grants } of inForce(everHeld(begun))) {
    const priority = Math.max(grants.token_priority ?? 0, priorities.get(partyText(partner)) ?? 0);
    if (priority > 0) priorities.set(partyText(partner), priority);
  }
  return priorities;
}

export function offersOf(tariffId: string, offers: readonly Offer[]): readonly Offer[] {
  return offers.filter(({ tariffIds }) => tariffIds.some((id) => sameId(id, tariffId)));
}

/** Whether one of these parties may have the tariff: it is for all, or granted to one of them. */
export function isOffered(tariffId: string, parties: readonly Party[], offers: readonly Offer[]): boolean {
  const own = offersOf(tariffId, offers);
  return own.length === 0 || isGranted(own, parties);
}

function isGranted(offers: readonly Offer[], parties: readonly Party[]): boolean {
  return offers.some(({ to }) => to.some((one) => parties.some((party) => sameParty(party, one))));
}

/**
 * Of a Connector's tariffs those that are for one of these parties: what it is granted, or where it
 * is granted none of them, those that are for all.
 */
export function offeredOf(tariffIds: readonly string[], parties: readonly Party[], offers: readonly Offer[]): string[] {
  const open = new Set(parties.flatMap((party) => {
    const own = tariffIds.filter((id) => isGranted(offersOf(id, offers), [party]));
    return own.length > 0 ? own : tariffIds.filter((id) => offersOf(id, offers).length === 0);
  }));
  return tariffIds.filter((id) => open.has(id));
}
