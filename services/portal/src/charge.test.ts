import { expect, test } from 'vitest';
import { exampleSession, type Session } from '#ocpi';
import { chargeOf, money, powerKw } from './charge.ts';

const order = (state: string) => ({ state, result: '', message: '' });
const session = (status: Session['status']) => ({ ...exampleSession, status });
const period = (...dimensions: [string, number][]) => ({
  start_date_time: '2022-02-01T17:00:00Z', dimensions: dimensions.map(([type, volume]) => ({ type, volume })),
}) as NonNullable<Session['charging_periods']>[number];

test.each([
  ['sent', 'ordered'], ['accepted', 'accepted'], ['done', 'accepted'], ['refused', 'refused'], ['failed', 'failed'],
  ['unknown', 'unknown'], ['something new', 'unknown'],
])('an order that is %s is a charge that is %s', (state, is) => {
  expect(chargeOf('C', { order: order(state) }).state).toBe(is);
});

test.each([
  ['ACTIVE', 'charging'], ['PENDING', 'accepted'], ['RESERVATION', 'accepted'], ['COMPLETED', 'completed'], ['INVALID', 'failed'],
] as const)('a session that is %s says more than any order: the charge is %s', (status, is) => {
  for (const state of ['sent', 'failed', 'unknown']) {
    expect(chargeOf('C', { order: order(state), session: session(status) }).state).toBe(is);
  }
});

test('an order that the operator accepted and that came to nothing says why, and not that it was accepted', () => {
  const nothing = { state: 'failed', result: 'ACCEPTED', message: 'no charge began in time' };
  expect(chargeOf('C', { order: nothing }).message).toBe('The charge did not start. (no charge began in time)');
});

test('a car that is plugged in and takes no power is not said to be charging', () => {
  const charging_periods = [period(['ENERGY', 1], ['TIME', 1]), period(['PARKING_TIME', 0.25])];
  expect(chargeOf('C', { session: { ...session('ACTIVE'), charging_periods } }).message).toContain('takes no power');
  expect(chargeOf('C', { session: { ...session('ACTIVE'), charging_periods: charging_periods.slice(0, 1) } }).message)
    .toBe('Your car is charging.');
});

test('an order that sessions never took is failed with the reason, or unknown without one', () => {
  expect(chargeOf('C', { refusal: 'offline' })).toEqual({
    charge_id: 'C',
    state: 'failed',
    message: 'The charge did not start. (offline)',
  });
  expect(chargeOf('C', { refusal: null }).state).toBe('unknown');
});

test.each([
  [{ excl_vat: 1.2 }, 'CAD', { excl_vat: '1.20', currency: 'CAD' }],
  [{ excl_vat: 4.47, incl_vat: 4.6935 }, 'CAD', { excl_vat: '4.47', incl_vat: '4.6935', currency: 'CAD' }],
  [{ excl_vat: -0.1 }, 'JPY', { excl_vat: '-0.1', currency: 'JPY' }],
  [{ excl_vat: 0 }, 'KWD', { excl_vat: '0.000', currency: 'KWD' }],
  [{ excl_vat: 5 }, 'QQQ', { excl_vat: '5.00', currency: 'QQQ' }],
])('%j %s is shown exactly', (price, currency, shown) => {
  expect(money(price, currency)).toEqual(shown);
});

test.each([
  ['its POWER', [period(['ENERGY', 1], ['POWER', 6.25])], '6.3'],
  ['its energy over its time', [period(['ENERGY', 9], ['TIME', 1]), period(['ENERGY', 1.6], ['TIME', 0.25])], '6.4'],
  ['its energy since it began, where it has no time', [period(['ENERGY', 1])], '4.0'],
  ['nothing while parked', [period(['PARKING_TIME', 0.25])], '0.0'],
  ['not known without energy', [period(['TIME', 0.25])], undefined],
  ['not known without time', [period(['ENERGY', 1], ['TIME', 0])], undefined],
  ['not known before the first period', [], undefined],
])('the power of a charge is %s', (_what, charging_periods, kw) => {
  expect(powerKw({ charging_periods, last_updated: '2022-02-01T17:15:00Z' })).toBe(kw);
});
