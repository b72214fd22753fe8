import { expect, test } from 'vitest';
import type { MeterValue16 } from './core16.ts';
import { readings } from './readings.ts';
import { acceptPayload } from './schemas.ts';

const timestamp = '2022-02-01T17:00:00Z';
const good = { timestamp, sampledValue: [{ value: '7' }] };
const of = (...sampledValue: unknown[]) => ({ timestamp, sampledValue });

test.each<[string, unknown, string[]]>([
  ['a time that cannot be read', [{ timestamp: 'yesterday', sampledValue: [{ value: '5' }] }, good], ['7']],
  ['no time', [{ sampledValue: [{ value: '5' }] }, good], ['7']],
  ['a time in seconds', [{ timestamp: 1772010780, sampledValue: [{ value: '5' }] }, good], ['7']],
  ['no value', [of({ measurand: 'Voltage', unit: 'V' }, { value: '7' })], ['7']],
  ['a value that is null', [of({ value: null }, { value: '7' })], ['7']],
  ['a value that is none', [of({ value: true }, { value: '7' })], ['7']],
  ['a unit that is none', [of({ value: '7', unit: {} })], ['7']],
  ['no values', [{ timestamp }, good], ['7']],
  ['values that are null', [{ timestamp, sampledValue: null }, good], ['7']],
  ['one value outside a list', [{ timestamp, sampledValue: { value: '7' } }], ['7']],
  ['one entry outside a list', good, ['7']],
  ['entries that are none', [null, 5, good, 'x'], ['7']],
  ['values that are none', [of(null, 5, { value: '7' }, 'x')], ['7']],
])('S16-10: %s among the meter values costs neither a stop nor the values beside it', (_, given, read) => {
  const stop = { transactionId: 1, meterStop: 5, timestamp, transactionData: given };
  const values = { connectorId: 1, transactionId: 1, meterValue: given };
  for (const [action, payload] of [['StopTransaction', stop], ['MeterValues', values]] as const) {
    const judged = acceptPayload('ocpp1.6', action, 'request', payload);
    expect(judged).toMatchObject({ ok: true });
    if (!judged.ok) return;
    const { transactionData, meterValue } = judged.payload as Record<string, MeterValue16[]>;
    expect(readings(transactionData ?? meterValue!).map(({ energyWh }) => energyWh)).toEqual(read);
    expect(judged.repairs.length).toBeGreaterThan(0);
  }
});

test('T-26: a stop whose own time cannot be read is no less a stop', () => {
  const stop = { transactionId: 1, meterStop: 5, timestamp: '0000-00-00T00:00:00Z' };
  expect(acceptPayload('ocpp1.6', 'StopTransaction', 'request', stop)).toMatchObject({ ok: true, payload: stop });
});

test('a transaction id of nothing is none, where none is needed', () => {
  const accept = (action: string, more: object) =>
    acceptPayload('ocpp1.6', action, 'request', { transactionId: '', ...more });
  const read = accept('MeterValues', { connectorId: 1, meterValue: [good] });
  expect(read).toMatchObject({ ok: true });
  if (read.ok) expect(read.payload).not.toHaveProperty('transactionId');
  expect(accept('StopTransaction', { meterStop: 5, timestamp })).toMatchObject({ ok: true, payload: { transactionId: -1 } });
});
