import { expect, test } from 'vitest';
import { drawnOf } from './drawn.ts';

const at = '2022-02-01T17:00:00Z';

test('the highest phase of the newest reading counts', () => {
  expect(
    drawnOf(
      [
        { at, currentMa: [9_000] },
        { at: 'later', currentMa: [16_000, 15_900] },
      ],
      208,
    ),
  ).toEqual({
    ma: 16_000,
    at: 'later',
  });
});

test('power tells the current where none is measured', () => {
  expect(drawnOf([{ at, currentMa: [], powerW: '6656' }], 208)?.ma).toBe(32_000);
  expect(drawnOf([{ at, currentMa: [], powerW: '6600', voltageV: '220' }], 208)?.ma).toBe(30_000);
});

test('a reading of energy alone says nothing', () => {
  expect(drawnOf([{ at, currentMa: [] }], 208)).toBe(undefined);
});
