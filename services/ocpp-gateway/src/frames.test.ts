import { expect, test } from 'vitest';
import { rfc3339 } from '#time';
import { instantOf, meterReadings, signedMeterReadings } from './frames.ts';

const nowMs = Date.parse('2022-02-01T17:00:00Z');
const now = '2022-02-01T17:00:00Z';

test.each([
  ['J-49 an instant of its own', '2022-02-01T16:30:00+00:00', '2022-02-01T16:30:00Z'],
  ['one that was queued for a week', '2022-01-25T17:00:00Z', '2022-01-25T17:00:00Z'],
  ['one that was queued for a month', '2022-01-01T17:00:00Z', '2022-01-01T17:00:00Z'],
  ['T-26 one of a clock that stood still for two years', '2020-02-01T17:00:00Z', now],
  ['T-26 one of a clock that was set to when it was built', '2017-06-01T00:00:00Z', now],
  ['one of a clock a little ahead', '2022-02-01T17:04:00Z', '2022-02-01T17:04:00Z'],
  ['T-26 one of a clock that was never set', '1970-01-01T00:00:07Z', now],
  ['one of a clock that is a year ahead', '2023-02-01T17:00:00Z', now],
  ['one that cannot be read', 'yesterday', now],
  ['none', undefined, now],
])('%s counts as it is believed', (_what, text, at) => {
  expect(instantOf(text, nowMs)).toBe(at);
});

test('T-26 readings of a clock that was never set count from when they came', () => {
  const reading = (timestamp: string, value: string) => ({ timestamp, sampledValue: [{ value }] });
  const values = [reading('1970-01-01T00:01:00Z', '1100'), reading('2022-02-01T16:59:00Z', '1000')];
  expect(meterReadings(values, nowMs)).toMatchObject([
    { at: rfc3339(nowMs - 60_000), energyWh: '1000' },
    { at: now, energyWh: '1100' },
  ]);
});

test('readings go by their instants: half a second past comes after the whole second', () => {
  const reading = (timestamp: string, value: string) => ({ timestamp, sampledValue: [{ value }] });
  const values = [reading('2022-02-01T16:59:00.500Z', '1001'), reading('2022-02-01T16:59:00Z', '1000')];
  expect(meterReadings(values, nowMs).map(({ energyWh }) => energyWh)).toEqual(['1000', '1001']);
});

test('of one instant the highest register comes last, as what the meter shows by then', () => {
  const sampledValue = [{ value: '163630' }, { value: '99440', context: 'Transaction.Begin' }];
  const values = [{ timestamp: '2022-02-01T16:59:00Z', sampledValue }];
  expect(meterReadings(values, nowMs).map(({ energyWh }) => energyWh)).toEqual(['99440', '163630']);
});

test('T-26 what a meter signed by a clock that was never set counts from when it came, unchanged', () => {
  const sampledValue = [{ value: 'OCMF|{}|{}', format: 'SignedData', context: 'Transaction.End' }];
  expect(signedMeterReadings([{ timestamp: '1970-01-01T00:01:00Z', sampledValue }], nowMs)).toEqual({
    signed: [{ at: now, context: 'Transaction.End', encoding: 'OCMF', text: 'OCMF|{}|{}' }], leftOut: 0,
  });
});
