import { expect, test } from 'vitest';
import { carAt, type Connector } from './car.ts';

const connector: Connector = {
  stationId: 'S',
  connectorId: 1,
  connected: true,
  connection: 1,
  bootedAt: undefined,
  status: 'Charging',
  statusAt: 2_000,
  transaction: { id: '7', startedAt: 1_000 },
  drawn: undefined,
  held: undefined,
};
const wants = (change: Partial<Connector>) => carAt({ ...connector, ...change }).wants;

test.each([
  ['Charging', 'power'],
  ['SuspendedEVSE', 'power'],
  ['Preparing', 'power'],
  ['SuspendedEV', 'little'],
  ['Finishing', 'nothing'],
  ['Available', 'nothing'],
  ['Faulted', 'nothing'],
])('in a transaction, a connector that is %s wants %s', (status, what) => {
  expect(wants({ status })).toBe(what);
});

test('a status from before the transaction does not count', () => {
  expect(wants({ status: 'Available', statusAt: 999 })).toBe('power');
});

test('without a transaction nothing is wanted, but a cable that is in may draw', () => {
  const car = carAt({ ...connector, transaction: undefined, status: 'Preparing' });
  expect(car).toMatchObject({ wants: 'nothing', plugged: true });
  expect(carAt({ ...connector, transaction: undefined, status: 'Available' }).plugged).toBe(false);
});

test('what another car drew before is forgotten', () => {
  expect(carAt({ ...connector, drawn: { ma: 16_000, at: 999 } }).drawn).toBe(undefined);
  expect(carAt({ ...connector, drawn: { ma: 16_000, at: 1_001 } }).drawn?.ma).toBe(16_000);
});
