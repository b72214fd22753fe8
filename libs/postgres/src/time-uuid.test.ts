import { expect, test } from 'vitest';
import { timeUuid } from './time-uuid.ts';

test('each is a UUID of version 7, larger than the one before, also when the clock is set back', () => {
  const nowMs = Date.now();
  const many = [nowMs, nowMs - 3_600_000].flatMap((ms) => Array.from({ length: 10_000 }, () => timeUuid(ms)));
  expect(many.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toEqual([]);
  expect(many.filter((id, n) => n > 0 && id <= many[n - 1]!)).toEqual([]);
  const saysMs = Number.parseInt(many[0]!.replaceAll('-', '').slice(0, 12), 16);
  expect(saysMs).toBe(nowMs);
});
