import type { Cdr, Location, Session, Tariff, Token } from '#ocpi';

/** One charge at Energy OASIS by a driver of Carbon Plunk, for the tests of this service. */

export const oasis = { country_code: 'CA', party_id: 'BCT' } as const;
export const carbonPlunk = { country_code: 'CA', party_id: 'CPK' } as const;

export const token: Token = {
  ...carbonPlunk,
  uid: '04A2B3C4D5E680',
  type: 'RFID',
  contract_id: 'CA-CPK-C00000002-H',
  issuer: 'Carbon Plunk',
  valid: true,
  whitelist: 'ALLOWED',
  last_updated: '2022-01-31T00:00:00Z',
};

export const cdrToken = {
  ...carbonPlunk,
  uid: token.uid,
  type: token.type,
  contract_id: token.contract_id,
} as const;

export const tariff: Tariff = {
  ...oasis,
  id: 'LEVEL-2',
  currency: 'CAD',
  type: 'REGULAR',
  last_updated: '2022-01-01T00:00:00Z',
  elements: [
    {
      price_components: [
        { type: 'ENERGY', price: 0.24, vat: 5, step_size: 1 },
        { type: 'TIME', price: 1.5, vat: 5, step_size: 1 },
      ],
    },
  ],
};

export const location: Location = {
  ...oasis,
  id: 'BURNABY',
  publish: true,
  name: 'Energy OASIS Burnaby',
  address: '3700 Willingdon Avenue',
  city: 'Burnaby',
  state: 'BC',
  postal_code: 'V5G 3H2',
  country: 'CAN',
  coordinates: { latitude: '49.25120', longitude: '-123.00310' },
  time_zone: 'America/Vancouver',
  last_updated: '2022-01-01T00:00:00Z',
  evses: [
    {
      uid: 'L2-01',
      evse_id: 'CA*BCT*EL201',
      status: 'CHARGING',
      last_updated: '2022-01-01T00:00:00Z',
      connectors: [
        {
          id: '1',
          standard: 'IEC_62196_T1',
          format: 'CABLE',
          power_type: 'AC_2_PHASE',
          max_voltage: 208,
          max_amperage: 32,
          max_electric_power: 6656,
          tariff_ids: ['LEVEL-2'],
          last_updated: '2022-01-01T00:00:00Z',
        },
      ],
    },
  ],
};

/** 09:00 to 10:20 in Vancouver: 6 kWh in an hour, then 20 minutes without power. */
export const session: Session = {
  ...oasis,
  id: '20220201-ABCDEFGHIJKL',
  start_date_time: '2022-02-01T17:00:00Z',
  end_date_time: '2022-02-01T18:20:00Z',
  kwh: 6,
  cdr_token: cdrToken,
  auth_method: 'COMMAND',
  authorization_reference: 'order-1',
  location_id: 'BURNABY',
  evse_uid: 'L2-01',
  connector_id: '1',
  currency: 'CAD',
  status: 'COMPLETED',
  last_updated: '2022-02-01T18:20:00Z',
  charging_periods: [
    {
      start_date_time: '2022-02-01T17:00:00Z',
      tariff_id: 'LEVEL-2',
      dimensions: [
        { type: 'ENERGY', volume: 6 },
        { type: 'TIME', volume: 1 },
        { type: 'POWER', volume: 6 },
      ],
    },
    {
      start_date_time: '2022-02-01T18:00:00Z',
      tariff_id: 'LEVEL-2',
      dimensions: [
        { type: 'PARKING_TIME', volume: 0.3333 },
        { type: 'STATE_OF_CHARGE', volume: 80 },
      ],
    },
  ],
};

/** As the ledger of Energy OASIS issues it for that session, a minute after it ended. */
export const cdr: Cdr = {
  ...oasis,
  id: `${session.id}-1`,
  start_date_time: session.start_date_time,
  end_date_time: '2022-02-01T18:20:00Z',
  session_id: session.id,
  cdr_token: cdrToken,
  auth_method: 'COMMAND',
  authorization_reference: 'order-1',
  cdr_location: {
    id: 'BURNABY',
    name: 'Energy OASIS Burnaby',
    address: '3700 Willingdon Avenue',
    city: 'Burnaby',
    postal_code: 'V5G 3H2',
    state: 'BC',
    country: 'CAN',
    coordinates: location.coordinates,
    evse_uid: 'L2-01',
    evse_id: 'CA*BCT*EL201',
    connector_id: '1',
    connector_standard: 'IEC_62196_T1',
    connector_format: 'CABLE',
    connector_power_type: 'AC_2_PHASE',
  },
  currency: 'CAD',
  tariffs: [tariff],
  charging_periods: [
    {
      start_date_time: '2022-02-01T17:00:00Z',
      tariff_id: 'LEVEL-2',
      dimensions: [
        { type: 'ENERGY', volume: 6 },
        { type: 'TIME', volume: 1 },
      ],
    },
    {
      start_date_time: '2022-02-01T18:00:00Z',
      tariff_id: 'LEVEL-2',
      dimensions: [{ type: 'PARKING_TIME', volume: 0.3333 }],
    },
  ],
  // 6 kWh × 0.24 + 1 h × 1.50; the tariff asks nothing for parking.
  total_cost: { excl_vat: 2.94, incl_vat: 3.09 },
  total_fixed_cost: { excl_vat: 0, incl_vat: 0 },
  total_energy: 6,
  total_energy_cost: { excl_vat: 1.44, incl_vat: 1.512 },
  total_time: 1.3333,
  total_time_cost: { excl_vat: 1.5, incl_vat: 1.575 },
  total_parking_time: 0.3333,
  total_parking_cost: { excl_vat: 0, incl_vat: 0 },
  total_reservation_cost: { excl_vat: 0, incl_vat: 0 },
  last_updated: '2022-02-01T18:21:00Z',
};
