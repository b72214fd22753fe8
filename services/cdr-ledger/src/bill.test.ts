import { expect, test } from 'vitest';
import { Cdr, read, type Session } from '#ocpi';
import { carbonPlunk, cdr, location, session, tariff, token } from '../test/charge.ts';
import { billOf, type EndedSession, UnsoundSession, whyUnbillable } from './bill.ts';

const at = cdr.last_updated;
const ended: EndedSession = {
  session,
  location,
  tariff,
  tariffVersion: 3,
  token,
  energyWh: '6000',
};

function bill(more: Partial<EndedSession> = {}, changed: Partial<Session> = {}) {
  return billOf({ ...ended, ...more, session: { ...session, ...changed } }, at);
}

test('a CDR is the session with the place, tariff and token of its start, and all totals', () => {
  const { cdr: billed, pricing } = bill();
  expect(billed).toEqual(cdr);
  expect(pricing).toEqual({
    timeZone: 'America/Vancouver',
    tzdb: expect.stringMatching(/^\d{4}[a-z]$/),
    tariffVersion: 3,
    unrounded: { exclVat: '2.94', inclVat: '3.087' },
  });
});

test('a CDR is valid OCPI 2.2.1', () => expect(read(Cdr, bill().cdr)).toMatchObject({ ok: true }));

test('what only a Session may hold is left out; a period of which nothing is left keeps its place', () => {
  const charging_periods = [
    ...session.charging_periods!,
    {
      start_date_time: '2022-02-01T18:10:00Z',
      dimensions: [{ type: 'STATE_OF_CHARGE' as const, volume: 81 }],
    },
  ];
  expect(bill({}, { charging_periods }).cdr.charging_periods).toEqual([
    ...cdr.charging_periods,
    { start_date_time: '2022-02-01T18:10:00Z', dimensions: [{ type: 'ENERGY', volume: 0 }] },
  ]);
});

test('a session without periods is billed for its energy, and for no time that nobody measured', () => {
  const { cdr: billed } = bill({ energyWh: '1500' }, { charging_periods: [] });
  expect(billed.charging_periods).toEqual([
    {
      start_date_time: session.start_date_time,
      tariff_id: 'LEVEL-2',
      dimensions: [{ type: 'ENERGY', volume: 1.5 }],
    },
  ]);
  expect(billed).toMatchObject({
    total_energy: 1.5,
    total_cost: { excl_vat: 0.36, incl_vat: 0.38 },
    total_time: 1.3333,
  });
});

test('the total is rounded once, and its parts keep the decimals that add up to it', () => {
  const charging_periods = [
    {
      start_date_time: session.start_date_time,
      tariff_id: 'LEVEL-2',
      dimensions: [
        { type: 'ENERGY' as const, volume: 0.021 },
        { type: 'TIME' as const, volume: 0.0033 },
      ],
    },
  ];
  const { cdr: billed } = bill({ energyWh: '21' }, { charging_periods });
  // 0.00504 + 0.00495 = 0.00999
  expect(billed).toMatchObject({
    total_energy_cost: { excl_vat: 0.005 },
    total_time_cost: { excl_vat: 0.005 },
    total_cost: { excl_vat: 0.01 },
  });
});

test('energy is exact to a tenth of a watt hour', () => {
  const charging_periods = [
    {
      start_date_time: session.start_date_time,
      tariff_id: 'LEVEL-2',
      dimensions: [{ type: 'ENERGY' as const, volume: 5.4321 }],
    },
  ];
  expect(bill({ energyWh: '5432.06' }, { charging_periods }).cdr.total_energy).toBe(5.4321);
});

test('an address that is too long for a CDR is cut, and an EVSE without evse_id says so', () => {
  const [evse] = location.evses!;
  const { evse_id: _, ...nameless } = evse!;
  const place = {
    ...location,
    address: 'A very long address that has more than 45 characters in it',
    evses: [nameless],
  };
  expect(bill({ location: place }).cdr.cdr_location).toMatchObject({
    address: 'A very long address that has more than 45 cha',
    evse_id: '#NA',
  });
});

test('periods that do not add up to the energy are not billed', () => {
  expect(() => bill({ energyWh: '6001' })).toThrow(UnsoundSession);
});

test('a place that the Location does not have is not billed', () => {
  expect(() => bill({}, { evse_uid: 'L2-99' })).toThrow(
    /EVSE L2-99, connector 1, which Location BURNABY did not have/,
  );
});

test('PRC-14 a reservation that nobody used is billed where its tariff prices that, and its time is known', () => {
  const [element] = tariff.elements;
  const priced = { ...tariff, elements: [{ ...element!, restrictions: { reservation: 'RESERVATION' as const } }, element!] };
  const why = (of: typeof tariff, changed: Partial<Session> = {}) =>
    whyUnbillable({ tariff: of, session: { ...session, ...changed }, token, reservationOnly: true });
  expect([why(priced), why(tariff), why(priced, { charging_periods: [] })]).toEqual([
    undefined, 'reservation-without-price', 'reservation-without-price',
  ]);
});

test('who is billed by nobody', () => {
  expect(whyUnbillable({ tariff, session, token })).toBeUndefined();
  expect(whyUnbillable({ tariff, session: { ...session, status: 'INVALID' }, token })).toBe(
    'session-not-completed',
  );
  expect(whyUnbillable({ tariff, session, token: { ...token, ...carbonPlunk, contract_id: '' } })).toBe(
    'session-without-token',
  );
});
