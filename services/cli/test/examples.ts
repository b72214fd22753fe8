// What the tests price: thirteen kWh in two hours, by energy and by time.

export const tariff = {
  country_code: 'CA',
  party_id: 'OAS',
  id: 'T1',
  currency: 'CAD',
  elements: [
    {
      price_components: [
        { type: 'ENERGY', price: 0.24, vat: 5, step_size: 1 },
        { type: 'TIME', price: 1.5, vat: 5, step_size: 1 },
      ],
    },
  ],
  last_updated: '2026-01-01T00:00:00Z',
};

/** Dearer from ten o'clock on. */
export const byTheClock = {
  ...tariff,
  id: 'T2',
  elements: [
    {
      price_components: [{ type: 'TIME', price: 3, vat: 5, step_size: 1 }],
      restrictions: { start_time: '10:00' },
    },
    { price_components: [{ type: 'TIME', price: 1.5, vat: 5, step_size: 1 }] },
  ],
};

export const periods = [
  {
    start_date_time: '2026-11-15T17:00:00Z',
    dimensions: [
      { type: 'ENERGY', volume: 7 },
      { type: 'TIME', volume: 1 },
    ],
  },
  {
    start_date_time: '2026-11-15T18:00:00Z',
    dimensions: [
      { type: 'ENERGY', volume: 6 },
      { type: 'TIME', volume: 1 },
    ],
  },
];

export const cdr = {
  id: 'C1',
  start_date_time: '2026-11-15T17:00:00Z',
  end_date_time: '2026-11-15T19:00:00Z',
  currency: 'CAD',
  tariffs: [tariff],
  charging_periods: periods,
};

export const total = { excl_vat: '6.12', incl_vat: '6.43' };
export const unrounded = { excl_vat: '6.12', incl_vat: '6.426' };
