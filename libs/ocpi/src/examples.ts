import type { Cdr } from './cdrs.ts';
import type { Connector, Evse, Location } from './locations.ts';
import { creditCdr } from './sent-cdrs.ts';
import type { Session } from './sessions.ts';
import type { Tariff } from './tariffs.ts';
import type { Token } from './tokens.ts';

// North American objects for tests: the CPO Energy OASIS (CA*BCT, Burnaby) and the eMSP Carbon Plunk
// (CA*CPK), one Level-2 charge of 1 February 2022.

const oasis = { country_code: 'CA', party_id: 'BCT' };
const plunk = { country_code: 'CA', party_id: 'CPK' };
const published = '2022-01-31T18:00:00Z';

function connector(id: string, standard: Connector['standard'], more: Partial<Connector>): Connector {
  return {
    id, standard, format: 'CABLE', power_type: 'DC', max_voltage: 500, max_amperage: 125, max_electric_power: 50_000,
    tariff_ids: ['DC-FAST'], last_updated: published, ...more,
  };
}

/** A DC fast charger with two cables is one EVSE with two Connectors. */
const dcFast: Evse = {
  uid: 'DC1',
  evse_id: 'CA*BCT*EDC1',
  status: 'AVAILABLE',
  capabilities: ['REMOTE_START_STOP_CAPABLE', 'RFID_READER', 'UNLOCK_CAPABLE'],
  connectors: [connector('1', 'IEC_62196_T1_COMBO', {}), connector('2', 'CHADEMO', {})],
  physical_reference: 'DC 1',
  parking_restrictions: ['EV_ONLY'],
  last_updated: published,
};

/** 208 V between two of three phases is AC_2_PHASE; a J1772 plug is IEC_62196_T1. */
const level2: Evse = {
  uid: 'L2-01',
  evse_id: 'CA*BCT*EL201',
  status: 'AVAILABLE',
  capabilities: ['CHARGING_PROFILE_CAPABLE', 'REMOTE_START_STOP_CAPABLE', 'RFID_READER'],
  connectors: [connector('1', 'IEC_62196_T1', {
    power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32, max_electric_power: 6_656, tariff_ids: ['L2'],
  })],
  last_updated: published,
};

export const exampleLocation: Location = {
  ...oasis,
  id: 'OASIS-BBY',
  publish: true,
  name: 'Energy OASIS',
  address: '3700 Willingdon Avenue',
  city: 'Burnaby',
  postal_code: 'V5G 3H2',
  state: 'BC',
  country: 'CAN',
  coordinates: { latitude: '49.248809', longitude: '-123.002300' },
  parking_type: 'PARKING_LOT',
  evses: [dcFast, level2],
  operator: { name: 'Energy OASIS', website: 'https://oasis.example' },
  facilities: ['PARKING_LOT', 'WIFI'],
  time_zone: 'America/Vancouver',
  opening_times: { twentyfourseven: true },
  last_updated: published,
};

/** 0.30 CAD a kWh while charging, 3 CAD an hour of parking after it; 5 % GST. */
export const exampleTariff: Tariff = {
  ...oasis,
  id: 'L2',
  currency: 'CAD',
  type: 'REGULAR',
  tariff_alt_text: [{ language: 'en', text: 'Please move your car when it is full.' }],
  elements: [
    { price_components: [{ type: 'ENERGY', price: 0.3, vat: 5, step_size: 1 }] },
    { price_components: [{ type: 'PARKING_TIME', price: 3, vat: 5, step_size: 60 }] },
  ],
  last_updated: published,
};

export const exampleToken: Token = {
  ...plunk,
  uid: '04A1B2C3D4E5F6',
  type: 'RFID',
  contract_id: 'CA-CPK-C00000017-2',
  visual_number: '0017',
  issuer: 'Carbon Plunk',
  valid: true,
  whitelist: 'ALLOWED',
  language: 'en',
  last_updated: '2022-01-15T20:00:00Z',
};

const { country_code, party_id, uid, type, contract_id } = exampleToken;
const cdr_token = { country_code, party_id, uid, type, contract_id };

/** Two hours on a Level-2 plug, 12.4 kWh, and a quarter of an hour full. */
export const exampleSession: Session = {
  ...oasis,
  id: 'S-20220201-0001',
  start_date_time: '2022-02-01T17:00:00Z',
  end_date_time: '2022-02-01T19:15:00Z',
  kwh: 12.4,
  cdr_token,
  auth_method: 'WHITELIST',
  location_id: exampleLocation.id,
  evse_uid: level2.uid,
  connector_id: '1',
  currency: 'CAD',
  charging_periods: [
    {
      start_date_time: '2022-02-01T17:00:00Z', tariff_id: 'L2',
      dimensions: [{ type: 'ENERGY', volume: 12.4 }, { type: 'TIME', volume: 2 }, { type: 'MAX_CURRENT', volume: 30 }],
    },
    {
      start_date_time: '2022-02-01T19:00:00Z', tariff_id: 'L2',
      dimensions: [{ type: 'PARKING_TIME', volume: 0.25 }],
    },
  ],
  total_cost: { excl_vat: 4.47, incl_vat: 4.6935 },
  status: 'COMPLETED',
  last_updated: '2022-02-01T19:15:00Z',
};

export const exampleCdr: Cdr = {
  ...oasis,
  id: `${exampleSession.id}-1`,
  start_date_time: exampleSession.start_date_time,
  end_date_time: '2022-02-01T19:15:00Z',
  session_id: exampleSession.id,
  cdr_token,
  auth_method: 'WHITELIST',
  cdr_location: {
    id: exampleLocation.id,
    name: 'Energy OASIS',
    address: exampleLocation.address,
    city: exampleLocation.city,
    postal_code: 'V5G 3H2',
    state: 'BC',
    country: 'CAN',
    coordinates: exampleLocation.coordinates,
    evse_uid: level2.uid,
    evse_id: 'CA*BCT*EL201',
    connector_id: '1',
    connector_standard: 'IEC_62196_T1',
    connector_format: 'CABLE',
    connector_power_type: 'AC_2_PHASE',
  },
  currency: 'CAD',
  tariffs: [exampleTariff],
  charging_periods: exampleSession.charging_periods ?? [],
  total_cost: { excl_vat: 4.47, incl_vat: 4.6935 },
  total_energy: 12.4,
  total_energy_cost: { excl_vat: 3.72, incl_vat: 3.906 },
  total_time: 2.25,
  total_parking_time: 0.25,
  total_parking_cost: { excl_vat: 0.75, incl_vat: 0.7875 },
  last_updated: '2022-02-01T19:15:05Z',
};

export const exampleCreditCdr: Cdr = creditCdr(exampleCdr, '2022-02-03T18:00:00Z');
