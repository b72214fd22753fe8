import { type Bus, isAskFailure } from '#bus';
import { fromJsonBytes } from '#contracts';
import { listLocations } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import type { Party } from '#contracts/party';
import { getTariff, listTariffs } from '#contracts/tariff-engine';
import { isFor, type PartyTerms } from '#settlement';
import { taxCodesIn } from '#taxes';

type Named = Pick<Party, 'countryCode' | 'partyId'>;

export interface Grants {
  readonly tariffs: readonly string[];
  readonly locations?: readonly string[] | undefined;
  readonly smart_charging?: readonly SmartCharging[];
}

interface SmartCharging {
  readonly token_party: { readonly country_code: string; readonly party_id: string };
  readonly locations: readonly string[];
}

/** So many of what there is are named to whoever named something else. */
const SHOWN = 10;

/**
 * What an agreement names that is not here: it may come later, and so is no reason to refuse, but a
 * pattern that is mistyped would hide what a partner is to see, and nobody would hear of it.
 */
export async function agreementWarnings(
  bus: Bus,
  { own, partner, isOurs, parties, grants }: {
    own: Named; partner: Named; isOurs: boolean; parties: readonly Pick<PartyTerms, 'country_code' | 'party_id' | 'country' | 'registrations'>[]; grants: Grants | undefined;
  },
): Promise<string[]> {
  const checks = [
    isOurs ? [] : unknownPartner(bus, partner),
    unknownLocations(bus, own, grants?.locations ?? []),
    unknownTariffs(bus, own, grants?.tariffs ?? []),
    notSmartCharging(bus, { own, partner, granted: grants?.smart_charging ?? [] }),
  ];
  const said = await Promise.allSettled(checks);
  return [...strangeRegistrations(parties), ...said.flatMap((one, n) =>
    one.status === 'fulfilled' ? one.value : [`${CHECKED[n]}: could not be checked now, whether they are here`],
  )];
}

const CHECKED = ['parties', 'grants.locations', 'grants.tariffs', 'grants.smart_charging'];

/** A fee carries a tax only where its supplier is registered for it: by another name (TVQ) it would carry none. */
function strangeRegistrations(parties: Parameters<typeof agreementWarnings>[1]['parties']): string[] {
  return parties.flatMap(({ country_code: countryCode, party_id: partyId, country, registrations }, n) => {
    const codes = taxCodesIn(country);
    return registrations.filter((one) => codes?.some((code) => isFor(one, code)) === false).map(({ tax }) =>
      `parties[${n}].registrations: "${tax}" of ${textOf({ countryCode, partyId })} is none of ${codes!.join(', ')}: no fee of theirs carries it`);
  });
}

/** OCPI 2.1.1 has no Credit CDR, and what replaces one would be a second bill there (docs/adr/0018). */
export async function correctionWarnings(bus: Bus, tokenParty: Named): Promise<string[]> {
  const [answer] = await bus.askMany(listPartners, [{}]);
  if (!answer || isAskFailure(answer)) return ['whether its partner can be told of it could not be seen now: the dead letters have it if not'];
  const partner = answer.partners.find(({ state, version, roles }) =>
    state === 'registered' && version === '2.1.1' && roles.some(({ party }) => party && textOf(party) === textOf(tokenParty)));
  if (!partner) return [];
  return [`${partner.name} speaks OCPI 2.1.1, which has no Credit CDR: neither the credit nor what replaces it is sent there, settle it by other means`];
}

async function unknownPartner(bus: Bus, partner: Named): Promise<string[]> {
  const { partners } = await bus.ask(listPartners, {});
  const known = new Set(partners.filter(({ state }) => state !== 'unregistered')
    .flatMap(({ roles, invited, behind }) => [
      ...[...roles, ...invited].flatMap(({ party }) => (party ? [textOf(party)] : [])), ...behind.map(textOf),
    ]));
  if (known.has(textOf(partner))) return [];
  return [`parties: no partner is ${textOf(partner)} yet; there is ${listed([...known].sort())}`];
}

/** A provider that has no such role asks for nothing; Locations of others, where our own drivers charge, are not looked at. */
async function notSmartCharging(
  bus: Bus, { own, partner, granted }: { own: Named; partner: Named; granted: readonly SmartCharging[] },
): Promise<string[]> {
  if (granted.length === 0) return [];
  const { partners } = await bus.ask(listPartners, {});
  const roles = partners.filter(({ state }) => state === 'registered').flatMap((one) => one.roles)
    .filter(({ party }) => party && textOf(party) === textOf(partner)).map(({ role }) => role);
  const isOther = roles.length > 0 && !roles.includes('SCSP');
  const atOurs = granted.filter(({ token_party: { country_code: countryCode, party_id: partyId } }) =>
    textOf({ countryCode, partyId }) !== textOf(own));
  return [
    ...(isOther ? [`grants.smart_charging: ${textOf(partner)} is ${listed(roles)} and no SCSP`] : []),
    ...await unknownLocations(bus, own, atOurs.flatMap(({ locations }) => locations), 'grants.smart_charging.locations'),
  ];
}

async function unknownLocations(bus: Bus, owner: Named, ids: readonly string[], where = 'grants.locations'): Promise<string[]> {
  const ask = (more: object, limit = 1) => bus.ask(listLocations, { page: { offset: 0, limit }, owner, withPrivate: true, ...more });
  const unknown = await missing(ids, async (id) => (await ask({ granted: [{ owner, ids: [id] }] })).objectsJson.length > 0);
  if (unknown.length === 0) return [];
  const { objectsJson, total } = await ask({}, SHOWN);
  return [warning(where, 'no Location of yours is like', unknown, objectsJson, total)];
}

async function unknownTariffs(bus: Bus, owner: Named, ids: readonly string[]): Promise<string[]> {
  const unknown = await missing(ids, async (tariffId) => (await bus.ask(getTariff, { party: owner, tariffId })).tariffJson !== undefined);
  if (unknown.length === 0) return [];
  const { objectsJson, total } = await bus.ask(listTariffs, { page: { offset: 0, limit: SHOWN }, owner });
  return [warning('grants.tariffs', 'you have no tariff', unknown, objectsJson, total)];
}

async function missing(ids: readonly string[], isThere: (id: string) => Promise<boolean>): Promise<string[]> {
  const there = await Promise.all(ids.map(isThere));
  return ids.filter((_id, n) => !there[n]);
}

function warning(where: string, what: string, unknown: readonly string[], objectsJson: readonly Uint8Array[], total: number): string {
  const known = objectsJson.map((bytes) => fromJsonBytes<{ id: string }>(bytes).id);
  return `${where}: ${what} ${listed(unknown.map((id) => `"${id}"`))}; there is ${listed(known, total)}`;
}

function listed(names: readonly string[], total = names.length): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, SHOWN);
  return shown.join(', ') + (total > shown.length ? ` and ${total - shown.length} more` : '');
}

function textOf({ countryCode, partyId }: Named): string {
  return `${countryCode}*${partyId}`.toUpperCase();
}
