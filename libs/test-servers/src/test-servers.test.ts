import { expect, test } from 'vitest';
import pg from 'pg';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { copiedDatabase, dropStreams, freshDatabase, freshPlatform, natsUrl } from './test-servers.ts';

test('two fresh databases do not see each other and leave nothing when dropped', async () => {
  const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  await client.query('CREATE TABLE only_here (id int)');
  await client.end();
  const other = new pg.Client({ connectionString: two.url });
  await other.connect();
  expect((await other.query(`SELECT to_regclass('only_here') AS found`)).rows).toEqual([
    { found: null },
  ]);
  await other.end();
  await Promise.all([one.drop(), two.drop()]);
  await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toThrow(
    /does not exist/,
  );
});

test('a database is prepared once for all that ask for a copy, and no copy sees what another writes', async () => {
  let prepared = 0;
  const query = async (url: string, text: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<{ id: number }>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const what = freshPlatform().replace('-', '_');
  const copy = () => copiedDatabase(what, async (url) => {
    prepared += 1;
    await query(url, 'CREATE TABLE prepared AS SELECT 1 AS id');
  });
  await expect(copiedDatabase(what, () => Promise.reject(new Error('broke in the middle')))).rejects.toThrow('in the middle');
  const [one, two] = await Promise.all([copy(), copy()]);
  await query(one.url, 'INSERT INTO prepared VALUES (2)');
  expect(prepared).toBe(1);
  expect(await query(one.url, 'SELECT id FROM prepared ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await query(two.url, 'SELECT id FROM prepared')).toEqual([{ id: 1 }]);
  await Promise.all([one.drop(), two.drop()]);
});

test('the NATS server keeps a stream of a fresh platform until the streams of that platform are dropped', async () => {
  const url = new URL(natsUrl());
  const connection = await connect({ servers: url.host, user: url.username, pass: url.password });
  const [platform, other] = [freshPlatform(), freshPlatform()];
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 60_000 });
  for (const name of [platform, other]) {
    await manager.streams.add({ name, subjects: [`roamwatt.${name}.sessions.0.>`, `roamwatt.${name}.sessions.1.>`] });
  }
  // Answered once it is in the stream.
  await connection.request(`roamwatt.${platform}.sessions.1.told`, undefined, { timeout: 60_000 });
  expect((await manager.streams.info(platform)).state.messages).toBe(1);
  await dropStreams(platform);
  await expect(manager.streams.info(platform)).rejects.toThrow('stream not found');
  expect((await manager.streams.info(other)).state.messages).toBe(0);
  await dropStreams(other);
  await connection.close();
});
