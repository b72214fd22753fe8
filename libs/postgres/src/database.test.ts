import { type FreshDatabase, freshDatabase } from '#test-servers';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase, type Tx } from './index.ts';

let fresh: FreshDatabase;
let db: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  const migrations = [
    {
      name: 'notes-1',
      up: () => ['CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL CHECK (body <> $$bad$$))'],
    },
  ];
  db = await openDatabase({ url: fresh.url, schema: 'notes', migrations, poolMax: 2 });
});
beforeEach(() => db.query('DELETE FROM notes'));
afterAll(async () => {
  await db.close();
  await fresh.drop();
});

test('values arrive in the forms the platform uses', async () => {
  const { rows } = await db.query(`SELECT 9007199254740993::bigint AS big, '{1,2}'::bigint[] AS bigs, '{}'::bigint[] AS none,
    0.10::numeric AS price, '2022-02-01T09:00:00-08:00'::timestamptz AS at, '2022-02-01T17:00:00.25Z'::timestamptz AS sub,
    '2022-02-01'::date AS day, '\\x01'::bytea AS bytes`);
  expect(rows).toEqual([{
    big: 9007199254740993n, bigs: [1n, 2n], none: [], price: '0.10',
    at: '2022-02-01T17:00:00Z', sub: '2022-02-01T17:00:00.25Z', day: '2022-02-01', bytes: Buffer.from([1]),
  }]);
});

test('a statement with a name is planned once and gives the same answers', async () => {
  const byId = { name: 'note_by_id', text: 'SELECT body FROM notes WHERE id = $1' };
  await db.query('INSERT INTO notes VALUES (1, $1)', ['one']);
  for (let n = 0; n < 3; n += 1) expect((await db.query(byId, [1])).rows).toEqual([{ body: 'one' }]);
});

test('a transaction commits what it did and returns what it found', async () => {
  const answer = await db.tx(async (tx) => {
    await tx.query(`INSERT INTO notes VALUES (1, 'one')`);
    return (await tx.query('SELECT id FROM notes')).rowCount;
  });
  expect(answer).toBe(1);
  expect((await db.query('SELECT id FROM notes')).rowCount).toBe(1);
});

test('transactions that ask the database beside them leave a connection for that', async () => {
  const asks = (id: number) =>
    db.tx(async (tx) => {
      await tx.query('INSERT INTO notes VALUES ($1, $2)', [id, 'one']);
      return (await db.query('SELECT id FROM notes WHERE id = $1', [id])).rowCount;
    }, { asksBeside: true });
  const failing = db.tx(() => Promise.reject(new Error('no')), { asksBeside: true });
  await expect(failing).rejects.toThrow('no');
  expect(await Promise.all([1, 2, 3, 4].map(asks))).toEqual([0, 0, 0, 0]);
  expect((await db.query('SELECT id FROM notes')).rowCount).toBe(4);
});

test('what is to run after a commit runs when others see its rows, and not where nothing was committed', async () => {
  const seen: unknown[] = [];
  const note = (tx: Tx, then: () => void) => {
    tx.afterCommit(() => seen.push(db.query('SELECT id FROM notes').then(({ rowCount }) => rowCount)));
    return tx.query(`INSERT INTO notes VALUES (1, 'one')`).then(then);
  };
  await db.tx((tx) => note(tx, () => {}));
  expect(await Promise.all(seen)).toEqual([1]);
  await db.query('DELETE FROM notes');
  await db.tx((tx) => note(tx, () => { throw new Error('no'); })).catch(() => {});
  await db.tx(async (tx) => {
    tx.afterCommit(() => seen.push('swallowed'));
    await tx.query(`INSERT INTO notes VALUES (1, 'bad')`).catch(() => {});
  }).catch(() => {});
  expect(seen).toHaveLength(1);
});

