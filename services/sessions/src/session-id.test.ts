import { expect, test } from 'vitest';
import { sessionIdOf } from './session-id.ts';

const transaction = {
  platform: 'oasis',
  stationId: 'OASIS-L2-01',
  transactionId: '101',
  startedAt: '2022-02-01T17:00:00Z',
};

test('the same transaction is always the same session', () => {
  expect(sessionIdOf(transaction)).toBe(sessionIdOf({ ...transaction }));
  expect(sessionIdOf(transaction)).toMatch(/^20220201-[A-Z2-7]{12}$/);
});

test.each([
  { platform: 'plunk' },
  { stationId: 'OASIS-L2-02' },
  { transactionId: '102' },
  { startedAt: '2022-02-01T17:00:01Z' },
])('another %j is another session', (change) => {
  expect(sessionIdOf({ ...transaction, ...change })).not.toBe(sessionIdOf(transaction));
});

test('all sixty bits of the id count', () => {
  const ids = Array.from({ length: 2_000 }, (_, n) =>
    sessionIdOf({ ...transaction, transactionId: String(n) }),
  );
  for (let letter = 9; letter < 21; letter++)
    expect(new Set(ids.map((id) => id[letter])).size).toBe(32);
});
