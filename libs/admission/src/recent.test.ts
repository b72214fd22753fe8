import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('of values seen, the last ones are remembered', () => {
  const recent = new Recent(2);
  for (const one of ['a', 'b', 'a', 'c']) recent.add(one);
  expect(['a', 'b', 'c'].map((one) => recent.has(one))).toEqual([true, false, true]);
});
