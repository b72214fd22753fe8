import { type FreshDatabase, freshDatabase } from '#test-servers';
import { type Database, openDatabase } from '#postgres';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventStoreMigrations, postgresEventStore } from '../src/index.ts';
import { appendOne, event, item, newStream } from './items.ts';

const SCHEMA = 'compressed';

let fresh: FreshDatabase;
let superuser: pg.Client;

beforeAll(async () => {
  fresh = await freshDatabase();
  superuser = new pg.Client({ connectionString: fresh.adminUrl });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await fresh.drop();
});

test('a large event is compressed by lz4 where the server has it, and what was stored before is read as it was', async () => {
  const before = await opened(eventStoreMigrations.slice(0, -1));
  const stream = newStream();
  const large = (n: number) => event({ data: JSON.stringify(Array.from({ length: 300 }, (_, k) => ({ n, energyWh: k * 1_200 }))) });
  const [first, second] = [large(1), large(2)];
  await append(before, item(stream, 0, first));
  const after = await opened(eventStoreMigrations);
  await append(after, item(stream, 1, second));
  const store = postgresEventStore(after);
  expect((await store.read(stream)).map(({ data }) => data)).toEqual([first.data, second.data]);
  await store.close();
  const { rows } = await superuser.query(
    `SELECT pg_column_compression(data) AS "by" FROM ${SCHEMA}.events ORDER BY "position"`,
  );
  expect(rows).toEqual([{ by: 'pglz' }, { by: (await hasLz4()) ? 'lz4' : 'pglz' }]);
  await before.close();
  await after.close();
});

function opened(migrations: typeof eventStoreMigrations): Promise<Database> {
  return openDatabase({ url: fresh.url, schema: SCHEMA, migrations });
}

async function append(db: Database, one: ReturnType<typeof item>): Promise<void> {
  const store = postgresEventStore(db);
  expect(await appendOne(store, one)).toMatchObject({ outcome: 'appended' });
  await store.close();
}

async function hasLz4(): Promise<boolean> {
  const { rows } = await superuser.query(
    `SELECT 'lz4' = ANY (enumvals) AS has FROM pg_settings WHERE name = 'default_toast_compression'`,
  );
  return rows[0]!.has as boolean;
}
