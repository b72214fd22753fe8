import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimalText, jsonNumber, parseJson, type JsonLimits } from './json.ts';

const refusal = (body: string | Uint8Array, limits?: JsonLimits) => {
  const reading = parseJson(body, limits);
  return reading.ok ? 'read' : reading.refusal;
};

test('a body is JSON, in UTF-8, of a bounded size', () => {
  const text = '{"a":"Québec"}';
  expect(parseJson(Buffer.from(`\ufeff${text}`))).toEqual({ ok: true, value: { a: 'Québec' }, text });
  expect(refusal('{"a":')).toBe('not-json');
  expect(refusal('')).toBe('not-json');
  expect(refusal(Uint8Array.of(34, 0xff, 34))).toBe('not-json');
  expect(refusal('"éé"', { maxBytes: 5 })).toBe('body-too-large');
  expect(refusal('"éé"', { maxBytes: 6 })).toBe('read');
});

test('a body is not nested deeper than 32, however deep it tries', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(refusal(nested(32))).toBe('read');
  expect(refusal(nested(33))).toBe('too-deep');
  expect(refusal('{"a":'.repeat(33) + '1' + '}'.repeat(33))).toBe('too-deep');
  expect(refusal(nested(1_000_000))).toBe('too-deep');
  expect(refusal(`[${'[],'.repeat(100)}"[[[[${'\\"['.repeat(60)}"]`)).toBe('read');
});

test('a body holds a bounded number of values', () => {
  expect(refusal(`[${'1,'.repeat(99_999)}1]`)).toBe('read');
  expect(refusal(`[${'1,'.repeat(100_000)}1]`)).toBe('too-many-values');
  expect(refusal(`[${'{},'.repeat(50_000)}{}]`)).toBe('too-many-values');
  expect(refusal('{"a":[1,2],"b":{"c":"[,,,]"}}', { maxValues: 5 })).toBe('read');
  expect(refusal('{"a":[1,2],"b":{"c":"[,,,]"}}', { maxValues: 4 })).toBe('too-many-values');
});

test.each([
  ['a number whose many zeros are not its last digits', `1${'0'.repeat(500_000)}1`],
  ['zeros, and more of them', `0.${'0'.repeat(250_000)}1${'0'.repeat(250_000)}1`],
  ['brackets that open', '['.repeat(4_000_000)],
  ['brackets that open and close', `${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`],
  ['a string that is all backslashes', `"${'\\'.repeat(4_000_001)}"`],
  ['quotes within a string', `"${'\\"'.repeat(2_000_000)}`],
])('a long body costs no more than its length: %s', (_what, body) => {
  // By the square of its length it would take minutes: the test's time would run out.
  expect(refusal(body)).not.toBe('read');
});

test.each([
  '0.1', '12.375', '-0', '0.00', '123456789012345.00', '1234567890.12345', '1.9733333333333334', '1e-7', '2E+3', '0e9',
])('TYP-04 the number %s is carried exactly', (literal) => {
  expect(refusal(`{"volume":${literal}}`)).toBe('read');
});

test.each(['9007199254740993', '0.12345678901234567890', '1.97222222222222222222', '1e400', '1e-400'])(
  'TYP-04 the number %s is refused: its double has other digits', (literal) => {
    expect(refusal(`[{"total_time":${literal}}]`)).toBe('number-too-precise');
    expect(refusal(`["${literal}"]`)).toBe('read');
  });

test('TYP-04 a partner whose numbers are too precise can be read rounded', () => {
  expect(parseJson('1.97222222222222222222', { rounded: true })).toMatchObject({ value: 1.9722222222222223 });
});

test('TYP-04 what JSON writes, it reads again, digit by digit', () => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
    expect(refusal(JSON.stringify(value))).toBe('read');
    expect(Number(decimalText(value))).toBe(value === 0 ? 0 : value);
    expect(decimalText(value)).toMatch(/^-?\d+(\.\d+)?$/);
  }));
  fc.assert(fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.nat(12), (digits, places) => {
    const text = `${digits}e-${places}`;
    const isCarried = decimalsOf(JSON.stringify(Number(text))) === decimalsOf(text);
    expect(refusal(text)).toBe(isCarried ? 'read' : 'number-too-precise');
  }));
});

/** A decimal text as an integer count of 10^-40: another way to compare than the one under test. */
function decimalsOf(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(40 + Number(exponent) - fraction.length);
}

test.each([
  [1e-7, '0.0000001'], [1.5e-8, '0.000000015'], [1e21, '1000000000000000000000'], [-0, '0'], [12.375, '12.375'],
])(
  'the number %s is %s in decimal', (value, text) => {
    expect(decimalText(value)).toBe(text);
  });

test('decimal text becomes the JSON number of the same digits, or is refused', () => {
  expect(JSON.stringify({ price: jsonNumber('12.3750'), none: jsonNumber('-0.00') })).toBe('{"price":12.375,"none":0}');
  expect(() => jsonNumber('0.12345678901234567890')).toThrow(RangeError);
  expect(() => jsonNumber('1e5')).toThrow(RangeError);
  expect(() => decimalText(Infinity)).toThrow(RangeError);
});

test('a name stands once in an object, however it is spelled; values and other objects may be alike', () => {
  expect(refusal('{"a":1,"a":1}')).toBe('name-twice');
  expect(refusal('[{"b":{"a":1,"\\u0061":2}}]')).toBe('name-twice');
  expect(refusal('{"__proto__":1,"__proto__":2}')).toBe('name-twice');
  expect(refusal('{"a":{"a":"a:a","b":["a",{"a":{}}]},"b":":","__proto__":{"a":1}}')).toBe('read');
  expect(parseJson('{"a":1,"a":2}', { loose: true })).toMatchObject({ value: { a: 2 } });
});

test.each([
  ['\\u0000', 'unfit-text'],
  ['\\ud83d', 'unfit-text'],
  ['\\ud83dx', 'unfit-text'],
  ['\\ud83d\\u0041', 'unfit-text'],
  ['\\ude00', 'unfit-text'],
  ['\\uD83D\\uD83D\\uDE00', 'unfit-text'],
  ['\\ud83d\\ude00', 'read'],
  ['\\\\u0000', 'read'],
  ['\\\\\\u0000', 'unfit-text'],
  ['\\u0001\\n\\u00e9😀', 'read'],
])('a text that no database would keep is refused: %s', (escaped, expected) => {
  expect(refusal(`{"${escaped}":"x"}`)).toBe(expected);
  expect(refusal(`["x","${escaped}"]`)).toBe(expected);
});

test('any JSON value is read from its own text', () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
    const text = JSON.stringify(value);
    const reading = parseJson(text);
    if (reading.ok) expect(JSON.stringify(reading.value)).toBe(text);
    else expect(['unfit-text', 'number-too-precise']).toContain(reading.refusal);
  }));
});
