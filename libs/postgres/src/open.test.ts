import { type FreshDatabase, freshDatabase } from '#test-servers';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MigrationList, openDatabase } from './index.ts';

const notes: MigrationList = [
  { name: 'notes-1', up: () => ['CREATE TABLE notes (id int PRIMARY KEY, body text)', `INSERT INTO notes VALUES (0, 'a?b $1')`] },
];
let fresh: FreshDatabase;

beforeEach(async () => { fresh = await freshDatabase(); });
afterEach(() => fresh.drop());

test('a service finds its schema made and its migrations run', async () => {
  const db = await openDatabase({ url: fresh.url, schema: 'sessions', migrations: notes });
  expect((await db.query('SELECT * FROM notes')).rows).toEqual([{ id: 0, body: 'a?b $1' }]);
  await db.close();
});

test('a later start runs only the migrations that are new', async () => {
  const first = await openDatabase({ url: fresh.url, schema: 'sessions', migrations: notes });
  await first.query(`INSERT INTO notes VALUES (1, 'kept')`);
  await first.close();
  const migrations = [...notes, { name: 'notes-2', up: () => ['ALTER TABLE notes ADD COLUMN at timestamptz'] }];
  for (let start = 0; start < 2; start += 1) {
    const later = await openDatabase({ url: fresh.url, schema: 'sessions', migrations });
    expect((await later.query('SELECT * FROM notes WHERE id = 1')).rows).toEqual([{ id: 1, body: 'kept', at: null }]);
    await later.close();
  }
});

test('a release before does not start on what a newer one made, and says so', async () => {
  const newer = [...notes, { name: 'notes-2', up: () => [] }, { name: 'notes-3', up: () => ['ALTER TABLE notes DROP COLUMN body'] }];
  await (await openDatabase({ url: fresh.url, schema: 'sessions', migrations: newer })).close();
  await expect(openDatabase({ url: fresh.url, schema: 'sessions', migrations: notes })).rejects
    .toThrow('the data of sessions are of a newer release than this program: it does not know notes-2 and 1 more. Start the newer release');
  const later = [...notes, { name: 'notes-2b', up: () => ['DROP TABLE notes'] }];
  await expect(openDatabase({ url: fresh.url, schema: 'sessions', migrations: later })).rejects.toThrow('newer release');
  const db = await openDatabase({ url: fresh.url, schema: 'sessions', migrations: newer });
  expect((await db.query('SELECT * FROM notes')).rows).toEqual([{ id: 0 }]);
  await db.close();
});

test('replicas and services that start at the same time do not trip over each other', async () => {
  const schemas = ['sessions', 'sessions', 'sessions', 'locations', 'locations', 'cdr_ledger'];
  const opened = await Promise.all(schemas.map((schema) => openDatabase({ url: fresh.url, schema, migrations: notes })));
  for (const db of opened) expect((await db.query('SELECT id FROM notes')).rowCount).toBe(1);
  await Promise.all(opened.map((db) => db.close()));
});

test('platforms of one cluster that start at the same time share the role without a quarrel', async () => {
  const others = await Promise.all([freshDatabase(), freshDatabase(), freshDatabase()]);
  const schema = `race_${Math.random().toString(36).slice(2)}`;
  const opened = await Promise.all(
    [fresh, ...others].map(({ url }) => openDatabase({ url, schema, migrations: notes })),
  );
  for (const db of opened) expect((await db.query('SELECT id FROM notes')).rowCount).toBe(1);
  await Promise.all(opened.map((db) => db.close()));
  await Promise.all(others.map((other) => other.drop()));
  await administer(`DROP OWNED BY roamwatt_${schema} CASCADE`, `DROP ROLE roamwatt_${schema}`);
});

test('a service cannot read the tables of another one, nor change its own schema', async () => {
  const ledger = await openDatabase({ url: fresh.url, schema: 'cdr_ledger', migrations: notes });
  const sessions = await openDatabase({ url: fresh.url, schema: 'sessions', migrations: notes });
  const refused = expect.objectContaining({ name: 'DatabaseFailure', failure: 'permission-denied' });
  await expect(sessions.query('SELECT * FROM cdr_ledger.notes')).rejects.toEqual(refused);
  await expect(sessions.query('DROP SCHEMA cdr_ledger CASCADE')).rejects.toMatchObject({ name: 'DatabaseFailure' });
  await expect(sessions.query('CREATE TABLE more (id int)')).rejects.toEqual(refused);
  await expect(sessions.query('TRUNCATE notes')).rejects.toEqual(refused);
  await expect(sessions.query(`DELETE FROM migrations`)).rejects.toEqual(refused);
  await Promise.all([ledger.close(), sessions.close()]);
});

test('an application with a login of its own is made a member of the role and acts as it', async () => {
  const login = `app_${Math.random().toString(36).slice(2)}`;
  await administer(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'`);
  const url = new URL(fresh.url);
  url.username = login;
  url.password = 'secret';
  for (let start = 0; start < 2; start += 1) {
    const db = await openDatabase({ url: url.href, adminUrl: fresh.adminUrl, schema: 'sessions', migrations: notes });
    const { rows } = await db.query('SELECT session_user::text AS login, current_user::text AS role');
    expect(rows).toEqual([{ login, role: 'roamwatt_sessions' }]);
    await db.close();
  }
  await administer(`DROP ROLE ${login}`);
});

test('an administrator that is no superuser suffices: it may create roles, and schemas in the database', async () => {
  const schema = `modest_${Math.random().toString(36).slice(2)}`;
  const admin = `admin_${schema}`;
  await administer(`CREATE ROLE ${admin} LOGIN CREATEROLE PASSWORD 'secret'`,
    `DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO ${admin}', current_database()); END $$`);
  const url = new URL(fresh.url);
  url.username = admin;
  url.password = 'secret';
  for (let start = 0; start < 2; start += 1) {
    const db = await openDatabase({ url: url.href, schema, migrations: notes });
    const { rows } = await db.query('SELECT current_user::text AS role, body FROM notes');
    expect(rows).toEqual([{ role: `roamwatt_${schema}`, body: 'a?b $1' }]);
    await db.close();
  }
  await administer(`DROP OWNED BY ${admin} CASCADE`, `DROP ROLE roamwatt_${schema}`, `DROP ROLE ${admin}`);
});

test('a migration that fails leaves nothing behind, and says what is wrong', async () => {
  const broken = [...notes, { name: 'notes-2', up: () => ['ALTER TABLE notes ADD COLUMN at timestamptz', 'SELECT nonsense'] }];
  await expect(openDatabase({ url: fresh.url, schema: 'sessions', migrations: broken })).rejects.toThrow(/nonsense/);
  const db = await openDatabase({ url: fresh.url, schema: 'sessions', migrations: notes });
  expect((await db.query('SELECT * FROM notes')).rows).toEqual([{ id: 0, body: 'a?b $1' }]);
  await db.close();
});

test('two migrations of one name and a name that is no schema are refused', async () => {
  const { url } = fresh;
  await expect(openDatabase({ url, schema: 'sessions', migrations: [...notes, ...notes] })).rejects.toThrow(/same name/);
  await expect(openDatabase({ url, schema: 'x; DROP', migrations: notes })).rejects.toThrow(/not a name for a schema/);
});

async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: fresh.adminUrl });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
