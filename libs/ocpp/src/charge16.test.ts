import { expect, test } from 'vitest';
import { acceptPayload } from './schemas.ts';

const timestamp = '2022-02-01T17:00:00Z';
const stop = { transactionId: 7, meterStop: 5, timestamp };
const start = { connectorId: 1, idTag: '04A2', meterStart: 5, timestamp };
const { meterStop: _, ...unmetered } = stop;
const { meterStart: __, ...unregistered } = start;

test.each<[string, 'StartTransaction' | 'StopTransaction', object, object]>([
  ['a stop without a register', 'StopTransaction', unmetered, unmetered],
  ['a stop with a register of null', 'StopTransaction', { ...stop, meterStop: null }, unmetered],
  ['a stop with a register that is none', 'StopTransaction', { ...stop, meterStop: 'n/a' }, unmetered],
  ['a stop with more than a meter can show', 'StopTransaction', { ...stop, meterStop: 1e13 }, unmetered],
  ['a stop without a time', 'StopTransaction', { ...stop, timestamp: undefined }, { ...stop, timestamp: '' }],
  ['a stop with a time of null', 'StopTransaction', { ...stop, timestamp: null }, { ...stop, timestamp: '' }],
  ['a stop with nothing but its transaction', 'StopTransaction', { transactionId: 7 }, { transactionId: 7, timestamp: '' }],
  ['a stop without its transaction', 'StopTransaction', { ...stop, transactionId: null }, { ...stop, transactionId: -1 }],
  ['a stop with a card that is none', 'StopTransaction', { ...stop, idTag: {} }, stop],
  ['a start with a reservation that is none', 'StartTransaction', { ...start, reservationId: '' }, start],
  ['a start without a register', 'StartTransaction', unregistered, unregistered],
  ['a start with a register of null', 'StartTransaction', { ...start, meterStart: null }, unregistered],
  ['a start with more than a meter can show', 'StartTransaction', { ...start, meterStart: -1e13 }, unregistered],
  ['a start without a time', 'StartTransaction', { ...start, timestamp: null }, { ...start, timestamp: '' }],
])('S16-48: %s is taken', (_, action, given, taken) => {
  const judged = acceptPayload('ocpp1.6', action, 'request', JSON.parse(JSON.stringify(given)));
  expect(judged).toMatchObject({ ok: true });
  if (!judged.ok) return;
  expect(judged.payload).toEqual(taken);
  expect(judged.repairs.length).toBeGreaterThan(0);
});

test('a start without a card or a connector is none', () => {
  for (const field of ['idTag', 'connectorId'])
    expect(acceptPayload('ocpp1.6', 'StartTransaction', 'request', { ...start, [field]: null })).toMatchObject({ ok: false });
});
