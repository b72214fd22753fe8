import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findData } from './data.ts';
import { memoryPlaceFor } from './places.ts';
import { postgresFor, startPostgres } from './postgres.ts';
import { forgetDeadRuns } from './runs.ts';

// As root the data of the closed folders below lie outside of them; as anybody else, inside.

let root: string;
const outside = new Set<string>();
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'roamwatt-data-'));
});
afterEach(() => {
  for (const place of outside) {
    rmSync(place, { recursive: true, force: true });
    if (readdirSync(dirname(place)).length === 0) rmdirSync(dirname(place));
  }
  outside.clear();
  rmSync(root, { recursive: true, force: true });
});

const stateOf = (checkout: string) => join(root, checkout, 'postgres');

async function keepSeven(dir: string): Promise<string> {
  const server = await startPostgres({ dir });
  if (!server.data.startsWith(dir)) outside.add(dirname(server.data));
  await query(server.url, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)');
  await server.stop();
  return server.data;
}

async function kept(dir: string): Promise<unknown> {
  const server = await startPostgres({ dir });
  try {
    return await query(server.url, 'SELECT id FROM kept');
  } finally {
    await server.stop();
  }
}

test('data that are kept outlive a renamed checkout and the runs of others', async () => {
  await keepSeven(stateOf('before'));
  renameSync(join(root, 'before'), join(root, 'after'));
  expect(await kept(stateOf('after'))).toEqual([{ id: 7 }]);

  mkdirSync(join(root, 'demo-4194305'));
  const demo = await startPostgres({ dir: join(root, 'another', 'postgres'), passing: true });
  await demo.stop();
  forgetDeadRuns(root);
  expect(await kept(stateOf('after'))).toEqual([{ id: 7 }]);
  rmSync(join(root, 'another'), { recursive: true });
  forgetDeadRuns(root);
});

test('data that were there and are gone stop the start: an empty database in their place would look like a loss', async () => {
  const dir = stateOf('checkout');
  const data = await keepSeven(dir);
  renameSync(data, `${data}-on a disk that is not mounted`);
  await expect(startPostgres({ dir })).rejects.toThrow(/Bring it back/);
  renameSync(`${data}-on a disk that is not mounted`, data);
  expect(await kept(dir)).toEqual([{ id: 7 }]);
});

test('a database whose password is lost is left as it is', async () => {
  const dir = stateOf('checkout');
  const data = await keepSeven(dir);
  renameSync(join(dir, 'password'), join(dir, 'put away'));
  await expect(startPostgres({ dir })).rejects.toThrow(/has a database, but .*password is not there/);
  expect(existsSync(join(data, 'PG_VERSION'))).toBe(true);
});

test('what an interrupted set-up left half made is made anew', async () => {
  const dir = join(root, 'postgres');
  mkdirSync(join(dir, 'making'), { recursive: true });
  writeFileSync(join(dir, 'making/PG_VERSION'), '15\n');
  writeFileSync(join(dir, 'password-of-new-data'), 'of no data');
  const server = await startPostgres({ dir, passing: true });
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await server.stop();
  forgetDeadRuns(root);
});

/** Nobody can be switched to by whom is not root, and nobody may enter a folder of mode 0700. */
const closedTo = { uid: 65_534, gid: 65_534 };

test('data that a crash of the machine may take lie in its memory where there is room, and go with their run; others do not', async () => {
  const dir = join(root, 'test-4194305', 'postgres');
  const run = await startPostgres({ dir, passing: true, durable: false });
  expect(await query(run.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await run.stop();
  const room = memoryPlaceFor(root);
  if (room) rmSync(room, { recursive: true });
  expect(dirname(dirname(run.data)) === '/dev/shm').toBe(room !== undefined);
  forgetDeadRuns(root);
  expect(existsSync(run.data)).toBe(false);

  const demo = await startPostgres({ dir: join(root, 'demo-4194305', 'postgres'), passing: true });
  await demo.stop();
  expect(demo.data).not.toMatch(/^\/dev\/shm/);
  forgetDeadRuns(root);
});

test('data in a folder that the server cannot enter any more are named, not replaced', () => {
  const dir = stateOf('closed');
  mkdirSync(join(dir, 'data'), { recursive: true });
  writeFileSync(join(dir, 'data/PG_VERSION'), '15\n');
  const rules = { passing: false, account: closedTo, keptIn: join(root, 'kept') };
  // As root the file's owner is refused before: root's data cannot be served.
  expect(() => findData(dir, rules)).toThrow(/cannot pass through|belongs to root/);
  expect(readFileSync(join(dir, 'data/PG_VERSION'), 'utf8')).toBe('15\n');
});

test('a place outside follows a checkout that moved, and is not shared with a copy of it', () => {
  const rules = { passing: false, account: closedTo, keptIn: join(root, 'kept') };
  const [here, copy] = [stateOf('here'), stateOf('copy')];
  mkdirSync(here, { recursive: true });
  const { home } = findData(here, rules);
  expect(dirname(home)).toBe(join(root, 'kept'));
  expect(findData(here, rules).home).toBe(home);

  cpSync(join(root, 'here'), join(root, 'copy'), { recursive: true });
  expect(() => findData(copy, rules)).toThrow(/is a copy: two platforms cannot share them/);
  rmSync(join(root, 'here'), { recursive: true });
  expect(findData(copy, rules).home).toBe(home);
});

test('a place outside that is not there is asked for by name', () => {
  const rules = { passing: false, account: closedTo, keptIn: join(root, 'kept') };
  mkdirSync(stateOf('here'), { recursive: true });
  const { home } = findData(stateOf('here'), rules);
  renameSync(home, `${home}-not mounted`);
  expect(() => findData(stateOf('here'), rules)).toThrow(`are in ${home}, which is not there`);
});

test('a server of somebody else keeps nothing here', async () => {
  const server = await postgresFor('postgres://me@db.example:6000/roamwatt', { dir: join(root, 'none') });
  expect(server.data).toBe('');
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