test('what goes with the commit is done last, with any text; where it fails nothing is committed', async () => {
  const text = `O'Hare \\ $2 "x"`;
  await db.tx(async (tx) => {
    tx.atCommit('INSERT INTO notes SELECT count(*) + $2, $1 FROM notes', [text, '40']);
    await tx.query(`INSERT INTO notes VALUES (1, 'one'), (2, 'two')`);
  });
  expect((await db.query('SELECT * FROM notes WHERE id > 2')).rows).toEqual([{ id: 42, body: text }]);
  const failing = db.tx(async (tx) => {
    await tx.query('DELETE FROM notes');
    tx.atCommit('INSERT INTO notes VALUES (1, $1), (1, $1)', ['twice']);
  });
  await expect(failing).rejects.toMatchObject({ failure: 'unique-violation' });
  const swallowing = db.tx(async (tx) => {
    await tx.query(`INSERT INTO notes VALUES (3, 'bad')`).catch(() => {});
    tx.atCommit('SELECT 1', []);
  });
  await expect(swallowing).rejects.toMatchObject({ name: 'DatabaseFailure' });
  expect((await db.query('SELECT id FROM notes')).rowCount).toBe(3);
});

test.each([
  ['a table', 'SELECT FROM gone'],
  ['a column', 'SELECT gone FROM notes'],
  ['a function', 'SELECT gone()'],
  ['a key that had been unique', 'INSERT INTO notes VALUES (1) ON CONFLICT (body) DO NOTHING'],
])('%s that a newer release took away is of another schema', async (_what, sql) => {
  await expect(db.query(sql)).rejects.toMatchObject({ failure: 'other-schema' });
});

test('a transaction whose work throws leaves nothing, and the error passes through', async () => {
  const refused = new Error('cdr-differs-from-recorded');
  await expect(db.tx(async (tx) => {
    await tx.query(`INSERT INTO notes VALUES (1, 'one')`);
    throw refused;
  })).rejects.toBe(refused);
  expect((await db.query('SELECT id FROM notes')).rowCount).toBe(0);
});

test('a transaction that swallows the error of a statement does not pass for committed', async () => {
  await expect(db.tx(async (tx) => {
    await tx.query(`INSERT INTO notes VALUES (1, 'bad')`).catch(() => {});
  })).rejects.toMatchObject({ failure: 'rolled-back' });
});

test('a transaction cannot be used after its end, and waits for what it was not asked to wait for', async () => {
  const late = await db.tx(async (tx) => {
    void tx.query(`INSERT INTO notes VALUES (1, 'one')`);
    void tx.query(`INSERT INTO notes VALUES (2, 'two')`);
    return tx;
  });
  expect((await db.query('SELECT id FROM notes')).rowCount).toBe(2);
  await expect(late.query('SELECT 1')).rejects.toThrow(/after its end/);
});

test('violations have names', async () => {
  await db.query(`INSERT INTO notes VALUES (1, 'one')`);
  await expect(db.query(`INSERT INTO notes VALUES (1, 'again')`))
    .rejects.toMatchObject({ failure: 'unique-violation', origin: { constraint: 'notes_pkey', sqlState: '23505' } });
  await expect(db.query(`INSERT INTO notes VALUES (2, 'bad')`)).rejects.toMatchObject({ failure: 'check-violation' });
  await expect(db.query('INSERT INTO notes VALUES (2, NULL)')).rejects.toMatchObject({ failure: 'not-null-violation' });
  await expect(db.query(`SET LOCAL statement_timeout = 20; SELECT pg_sleep(1)`)).rejects.toMatchObject({ failure: 'statement-timeout' });
});

test('a connection that the server ends is named, and the next statement gets a new one', async () => {
  const victim = expect(db.query('SELECT pg_sleep(25)')).rejects.toMatchObject({ failure: 'connection-lost' });
  await endConnections(`AND query = 'SELECT pg_sleep(25)' AND state = 'active'`);
  await victim;
  // Another one that was idle may not have heard of its end yet.
  await expect.poll(() => db.query('SELECT 1 AS one')).toMatchObject({ rowCount: 1 });
  await endConnections();
  await expect.poll(() => db.query('SELECT 1 AS one')).toMatchObject({ rowCount: 1 });
});

test('no server there is named too', async () => {
  const opening = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', schema: 'x', migrations: [] });
  await expect(opening).rejects.toMatchObject({ name: 'DatabaseFailure', failure: 'no-connection' });
});

/** Ends every connection of the pool, once there is one as wanted. */
async function endConnections(wanted = ''): Promise<void> {
  const admin = new pg.Client({ connectionString: fresh.adminUrl });
  await admin.connect();
  const ours = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'roamwatt notes'`;
  await expect.poll(async () => (await admin.query(`SELECT 1 ${ours} ${wanted}`)).rowCount).toBeGreaterThan(0);
  await admin.query(`SELECT pg_terminate_backend(pid) ${ours}`);
  await admin.end();
}
