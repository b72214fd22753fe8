import {
  type Cdr, creditCdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, type Location, type Party,
  type Session, type Tariff, type Token,
} from '#ocpi';
import type { Fault } from './peer-faults.ts';

const own = { country_code: 'CA', party_id: 'BCT' };
const at = (minute: number) => `2022-02-01T17:${String(minute).padStart(2, '0')}:00Z`;

export interface Owned {
  readonly locations: unknown[];
  readonly sessions: unknown[];
  readonly cdrs: unknown[];
  readonly tariffs: unknown[];
  readonly tokens: unknown[];
}

/** What the platform has to show to a partner whose party is `client`. */
export function ownedObjects(client: Party, has: (fault: Fault) => boolean, isLiberal = false): Owned {
  const cdr_token = { ...exampleSession.cdr_token, ...client };
  const locations = Array.from({ length: 5 }, (_, n): Location => ({
    ...exampleLocation, id: `Site-${n}`, last_updated: at(n * 2),
    evses: exampleLocation.evses!.map((evse) => ({ ...evse, uid: has('an EVSE.uid is used twice') ? evse.uid : `${evse.uid}-${n}` })),
  }));
  const sessions = Array.from({ length: 3 }, (_, n): Session => ({ ...exampleSession, id: `S-${n}`, cdr_token, last_updated: at(n) }));
  const cdrs = Array.from({ length: 3 }, (_, n): Cdr => ({ ...exampleCdr, id: `C-${n}`, cdr_token, last_updated: at(n) }));
  const tariffs = Array.from({ length: 4 }, (_, n): Tariff => ({ ...exampleTariff, id: `T-${n}`, last_updated: at(n) }));
  const tokens = Array.from({ length: 3 }, (_, n): Token => ({
    ...exampleToken,
    ...own,
    uid: `04AB${n}`,
    valid: n > 0,
    last_updated: at(n),
  }));
  return {
    locations: [...(isLiberal ? [{ ...locations[0]!, party_id: 'ELS' }] : []), ...locations.map((location) => broken(location, has))],
    sessions: has('Sessions of other eMSPs are listed')
      ? [...sessions, { ...exampleSession, id: 'S-9', last_updated: at(9) }]
      : sessions,
    cdrs: [...cdrs.map((cdr, n) => (n === 0 ? oddCdr(cdr, has) : n === 2 && isLiberal ? shortCdr(cdr) : cdr)), credit(cdrs[1]!, has)],
    tariffs: has('fields are named in camel case')
      ? tariffs.map((tariff) => JSON.parse(JSON.stringify(tariff).replaceAll('"country_code"', '"countryCode"')))
      : has('prices are text')
      ? tariffs.map((tariff) => JSON.parse(JSON.stringify(tariff).replaceAll(/"price":([\d.]+)/g, '"price":"$1"')))
      : tariffs,
    tokens,
  };
}

function broken(location: Location, has: (fault: Fault) => boolean): unknown {
  if (has('coordinates are numbers')) return { ...location, coordinates: { latitude: 49.248809, longitude: -123.0023 } };
  if (has('a Location has a country of two letters')) return { ...location, country: 'CA' };
  if (has('last_updated has an offset')) return { ...location, last_updated: location.last_updated.replace('Z', '+00:00') };
  if (has('a Location is older than its EVSE'))
    return { ...location, evses: location.evses!.map((evse) => ({ ...evse, last_updated: at(59) })) };
  const [evse, ...evses] = location.evses!;
  if (has('an EVSE is older than its Connector'))
    return { ...location, evses: [{ ...evse!, last_updated: '2015-01-01T00:00:00Z' }, ...evses] };
  if (has('a Connector.id is used twice in an EVSE'))
    return { ...location, evses: [{ ...evse!, connectors: [...evse!.connectors, evse!.connectors[0]!] }, ...evses] };
  if (has('a Location is closed at all times')) return { ...location, opening_times: { twentyfourseven: false } };
  return location;
}

function oddCdr(cdr: Cdr, has: (fault: Fault) => boolean): Cdr {
  const [first, ...rest] = cdr.charging_periods;
  const scaled = (type: string, by: number): Cdr => ({
    ...cdr,
    charging_periods: [
      {
        ...first!,
        dimensions: first!.dimensions.map((one) => (one.type === type ? { ...one, volume: one.volume * by } : one)),
      },
      ...rest,
    ],
  });
  if (has('a CDR has a state of charge')) return withStateOfCharge(cdr);
  if (has('a CDR has its times in minutes')) return { ...scaled('TIME', 60), total_time: cdr.total_time * 60 };
  if (has('a CDR has its energy in Wh')) return scaled('ENERGY', 1_000);
  return has('the costs of a CDR do not add up') ? { ...cdr, total_energy_cost: { excl_vat: 99 } } : cdr;
}

/** Of the optional parts of its price one, and of what costs nothing in a period no volume. */
function shortCdr({ total_parking_cost: _, ...cdr }: Cdr): Cdr {
  const [first, ...rest] = cdr.charging_periods;
  const dimensions = first!.dimensions.filter(({ type }) => type !== 'TIME');
  return { ...cdr, charging_periods: [{ ...first!, dimensions: dimensions.length > 0 ? dimensions : first!.dimensions }, ...rest] };
}

function withStateOfCharge(cdr: Cdr): Cdr {
  const [first, ...rest] = cdr.charging_periods;
  return { ...cdr, charging_periods: [{ ...first!, dimensions: [{ type: 'STATE_OF_CHARGE', volume: 80 }] }, ...rest] };
}

function credit(cdr: Cdr, has: (fault: Fault) => boolean): Cdr {
  const made = creditCdr(cdr, at(5));
  return has('a Credit CDR negates its energy') ? { ...made, total_energy: -made.total_energy } : made;
}
