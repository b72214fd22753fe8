import type { z } from 'zod';
import { type Bus, passes, Refused } from '#bus';
import { receiveCdr } from '#contracts/cdr-ledger';
import { dropHeldLocations, getLocation, listHeldLocations, putPartnerLocation } from '#contracts/locations';
import { Change } from '#contracts/party';
import { getSession, putPartnerSession } from '#contracts/sessions';
import { deletePartnerTariff, getTariff, putPartnerTariff } from '#contracts/tariff-engine';
import { dropHeldTokens, getToken, listHeldTokens, putPartnerToken } from '#contracts/tokens-auth';
import { toJsonBytes } from '#contracts';
import { type AskedFor, Cdr, Location, type Party, partyText, read, sameParty, Session, Tariff, Token, unfitText } from '#ocpi';
import { hasParty, isHub, type Partner, partiesOf, spokesman, toBus } from '../partners/partner.ts';
import type { Difference, PulledModule } from './pull-rows.ts';

interface Owned extends Party {
  readonly id?: string;
}

interface Taken extends AskedFor {
  readonly bodyJson: Uint8Array;
}

/** When a partner was asked for a list: by the database's clock, as rows have it, and by the platform's. */
export interface AskedAt {
  readonly askedAt: string;
  readonly at: string;
}

/** How the objects of a list are read, named and taken in. */
export interface Kind {
  readonly module: PulledModule;
  readonly schema: z.ZodType;
  readonly keyOf: (object: never) => string;
  readonly take: (bus: Bus, object: never, taken: Taken) => Promise<{ change: Change }>;
  /** What is held of it, by its key. */
  readonly find?: (bus: Bus, party: Party, key: string) => Promise<Uint8Array | undefined>;
  /** What it is to be taken behind, if anything: behind the others of its page, and those of one thing one after the other. */
  readonly behind?: (object: unknown) => string | undefined;
  /** Sessions and CDRs do not end by not being listed. */
  readonly whole: boolean;
  /** What is held of a party; absent: known from earlier whole lists. */
  readonly held?: (bus: Bus, party: Party, after: string) => Promise<string[]>;
  readonly drop?: (bus: Bus, party: Party, keys: string[], asked: AskedAt) => Promise<string[]>;
}

const HELD_PAGE = 2_000;
const byId = ({ id }: { id: string }) => id.toLowerCase();

/** A Tariff before the Connectors that name it. */
export const kinds: readonly Kind[] = [
  {
    module: 'tariffs',
    schema: Tariff,
    keyOf: byId,
    whole: true,
    take: (bus, tariff: Tariff, { bodyJson, replaces }) =>
      bus.ask(putPartnerTariff, { party: toBus(tariff), tariffId: tariff.id, bodyJson, ...(replaces === undefined ? {} : { replaces }) }),
    find: async (bus, party, key) => (await bus.ask(getTariff, { party: toBus(party), tariffId: key })).tariffJson,
    async drop(bus, party, keys, { at }) {
      const answers = await bus.askMany(
        deletePartnerTariff,
        keys.map((tariffId) => ({ party: toBus(party), tariffId, foundAt: at })),
      );
      return keys.filter((_, index) => 'change' in answers[index]! && answers[index].change === Change.UPDATED);
    },
  },
  {
    module: 'locations',
    schema: Location,
    keyOf: byId,
    whole: true,
    take: (bus, location: Location, taken) =>
      bus.ask(putPartnerLocation, { party: toBus(location), locationId: location.id, patch: false, ...taken }),
    find: async (bus, party, key) =>
      (await bus.ask(getLocation, { party: toBus(party), locationId: key })).locationJson,
    held: async (bus, party, after) =>
      (await bus.ask(listHeldLocations, { party: toBus(party), after, limit: HELD_PAGE })).keys,
    drop: async (bus, party, keys, { askedAt }) =>
      (await bus.ask(dropHeldLocations, { party: toBus(party), keys, askedAt })).keys,
  },
  {
    module: 'tokens',
    schema: Token,
    whole: true,
    keyOf: ({ type, uid }: Token) => `${type} ${uid}`.toLowerCase(),
    take: (bus, token: Token, taken) =>
      bus.ask(putPartnerToken, { party: toBus(token), uid: token.uid, type: token.type, patch: false, ...taken }),
    async find(bus, party, key) {
      const [type = '', ...uid] = key.split(' ');
      return (await bus.ask(getToken, { party: toBus(party), uid: uid.join(' '), type: type.toUpperCase() })).tokenJson;
    },
    held: async (bus, party, after) =>
      (await bus.ask(listHeldTokens, { party: toBus(party), after, limit: HELD_PAGE })).keys,
    drop: async (bus, party, keys, { askedAt }) =>
      (await bus.ask(dropHeldTokens, { party: toBus(party), keys, askedAt })).keys,
  },
  {
    module: 'sessions',
    schema: Session,
    keyOf: byId,
    whole: false,
    take: (bus, session: Session, taken) =>
      bus.ask(putPartnerSession, { party: toBus(session), sessionId: session.id, patch: false, ...taken }),
    find: async (bus, party, key) => (await bus.ask(getSession, { party: toBus(party), sessionId: key })).sessionJson,
  },
  {
    module: 'cdrs',
    schema: Cdr,
    keyOf: byId,
    whole: false,
    // CDR-04: what a Credit CDR takes back goes by its original, and by the credits before it.
    behind: (one) => {
      const { credit, credit_reference_id: of, total_cost: cost } = (one ?? {}) as Partial<Cdr>;
      return credit === true || (cost?.excl_vat ?? 0) < 0 ? String(of).toLowerCase() : undefined;
    },
    take: (bus, _cdr: Cdr, { bodyJson }) => bus.ask(receiveCdr, { bodyJson }),
  },
];

