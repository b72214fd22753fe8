import { expect, test } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { fixedClock, rfc3339 } from '#time';
import { keepTaken, noteAnswered, noteResponse } from './command-rows.ts';
import { Commands, type CommandsParts } from './commands.ts';
import { migrations } from './migrations.ts';

test('CMD-03 a result that nobody takes at its response_url is said again for two minutes, and then not any more', async () => {
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
  await noteAnswered(db, 'O');
  const hold = { isHeld: () => true, insist: () => {} };
  const body = { orderId: 'O', result: 'ACCEPTED', message: '' };
  const tried = (attempt: number) => commands.deliverResult({ id: 'result O', key: 'result O', kind: 'command-result', at, body }, attempt, hold);
  expect(await tried(1)).toMatchObject({ retryInMs: expect.any(Number) });
  clock.advance(119_000);
  expect(await tried(16)).toMatchObject({ retryInMs: expect.any(Number) });
  clock.advance(2_000);
  expect(await tried(17)).toBe('done');
  expect(posts).toBe(3);
  await db.close();
  await drop();
});
