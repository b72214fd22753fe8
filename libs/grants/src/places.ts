import { idKey, type Party, partyText, sameParty } from '#ocpi';
import { beginsAt, type GrantVersion, isLater, replaces } from './versions.ts';

/** Which Locations of one of our parties a partner may see, now and before: whoever has no such list may see all. */
export interface Places {
  /** Ours, `CA*BCT`. */
  readonly own: string;
  readonly to: Party;
  /** By their begin, each until the next one. Without ids: all. */
  readonly spans: readonly { readonly since: number; readonly ids: readonly string[] | undefined }[];
}

/** Of all partners whose agreement has, or had, a word on it. Of versions that have begun. */
export function placesIn(begun: readonly GrantVersion[]): Places[] {
  const restricting = begun.filter(({ grants }) => grants.locations !== undefined);
  const pairs = new Map(restricting.map(({ own, partner }) => [`${own} ${partyText(partner)}`.toUpperCase(), { own, to: partner }]));
  return [...pairs.values()].map(({ own, to }) => {
    const ofPair = begun.filter((version) => version.own === own && sameParty(version.partner, to));
    const held = ofPair.filter((version) => !ofPair.some((other) => replaces(other, version)));
    const begins = [...new Set(held.map(beginsAt))].sort((a, b) => a - b);
    return { own, to, spans: begins.map((since) => ({ since, ids: newestAt(held, since).grants.locations })) };
  });
}

function newestAt(held: readonly GrantVersion[], atMs: number): GrantVersion {
  return held.filter((version) => beginsAt(version) <= atMs).reduce((newest, one) => (isLater(one, newest) ? one : newest));
}

/**
 * Since when these may see a Location, epoch ms; undefined: they may not. Of each group one has to be
 * one who may: a platform is one group, of what a hub tells everybody each party behind it is one.
 */
export function shownSince(
  location: Party & { readonly id: string },
  groups: readonly (readonly Party[])[],
  places: readonly Places[],
): number | undefined {
  const own = places.filter((one) => isOf(one, location));
  let since = 0;
  for (const group of groups) {
    const shown = group.map((party) => sinceOf(location.id, party, own)).filter((ms) => ms !== undefined);
    if (shown.length === 0) return undefined;
    since = Math.max(since, Math.min(...shown));
  }
  return since;
}

function sinceOf(locationId: string, party: Party, places: readonly Places[]): number | undefined {
  const spans = placesOf(party, places)?.spans ?? [];
  const shows = ({ ids }: { ids: readonly string[] | undefined }) => ids === undefined || ids.some((id) => isLike(id, locationId));
  const hidden = spans.findLastIndex((span) => !shows(span));
  if (hidden < 0) return 0;
  return spans[hidden + 1]?.since;
}

/** What of it is about one of these. */
export function placesFor(parties: ReadonlySet<string>, places: readonly Places[]): Places[] {
  return places.filter(({ to }) => parties.has(partyText(to)));
}

/** What a list is limited to: a Location of one of our parties has to be like one id of each entry of it. */
export interface Patterns {
  readonly owner: Party;
  readonly ids: string[];
}

export function patternsFor(groups: readonly (readonly Party[])[], places: readonly Places[]): Patterns[] {
  const owners = [...new Set(places.map(({ own }) => own))];
  return owners.flatMap((own) => groups.flatMap((group): Patterns[] => {
    const ofOwner = places.filter((one) => one.own === own);
    const granted = group.map((party) => placesOf(party, ofOwner)?.spans.at(-1)?.ids);
    const [country_code = '', party_id = ''] = own.split('*');
    return granted.includes(undefined) ? [] : [{ owner: { country_code, party_id }, ids: granted.flatMap((ids) => [...ids!]) }];
  }));
}

/** What `shownSince` says of each Location of an owner, as a list is asked: the latest of these, and of each the earliest of its parties. */
export interface SeenSince {
  readonly owner: Party;
  /** Of each party: what is like none of the ids was hidden until then, epoch ms; undefined: it still is. */
  readonly parties: readonly (readonly { readonly ids: string[]; readonly until: number | undefined }[])[];
}

export function seenSinceFor(groups: readonly (readonly Party[])[], places: readonly Places[]): SeenSince[] {
  const owners = [...new Set(places.map(({ own }) => own))];
  return owners.flatMap((own) => groups.flatMap((group): SeenSince[] => {
    const ofOwner = places.filter((one) => one.own === own);
    const parties = group.map((party) => (placesOf(party, ofOwner)?.spans ?? []).flatMap(({ ids }, n, spans) =>
      (ids === undefined ? [] : [{ ids: [...ids], until: spans[n + 1]?.since }])));
    const [country_code = '', party_id = ''] = own.split('*');
    return parties.some((spans) => spans.length === 0) ? [] : [{ owner: { country_code, party_id }, parties }];
  }));
}

function isOf({ own }: Places, owner: Party): boolean {
  return own.toUpperCase() === partyText(owner).toUpperCase();
}

function placesOf(party: Party, places: readonly Places[]): Places | undefined {
  return places.find(({ to }) => sameParty(to, party));
}

/** Whether an id is like a pattern, in which `*` stands for any characters. */
export function isLike(pattern: string, id: string): boolean {
  const [first = '', ...middle] = idKey(pattern).split('*');
  const last = middle.pop();
  const text = idKey(id);
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of middle) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