/** How far back Sessions are asked for at first: date_from is required. */
export const SESSIONS_BACK_MS = 7 * 86_400_000;

export interface TakenIn {
  readonly differences: readonly Difference[];
  readonly seen: readonly { readonly party: Party; readonly key: string }[];
}

/** What is listed is there, also where it cannot be read; one that does not say whose it is may be of any of the partner's. TRN-57. */
function listedAs(partner: Partner, kind: Kind, object: unknown): TakenIn['seen'][number][] {
  const { country_code, party_id, id, uid, type } = (object ?? {}) as Record<string, unknown>;
  const names = kind.module === 'tokens' ? [uid, type] : [id];
  if (!names.every((one) => typeof one === 'string')) return [];
  const key = kind.keyOf({ id, uid, type } as never);
  const isNamed = typeof country_code === 'string' && typeof party_id === 'string';
  const owners = isNamed ? [{ country_code, party_id }].filter((party) => hasParty(partner, party)) : partiesOf(partner);
  return owners.map((party) => ({ party, key }));
}

/** TRN-55: each object for itself; TRN-73: others' are left alone. `replaced` gives of some what is replaced whatever its age. */
export async function takeIn(
  bus: Bus, partner: Partner, kind: Kind, objects: readonly unknown[],
  { askedAt, replaced }: Pick<AskedAt, 'askedAt'> & { replaced?: ReadonlyMap<string, string> },
): Promise<TakenIn> {
  const differences: Difference[] = [];
  const seen: { party: Party; key: string }[] = [];
  const takeOne = async (object: unknown) => {
    const reading = read(kind.schema, object);
    const { id, ...owner } = (object ?? {}) as Owned;
    if (!reading.ok) {
      differences.push({
        objectKey: wordOf(id) ?? wordOf((object as { uid?: unknown } | null)?.uid) ?? '?',
        what: 'invalid',
        detail: reading.message,
      });
      seen.push(...listedAs(partner, kind, object));
      return;
    }
    if (!hasParty(partner, owner)) return;
    const objectKey = kind.keyOf(reading.value as never);
    seen.push({ party: { country_code: owner.country_code, party_id: owner.party_id }, key: objectKey });
    const text = JSON.stringify(object);
    const unfit = unfitText(text);
    if (unfit !== undefined) {
      differences.push({ objectKey, what: 'invalid', detail: `holds ${unfit}, which is no text` });
      return;
    }
    const replaces = replaced?.get(objectKey);
    try {
      const bodyJson = toJsonBytes(text);
      const { change } = await kind.take(bus, reading.value as never, { bodyJson, askedAt, ...(replaces === undefined ? {} : { replaces }) });
      if (change === Change.CREATED) differences.push({ objectKey, what: 'missing', detail: 'it was not here' });
      if (change === Change.UPDATED) differences.push({ objectKey, what: 'changed', detail: 'it was older here' });
    } catch (error) {
      if (!(error instanceof Refused) || passes(error)) throw error;
      differences.push({ objectKey, what: 'invalid', detail: `${error.code}: ${error.detail}` });
    }
  };
  const behind = Map.groupBy(objects, (one) => kind.behind?.(one));
  await Promise.all((behind.get(undefined) ?? []).map(takeOne));
  behind.delete(undefined);
  await Promise.all([...behind.values()].map(async (those) => {
    for (const one of those) await takeOne(one);
  }));
  return { differences, seen };
}

/** What is no id may be anything. */
function wordOf(id: unknown): string | undefined {
  return typeof id === 'string' || typeof id === 'number' ? String(id).slice(0, 100) : undefined;
}

/** Of whom a list is asked: of a hub what is for all of itself, Sessions and CDRs of each party behind it. */
export function targets(partner: Partner, { whole }: Kind): { of: string; party: Party | undefined }[] {
  if (!isHub(partner) || whole) return [{ of: '', party: isHub(partner) ? spokesman(partner, ['HUB']) : only(partner) }];
  // A hub of 2.3.0 lists them among its roles.
  const through = { ...partner, roles: partner.roles.filter(({ role }) => role !== 'HUB') };
  return partiesOf(through).map((party) => ({ of: partyText(party), party }));
}

/** HUB-04: a party is named; of several, those that the platform lists are not told apart by whom we name. */
function only(partner: Partner): Party | undefined {
  const parties = partiesOf(partner);
  return parties.every((party) => sameParty(party, parties[0]!)) ? parties[0] : undefined;
}
