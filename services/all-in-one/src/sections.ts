import { describedOffers } from '#grants';
import { Location, locationFaults, read, Tariff } from '#ocpi';
import { BadSettings, checkSettings, type Env, readParties, readSettings, type Settings } from '#settings';
import { ledgerSettings } from '../../cdr-ledger/src/config.ts';
import { meterKeys } from '../../cdr-ledger/src/meters.ts';
import { signingOf } from '../../cdr-ledger/src/proving.ts';
import { retailSettings } from '../../cdr-ledger/src/retail-config.ts';
import { sitesOf } from '../../evems-controller/src/config.ts';
import { locationsOf } from '../../locations/src/config.ts';
import { describedLocation } from '../../locations/src/own-locations.ts';
import { hubSettings, ocpiSettings } from '../../ocpi-gateway/src/config.ts';
import { configOf as ocppConfig, stationsOf } from '../../ocpp-gateway/src/config.ts';
import { configOf as portalConfig, driversOf } from '../../portal/src/config.ts';
import { configOf as sessionsConfig } from '../../sessions/src/config.ts';
import { tariffsOf } from '../../tariff-engine/src/config.ts';
import { describedLocations } from '../../tariff-engine/src/metered-evses.ts';

/** What the services read of the settings. Each throws BadSettings for the first section that it cannot read. */
const readers: readonly ((settings: Settings) => unknown)[] = [
  checkTariffs,
  describedOffers,
  checkLocations,
  describedLocations,
  stationsOf,
  ocppConfig,
  sitesOf,
  sessionsConfig,
  (settings) => meterKeys(settings, () => true),
  (settings) => signingOf(settings, ledgerSettings(settings)),
  retailSettings,
  ocpiSettings,
  hubSettings,
  driversOf,
  portalConfig,
];

/**
 * Reads the whole roamwatt.yaml as the services will: what is wrong with it is said at once and before anything is
 * started, not section by section. Throws BadSettings that names every fault.
 */
export function checkSections(env: Env): void {
  const file = env['ROAMWATT_CONFIG'] ?? '';
  const own = faultOf(() => readParties(file)) ?? faultsOf(readSettings(env));
  const faults = [own, faultOf(() => checkSettings(file))].flatMap((all) => all?.split('\n') ?? []);
  if (faults.length > 0) throw new BadSettings([...new Set(faults)].join('\n'));
}

function faultsOf(settings: Settings): string | undefined {
  const faults = readers.flatMap((reader) => faultOf(() => reader(settings)) ?? []);
  return faults.length > 0 ? faults.join('\n') : undefined;
}

function faultOf(readIt: () => unknown): string | undefined {
  try {
    readIt();
    return undefined;
  } catch (error) {
    if (error instanceof BadSettings) return error.message;
    throw error;
  }
}

/** Any instant will do: statuses and instants of last change are not in the settings. */
const AT = '2000-01-01T00:00:00Z';

function checkTariffs(settings: Settings): void {
  const faults = tariffsOf(settings).flatMap((one, index) => {
    const owner = settings.parties.ownerOf(one, 'CPO');
    if (!owner.ok) return [`tariffs.${index} (${one.id}): ${owner.message}`];
    const { country_code, party_id } = owner.party;
    const valid = read(Tariff, { ...one, country_code, party_id, last_updated: AT });
    return valid.ok ? [] : [`tariffs.${index} (${one.id}).${valid.message}`];
  });
  refuse(settings, faults);
}

function checkLocations(settings: Settings): void {
  const faults = locationsOf(settings).flatMap((one, index) => {
    const at = `locations.${index} (${one.id})`;
    const owner = settings.parties.ownerOf(one, 'CPO');
    if (!owner.ok) return [`${at}: ${owner.message}`];
    const location = describedLocation(one, owner.party, undefined, AT);
    const valid = read(Location, location);
    if (!valid.ok) return [`${at}.${valid.message}`];
    return locationFaults(valid.value).map((fault) => `${at}.${fault.at}: ${fault.what} (OCPI 2.2.1)`);
  });
  refuse(settings, faults);
}

function refuse({ file }: Settings, faults: readonly string[]): void {
  if (faults.length > 0) throw new BadSettings(faults.map((fault) => `${file}: ${fault}`).join('\n'));
}
