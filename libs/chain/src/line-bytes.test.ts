import { expect, test } from 'vitest';
import { behind, behindDigits, isInHex, nextPlace, numberOf, takeHex } from './line-bytes.ts';

const line = (text: string) => Buffer.from(text);

test('a number of a line has one spelling and at most so many digits', () => {
  const cases: [text: string, behind: number][] = [
    ['7,', 1], ['0,', 1], ['1234567890,', 10], ['12345678901,', -1], ['07,', -1], ['00', -1], [',', -1], ['-1', -1], ['', -1],
  ];
  for (const [text, to] of cases) expect([text, behindDigits(line(text), 0, 10)]).toEqual([text, to]);
  expect(numberOf(line('x1234567890'), 1, 11)).toBe(1_234_567_890);
  expect(behindDigits(line('7'), -1, 10)).toBe(-1);
});

test('what stands at a place, or next, is found within the line only', () => {
  const ab = line('ab');
  expect(behind(line('xab'), 1, ab)).toBe(3);
  expect(behind(line('xab'), 2, ab)).toBe(-1);
  expect(behind(line('ab'), -1, ab)).toBe(-1);
  expect(nextPlace(line('aab'), 0, ab, 3)).toBe(1);
  expect(nextPlace(line('aab'), 0, ab, 2)).toBe(-1);
  expect(nextPlace(line('aab'), -1, ab, 3)).toBe(-1);
});

test('hex is small letters and digits, whole bytes of it', () => {
  const bytes = Buffer.from('00ff9a', 'hex');
  expect(isInHex(line('x00ff9a'), 1, bytes)).toBe(true);
  for (const text of ['00FF9A', '00ff9', '00ff9b', '10ff9a']) expect(isInHex(line(text), 0, bytes)).toBe(false);
  const into = Buffer.alloc(3);
  expect(takeHex(line('x00ff9a'), 1, into, 3)).toBe(true);
  expect(into).toEqual(bytes);
  for (const text of ['00ff9', '00fF9a', '0xff9a']) expect(takeHex(line(text), 0, into, 3)).toBe(false);
});
