import { secret } from './start-example.ts';

/**
 * The two platforms of the roaming test of 1 February 2022 as settings files: Energy OASIS, a charge
 * point operator in Burnaby with two DC fast chargers and ten Level-2 EVSEs on a feed that carries
 * six, and Carbon Plunk, a mobility provider. Secrets are made anew for every run.
 */

/** The instant at which the demo's clock starts: 09:00 in Vancouver. */
export const DEMO_EPOCH = '2022-02-01T17:00:00Z';

export interface StationSettings {
  readonly id: string;
  readonly password: string;
}

const LEVEL_2_COUNT = 10;
const two = (n: number): string => String(n).padStart(2, '0');

export const levelTwoStation = (n: number): string => `OASIS-L2-${two(n)}`;
export const fastStation = (n: number): string => `OASIS-DC-${two(n)}`;

export const fleetCard = (n: number): string => `F1EE70${two(n)}`;

const gst = 5;

const tariffs = [
  {
    id: 'LEVEL-2',
    currency: 'CAD',
    type: 'REGULAR',
    tariff_alt_text: [{ language: 'en', text: 'Level 2: by energy and by time' }],
    elements: [
      {
        price_components: [
          { type: 'ENERGY', price: 0.24, vat: gst, step_size: 1 },
          { type: 'TIME', price: 1.5, vat: gst, step_size: 1 },
        ],
      },
    ],
  },
  {
    id: 'FAST-DC',
    currency: 'CAD',
    type: 'REGULAR',
    tariff_alt_text: [{ language: 'en', text: 'Fast charging: by energy and by time' }],
    elements: [
      {
        price_components: [
          { type: 'FLAT', price: 1, vat: gst, step_size: 1 },
          { type: 'ENERGY', price: 0.38, vat: gst, step_size: 1 },
          { type: 'TIME', price: 4.8, vat: gst, step_size: 1 },
        ],
      },
    ],
  },
];

function levelTwoEvse(n: number) {
  return {
    uid: `L2-${two(n)}`,
    evse_id: `CA*BCT*EL2${two(n)}`,
    physical_reference: `Stall ${n}`,
    capabilities: ['REMOTE_START_STOP_CAPABLE', 'RFID_READER', 'CHARGING_PROFILE_CAPABLE'],
    station: levelTwoStation(n),
    connectors: [
      {
        id: '1',
        station_connector: 1,
        standard: 'IEC_62196_T1',
        format: 'CABLE',
        power_type: 'AC_2_PHASE',
        max_voltage: 208,
        max_amperage: 32,
        max_electric_power: 6656,
        tariff_ids: ['LEVEL-2'],
      },
    ],
  };
}

/** One EVSE with two cables: only one of them charges at a time. */
function fastEvse(n: number) {
  const cable = { format: 'CABLE', power_type: 'DC', max_voltage: 500, max_electric_power: 50_000 };
  return {
    uid: `DC-${two(n)}`,
    evse_id: `CA*BCT*EDC${two(n)}`,
    physical_reference: `Fast charger ${n}`,
    capabilities: ['REMOTE_START_STOP_CAPABLE', 'RFID_READER', 'START_SESSION_CONNECTOR_REQUIRED'],
    station: fastStation(n),
    connectors: [
      { id: '1', station_connector: 1, standard: 'IEC_62196_T1_COMBO', max_amperage: 125, tariff_ids: ['FAST-DC'], ...cable },
      { id: '2', station_connector: 2, standard: 'CHADEMO', max_amperage: 125, tariff_ids: ['FAST-DC'], ...cable },
    ],
  };
}

export function energyOasis() {
  const levelTwo = Array.from({ length: LEVEL_2_COUNT }, (_, i) => i + 1);
  const fast = [1, 2];
  const stations: StationSettings[] = [...fast.map(fastStation), ...levelTwo.map(levelTwoStation)].map((id) => ({
    id,
    password: secret(),
  }));
  return {
    party: {
      country_code: 'CA',
      party_id: 'BCT',
      name: 'Energy OASIS',
      website: 'https://energy-oasis.example',
      roles: ['CPO'],
      currency: 'CAD',
    },
    tariffs,
    locations: [
      {
        id: 'BURNABY',
        name: 'Energy OASIS Burnaby',
        publish: true,
        address: '3700 Willingdon Avenue',
        city: 'Burnaby',
        state: 'BC',
        postal_code: 'V5G 3H2',
        country: 'CAN',
        coordinates: { latitude: '49.25120', longitude: '-123.00310' },
        parking_type: 'PARKING_LOT',
        time_zone: 'America/Vancouver',
        opening_times: { twentyfourseven: true },
        evses: [...fast.map(fastEvse), ...levelTwo.map(levelTwoEvse)],
      },
    ],
    stations,
    // 240 A of the feed, used at 80 % without end: six times 32 A.
    sites: [
      {
        id: 'BURNABY-L2',
        feeder: { name: 'Level-2 panel', limit_a: 192, voltage_v: 208 },
        fail_safe_a: 6,
        lease_s: 900,
        chargers: levelTwo.map((n) => ({ station: levelTwoStation(n), connector: 1, max_a: 32 })),
      },
    ],
    // The campus fleet has cards of Energy OASIS itself: no partner is told of their charges.
    drivers: [
      {
        email: 'fleet@energy-oasis.example',
        password: secret(),
        name: 'Campus fleet',
        contract_id: 'CA-BCT-C00000001-X',
        tokens: levelTwo.map((n) => ({ uid: fleetCard(n), type: 'RFID', visual_number: `Fleet ${n}` })),
      },
    ],
    sessions: { update_every_s: 60, start_timeout_s: 30 },
    portal: { operator_keys: [secret()] },
    ocpi: { allow_private_urls: true },
  };
}

export function carbonPlunk() {
  return {
    party: {
      country_code: 'CA',
      party_id: 'CPK',
      name: 'Carbon Plunk',
      website: 'https://carbon-plunk.example',
      roles: ['EMSP'],
      currency: 'CAD',
    },
    drivers: [
      {
        email: 'avery@carbon-plunk.example',
        password: secret(),
        name: 'Avery',
        contract_id: 'CA-CPK-C00000001-J',
        tokens: [{ uid: 'APP-0000000001', type: 'APP_USER' }],
      },
      {
        email: 'blake@carbon-plunk.example',
        password: secret(),
        name: 'Blake',
        contract_id: 'CA-CPK-C00000002-H',
        tokens: [{ uid: '04A2B3C4D5E680', type: 'RFID', visual_number: 'CPK 0002' }],
      },
    ],
    portal: { operator_keys: [secret()] },
    ocpi: { allow_private_urls: true },
  };
}
