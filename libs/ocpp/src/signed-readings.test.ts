import { expect, test } from 'vitest';
import type { SampledValue16 } from './core16.ts';
import { SIGNED_CHARS_MAX, signedReadings } from './signed-readings.ts';

const timestamp = '2022-02-01T17:00:00Z';
const at = Date.parse(timestamp);
const record = 'OCMF|{"PG":"T1"}|{"SD":"00"}';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const one = (value: string, more: Partial<SampledValue16> = {}) =>
  signedReadings([{ timestamp, sampledValue: [{ value, format: 'SignedData', ...more }] }]).signed[0];
const wrapper = { signedMeterData: base64(record), signingMethod: '', encodingMethod: 'OCMF', publicKey: 'b2Nh' };

test.each([
  ['as it is', record, {}],
  ['in hex', Buffer.from(record).toString('hex'), {}],
  ['in base64', base64(record), {}],
  ['in the JSON of OCPP 2.x', JSON.stringify(wrapper), { publicKey: 'b2Nh' }],
  ['in such JSON, not in base64', JSON.stringify({ ...wrapper, signedMeterData: record }), { publicKey: 'b2Nh' }],
])('S16-31: OCMF %s is known as such', (_, value, more) => {
  expect(one(value, { context: 'Transaction.End' })).toEqual({
    at, context: 'Transaction.End', encoding: 'OCMF', text: record, ...more,
  });
});

test.each([
  ['another format', 'AP;0;3;ALCV3R', { text: 'AP;0;3;ALCV3R' }],
  [
    'a format that is named',
    JSON.stringify({ signedMeterData: 'AP;0', encodingMethod: 'Alfen Eichrecht' }),
    { text: 'AP;0', encoding: 'Alfen Eichrecht' },
  ],
  ['JSON that is no wrapper', '{"a":1}', { text: '{"a":1}' }],
  ['broken JSON', '{"a', { text: '{"a' }],
  ['JSON whose fields are no texts', '{"signedMeterData":"AP","publicKey":7,"encodingMethod":[]}', { text: 'AP' }],
])('S16-31: %s is carried as it came', (_, value, content) => {
  expect(one(value)).toEqual({ at, context: 'Sample.Periodic', ...content });
});

test('a value that is not signed is none of these', () => {
  expect(one('12345', { format: 'Raw' })).toBeUndefined();
});

test('T-20: of what is too long the ends of the transaction are kept, the rest is counted', () => {
  const value = (context: string, length: number): SampledValue16 => ({
    value: 'x'.repeat(length), format: 'SignedData', context,
  });
  const sampledValue = [
    ...Array.from({ length: 7 }, () => value('Sample.Periodic', SIGNED_CHARS_MAX)),
    value('Transaction.End', SIGNED_CHARS_MAX),
    value('Transaction.End', SIGNED_CHARS_MAX + 1),
  ];
  const { signed, leftOut } = signedReadings([{ timestamp, sampledValue }]);
  expect(signed.map(({ context }) => context)).toEqual([
    ...Array.from({ length: 5 }, () => 'Sample.Periodic'), 'Transaction.End',
  ]);
  expect(leftOut).toBe(3);
});
