import { expect, test } from 'vitest';
import { envelope, envelopeBytes, envelopeText, parseEnvelope, unwrapped } from './envelope.ts';
import { answers, isSuccess, statusCodes, statusMeaning } from './status.ts';

const at = '2022-02-01T17:00:00Z';

test('TRN-20 an envelope has a status code and a timestamp, and says what the code means', () => {
  expect(envelope([], 1000, undefined, at)).toEqual({
    data: [], status_code: 1000, status_message: 'Success', timestamp: at,
  });
});

test('TRN-22 where OCPI defines no data there is none', () => {
  expect(envelope(undefined, 2001, 'kwh: is missing', at)).toEqual({
    status_code: 2001, status_message: 'kwh: is missing', timestamp: at,
  });
});

test('TRN-24 stored JSON goes out byte for byte', () => {
  const text = envelopeText('[{"price":0.30}]', 1000, undefined, at);
  expect(text).toContain('"data":[{"price":0.30}],');
  expect(JSON.parse(text)).toEqual(envelope([{ price: 0.3 }], 1000, undefined, at));
});

test('TRN-24 the objects of a list go out byte for byte', () => {
  const list = (...objects: string[]) => Buffer.concat(envelopeBytes(objects.map((text) => Buffer.from(text)), 1000, 'é', at)).toString();
  expect(list('{"price":0.30}', '"Léon"')).toContain('"data":[{"price":0.30},"Léon"],');
  for (const objects of [[], [1], [1, { a: 'ü' }, null]]) {
    expect(JSON.parse(list(...objects.map((one) => JSON.stringify(one))))).toEqual(envelope(objects, 1000, 'é', at));
  }
});

test('TRN-21 a partner\'s envelope is read for its code; null data is none', () => {
  expect(parseEnvelope({ data: null, status_code: 2003, timestamp: at })).toEqual({
    ok: true, success: false, envelope: { status_code: 2003, timestamp: at },
  });
  expect(parseEnvelope({ data: 'ACCEPTED', status_code: 1000 })).toMatchObject({ ok: true, success: true });
});

test.each([[[]], [null], ['x'], [{ status_code: '1000' }], [{ status_code: 200 }], [{ data: 1 }]])(
  '%j is no envelope', (value) => {
    expect(parseEnvelope(value).ok).toBe(false);
  });

test('TRN-23 CMD-04 an asynchronous result is not wrapped, and understood when it is', () => {
  expect(unwrapped({ result: 'ACCEPTED' })).toEqual({ result: 'ACCEPTED' });
  expect(unwrapped({ status_code: 1000, data: { result: 'ACCEPTED' }, timestamp: at })).toEqual({ result: 'ACCEPTED' });
  expect(unwrapped(null)).toBe(null);
});

test('every status code has a meaning, and only 1xxx are successes', () => {
  for (const code of Object.values(statusCodes)) {
    expect(statusMeaning(code)).not.toMatch(/^OCPI status code/);
    expect(isSuccess(code)).toBe(code === 1000);
  }
  expect([isSuccess(1999), statusMeaning(3950)]).toEqual([true, 'OCPI status code 3950']);
});

test('TOK-06 an unknown token is 404 and 2004 together', () => {
  expect(answers.unknownToken).toEqual({ http: 404, status: 2004 });
});

test('D24 a hub\'s own failures are 4xxx with HTTP 200', () => {
  for (const answer of Object.values(answers)) if (answer.status >= 4000) expect(answer.http).toBe(200);
});
