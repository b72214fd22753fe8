import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { postgresFor, removePostgres, startPostgres } from './postgres.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-servers-'));
});
afterEach(() => removePostgres(dir));

test('a database server that is stopped and started again keeps its rows', async () => {
  const first = await startPostgres({ dir, passing: true });
  await query(first.url, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)');
  await first.stop();
  const second = await startPostgres({ dir, passing: true });
  expect(await query(second.url, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
  await second.stop();
});

test('a private database server is durable, checked and closed to others', async () => {
  const server = await startPostgres({ dir, passing: true });
  const shown = async (name: string) =>
    Object.values((await query(server.url, `SHOW ${name}`))[0] ?? {})[0];
  expect(await shown('fsync')).toBe('on');
  expect(await shown('synchronous_commit')).toBe('on');
  expect(await shown('data_checksums')).toBe('on');
  expect(await shown('listen_addresses')).toBe('127.0.0.1');
  expect(statSync(join(dir, 'password')).mode & 0o777).toBe(0o600);
  const wrong = new URL(server.url);
  wrong.password = 'guessed';
  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  await server.stop();
});

test('a folder is served by one server at a time', async () => {
  const server = await startPostgres({ dir, passing: true });
  await expect(startPostgres({ dir, passing: true })).rejects.toThrow(/in use by process/);
  await server.stop();
});

test('a lock file left by a crash does not keep the server from starting', async () => {
  const first = await startPostgres({ dir, passing: true });
  const [data = ''] = Object.values(
    (await query(first.url, 'SHOW data_directory'))[0] ?? {},
  ) as string[];
  const lock = readFileSync(join(data, 'postmaster.pid'), 'utf8');
  await first.stop();
  writeFileSync(join(data, 'postmaster.pid'), lock.replace(/^\d+/, String(process.pid)));
  const { uid, gid } = statSync(data);
  chownSync(join(data, 'postmaster.pid'), uid, gid);
  const second = await startPostgres({ dir, passing: true });
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second.stop();
});

test('a port that is taken is refused with the reason out of the log', async () => {
  const server = await startPostgres({ dir, passing: true });
  const second = join(dir, 'second');
  await expect(startPostgres({ dir: second, port: server.port, passing: true })).rejects.toThrow(
    /Address already in use/,
  );
  await server.stop();
  removePostgres(second);
});

test('a server given by its URL is used as it is and left alone', async () => {
  const server = await postgresFor('postgres://me@db.example:6000/roamwatt', { dir });
  expect(server).toMatchObject({
    url: 'postgres://me@db.example:6000/roamwatt',
    port: 6000,
    pid: 0,
  });
  await server.stop();
  expect(existsSync(join(dir, 'data'))).toBe(false);
});

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
