import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { read, SignedData } from '#ocpi';
import { newSigned, signedDataOf, type SignedKept, signedValue, withSigned } from './signed.ts';

const none: SignedKept = { values: [], isCut: false };
const record = (reason: string, page: number, more: object = {}) =>
  `OCMF|${JSON.stringify({
    PG: `T${page}`,
    MS: 'M-1',
    RD: [{ TM: '2022-02-01T09:00:00,000-0800 S', TX: reason, RV: page, RU: 'kWh', ST: 'G' }],
    ...more,
  })}|{"SD":"00"}`;
const told = (text: string, context = 'Sample.Periodic', more: object = {}) =>
  signedValue({ context, encoding: 'OCMF', text, ...more });
const keep = (...values: ReturnType<typeof told>[]) =>
  values.reduce((kept, value) => withSigned(kept, newSigned(kept, [value])), none);
const natures = (kept: SignedKept) => signedDataOf(kept)?.signed_values.map(({ nature }) => nature);

test('CDR-20: what a meter signed goes into signed_data: its start, what is between, its end', () => {
  const [start, between, end] = [record('B', 1), record('C', 2), record('E', 3)];
  const kept = keep(told(end), told(start), told(between));
  const data = signedDataOf(kept)!;
  expect(data).toEqual({
    encoding_method: 'OCMF',
    signed_values: [['Start', start], ['Intermediate', between], ['End', end]].map(([nature, text]) => ({
      nature, plain_data: text, signed_data: Buffer.from(text!).toString('base64'),
    })),
  });
  expect(read(SignedData, data)).toMatchObject({ ok: true });
});

test.each([
  ['B', 'Transaction.End', 'Start'],
  ['R', 'Sample.Periodic', 'End'],
  ['T', 'Transaction.Begin', 'Intermediate'],
])('the meter’s own word %s counts before the station’s %s', (reason, context, nature) =>
  expect(told(record(reason, 1), context).nature).toBe(nature));

test.each([
  ['Transaction.Begin', 'Start'], ['Transaction.End', 'End'], ['Sample.Clock', 'Intermediate'],
])('of another encoding the station’s word %s counts', (context, nature) =>
  expect(signedValue({ context, text: 'AP;0;3' })).toEqual({ nature, encoding: 'unknown', text: 'AP;0;3' }));

test('the meter’s public key comes along in base64, whatever form the station gives it', () => {
  const der = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({ type: 'spki', format: 'der' });
  const publicKey = Buffer.from(`oca:base16:asn1:${der.toString('hex')}`).toString('base64');
  const kept = keep(told(record('B', 1)), told(record('E', 2), 'Transaction.End', { publicKey }));
  expect(signedDataOf(kept)?.public_key).toBe(der.toString('base64'));
  expect(signedDataOf(keep(told(record('B', 1), '', { publicKey: 'none' })))).not.toHaveProperty('public_key');
});

test.each<[string, string[]]>([
  ['a second start', [record('B', 1), record('B', 2)]],
  ['a second end', [record('E', 1), record('L', 2)]],
  ['what is longer than OCPI carries', [record('B', 1), record('C', 2, { U: 'x'.repeat(3_800) })]],
])('%s is left out, which is said once', (_, texts) => {
  const values = texts.map((text) => told(text));
  const kept = keep(...values);
  expect(natures(kept)).toHaveLength(1);
  expect(kept.isCut).toBe(true);
  expect(newSigned(kept, values)).toEqual({ signed: [], isCut: false });
});

test('of a day of signed readings the first, the last and some between are kept, in what a CDR can carry', () => {
  const day = Array.from({ length: 300 }, (_, n) => told(record('C', n + 2, { U: 'x'.repeat(1_000) })));
  const kept = keep(told(record('B', 1)), ...day, told(record('E', 302)));
  expect(natures(kept)?.at(0)).toBe('Start');
  expect(natures(kept)?.at(-1)).toBe('End');
  expect(kept.values.length).toBeGreaterThan(10);
  expect(JSON.stringify(signedDataOf(kept)).length).toBeLessThan(60_000);
});

test('line breaks between the fields of a record are not lost with OCPI’s plain text', () => {
  const text = record('B', 1).replace('{"PG"', '{\n\t"PG"');
  const data = signedDataOf(keep(told(text)))!;
  expect(read(SignedData, data)).toMatchObject({ ok: true });
  expect(Buffer.from(data.signed_values[0]!.signed_data, 'base64').toString()).toBe(text);
});

test('a meter that signs nothing leaves signed_data out', () => expect(signedDataOf(none)).toBeUndefined());
