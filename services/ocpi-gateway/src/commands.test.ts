import { expect, test } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { fixedClock, rfc3339 } from '#time';
import { keepTaken, noteAnswered, noteResponse } from './command-rows.ts';
import { Commands, type CommandsParts } from './commands.ts';
import { migrations } from './migrations.ts';

/** Says the one result that waits, to a partner that nobody answers for. */
async function waiting({ answered }: { answered: boolean }) {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('p', 'Carbon Plunk', 'registered', 'https://plunk.example/versions')`);
  const clock = fixedClock('2022-02-01T17:00:00Z');
  const at = clock.now();
  let posts = 0;
  const post = async () => (posts += 1, { kind: 'unreachable', message: 'nobody is there' });
  const settings = { first_retry_ms: 200, longest_retry_ms: 10_000 };
  const commands = new Commands({ db, clock, settings, calls: { to: () => ({ post }) } } as unknown as CommandsParts);
  await keepTaken(db, {
    orderId: 'O', partnerId: 'p', command: 'START_SESSION', responseUrl: 'https://plunk.example/results/O', correlationId: 'C', routing: {}, takenAt: rfc3339(at),
  });
  await noteResponse(db, 'O', { result: 'ACCEPTED', timeoutS: 30, message: '' });
  if (answered) await noteAnswered(db, 'O');
  const hold = { isHeld: () => true, insist: () => {} };
  const body = { orderId: 'O', result: 'ACCEPTED', message: '' };
  const tried = (attempt: number) => commands.deliverResult({ id: 'result O', key: 'result O', kind: 'command-result', at, body }, attempt, hold);
  return { clock, tried, posts: () => posts, close: () => db.close().then(drop) };
}

const again = { retryInMs: expect.any(Number) };

test('CMD-03 a result that nobody takes at its response_url is said again for two minutes, and then not any more', async () => {
  const { clock, tried, posts, close } = await waiting({ answered: true });
  expect(await tried(1)).toEqual(again);
  clock.advance(119_000);
  expect(await tried(16)).toEqual(again);
  clock.advance(2_000);
  expect([await tried(17), posts()]).toEqual(['done', 3]);
  await close();
});

test.each([
  ['we were away', true, 0],
  ['we were away before the command was answered', false, 150],
])('CMD-03 a result that could not be said for longer, because %s, is said again a few times', async (_why, answered, waits) => {
  const { clock, tried, posts, close } = await waiting({ answered });
  clock.advance(3_600_000);
  if (waits > 0) expect([await tried(waits), posts()]).toEqual([{ retryInMs: 20 }, 0]);
  const pauses = [];
  for (let turn = 1; turn <= 9; turn += 1) pauses.push(await tried(waits + turn));
  expect(pauses).toEqual(Array(9).fill(again));
  expect((pauses[0] as { retryInMs: number }).retryInMs).toBeLessThanOrEqual(200);
  expect([await tried(waits + 10), posts()]).toEqual(['done', 10]);
  await close();
});
