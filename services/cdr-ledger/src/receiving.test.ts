import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical } from './receiving.ts';

test.each([
  ['members in another order', '{"b":1,"a":[{"d":"ü","c":null}]}', '{"a":[{"c":null,"d":"ü"}],"b":1}'],
  ['white space', '{ "a" : [ 1 , 2 ] }', '{"a":[1,2]}'],
  ['another writing of a number', '{"a":1.50}', '{"a":1.5}'],
  ['more members than a class has', `{${many(150).join()}}`, `{${many(150).reverse().join()}}`],
])('%s are the same content', (_, one, other) => {
  expect(canonical(JSON.parse(one))).toBe(canonical(JSON.parse(other)));
});

test.each([
  ['a list in another order', '[1,2]', '[2,1]'],
  ['a member more', '{"a":1}', '{"a":1,"b":null}'],
  ['a member of a name that JavaScript has for itself', '{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
])('%s is another content', (_, one, other) => {
  expect(canonical(JSON.parse(one))).not.toBe(canonical(JSON.parse(other)));
});

test('the one spelling says all, and is its own', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = canonical(value);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    expect(canonical(JSON.parse(text))).toBe(text);
  }));
});

function many(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `"n${n}":${n}`);
}
