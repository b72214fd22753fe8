import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import pg from 'pg';
import { startPostgres } from './postgres.ts';
import { stateRoot } from './places.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(stateRoot(), 'servers-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a database server that is stopped and started again keeps its rows', async () => {
  const first = await startPostgres({ dir });
  await query(first.url, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)');
  await first.stop();
  const second = await startPostgres({ dir });
  expect(await query(second.url, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
  expect(await query(second.url, 'SHOW data_checksums')).toEqual([{ data_checksums: 'on' }]);
  await second.stop();
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
