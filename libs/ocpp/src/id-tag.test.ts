import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asSpelt, idTagOf } from './id-tag.ts';

test('an id that a station can hold goes as it is, a longer one under an alias of 20 characters', () => {
  expect(idTagOf('04A2B3C4D5E680')).toBe('04A2B3C4D5E680');
  expect(idTagOf('12345678901234567890')).toBe('12345678901234567890');
  const long = 'APP-0000000001-LONGER-THAN-OCPP-16';
  expect(idTagOf(long)).toMatch(/^RW[0-9A-F]{18}$/);
  expect(idTagOf(long.toLowerCase())).toBe(idTagOf(long));
  expect(idTagOf(`${long}7`)).not.toBe(idTagOf(long));
});

test.each([
  ['04A2B3C4', 'C4B3A204'],
  ['04A2B3C4D5E680', '80E6D5C4B3A204'],
  ['04a2b3c4d5e680', '80e6d5c4b3a204'],
])('a reader that turns the bytes round says %s as %s', (uid, said) => {
  expect(asSpelt(uid, 'reversed')).toBe(said);
  expect(asSpelt(uid, 'in-order')).toBe(uid);
});

test.each(['APP-0000000001', '04A2B3C', '04A2', idTagOf('A-UID-OF-MORE-THAN-TWENTY')])('%s is no card and never turned round', (tag) => {
  expect(asSpelt(tag, 'reversed')).toBe(tag);
});

test('what went to a station comes back from it', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9A-Fa-fG-]{1,36}$/),
      fc.constantFrom('in-order' as const, 'reversed' as const),
      (uid, order) => {
        const tag = asSpelt(idTagOf(uid), order);
        expect(tag.length).toBeLessThanOrEqual(20);
        expect(asSpelt(tag, order)).toBe(idTagOf(uid));
      },
    ),
  );
});
