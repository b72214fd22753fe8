import { type FreshDatabase, freshDatabase } from '#test-servers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, type ObjectPage, openDatabase, pageByCreation, type PageRequest, type Queryable, type Statement } from './index.ts';

let fresh: FreshDatabase;
let db: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  const migrations = [
    {
      name: 'plates-1',
      up: () => [
        'CREATE TABLE plates (plate text, hidden boolean NOT NULL DEFAULT false, last_updated timestamptz NOT NULL, created bigint GENERATED ALWAYS AS IDENTITY)',
        'CREATE TABLE membership (version text NOT NULL)',
      ],
    },
  ];
  db = await openDatabase({ url: fresh.url, schema: 'plates', migrations });
});
const add = (...plates: string[]) =>
  db.query(
    `INSERT INTO plates (plate, last_updated) SELECT plate, '2022-02-01T00:00:00Z' FROM unnest($1::text[]) AS plate`,
    [plates],
  );
beforeEach(async () => {
  await db.query('DELETE FROM plates');
  await add('A', 'B', 'C', 'D', 'E', 'F', 'G');
});
afterAll(async () => {
  await db.close();
  await fresh.drop();
});

const page = (request: PageRequest, where = 'NOT hidden') => pageByCreation(db, { table: 'plates', text: 'plate', where }, request);
const plates = ({ rows }: ObjectPage) => rows.map(({ text }) => text).join('');
const next = ({ rows }: ObjectPage, { offset, ...request }: PageRequest): PageRequest =>
  ({ ...request, offset: offset + rows.length, after: { position: rows.at(-1)!.position, offset: offset + rows.length } });

/** All pages as they are read on, with what happens between them. */
async function walk(request: PageRequest, between: (read: string) => Promise<unknown>): Promise<{ plates: string[]; totals: number[] }> {
  const walked = { plates: [] as string[], totals: [] as number[] };
  for (let at = request; ;) {
    const found = await page(at);
    walked.plates.push(plates(found));
    walked.totals.push(found.total);
    if (!found.more) return walked;
    await between(plates(found));
    at = next(found, at);
  }
}

test('TRN-54 a list read to its end is in the order of creation, each once', async () => {
  expect(await walk({ offset: 0, limit: 3 }, async () => {})).toEqual({ plates: ['ABC', 'DEF', 'G'], totals: [7, 7, 7] });
});

test('TRN-54 what leaves the window, or is hidden, while the list is read takes nothing else with it', async () => {
  const dateTo = '2022-03-01T00:00:00Z';
  const read = await walk({ dateTo, offset: 0, limit: 2 }, async (seen) => {
    if (seen === 'AB') await db.query(`UPDATE plates SET last_updated = '2022-04-01' WHERE plate IN ('A', 'D')`);
    if (seen === 'CE') await db.query(`UPDATE plates SET hidden = true WHERE plate IN ('B', 'F')`);
  });
  expect(read.plates).toEqual(['AB', 'CE', 'G']);
});

test('TRN-54 what joins while the list is read comes at its end, and its pages follow although the total was smaller', async () => {
  const { plates: read } = await walk({ offset: 0, limit: 7 }, async () => {});
  expect(read).toEqual(['ABCDEFG']);
  const joined = await walk({ offset: 0, limit: 4 }, async (seen) => seen === 'ABCD' && add('H', 'I'));
  expect(joined.plates).toEqual(['ABCD', 'EFGH', 'I']);
});

test('TRN-50 an offset of one\'s own needs no earlier page', async () => {
  expect(plates(await page({ offset: 5, limit: 3 }))).toBe('FG');
  expect(await page({ offset: 7, limit: 3 })).toEqual({ rows: [], total: 7, more: false });
  expect(await page({ offset: 2 ** 31 - 1, limit: 3 })).toEqual({ rows: [], total: 7, more: false });
  await db.query(`UPDATE plates SET hidden = true WHERE plate IN ('A', 'F')`);
  expect(plates(await page({ offset: 2, limit: 3 }))).toBe('DEG');
});

test('TRN-54 who goes back by an offset of its own is not held to where the page before ended', async () => {
  const after = { position: (await page({ offset: 0, limit: 4 })).rows.at(-1)!.position, offset: 4 };
  expect(plates(await page({ offset: 4, limit: 2, after }))).toBe('EF');
  expect(plates(await page({ offset: 6, limit: 2, after }))).toBe('G');
  expect(plates(await page({ offset: 3, limit: 2, after }))).toBe('DE');
});

test('TRN-52 the total of a list that is begun is counted then', async () => {
  expect((await page({ offset: 0, limit: 1 })).total).toBe(7);
  await add('H');
  expect((await page({ offset: 0, limit: 1 })).total).toBe(8);
  await db.query(`UPDATE plates SET hidden = true WHERE plate = 'H'`);
  expect((await page({ offset: 0, limit: 1 })).total).toBe(7);
  expect((await page({ offset: 0, limit: 1 }, 'true')).total).toBe(8);
});

test('TRN-52 a list is not counted again before its membership is another one, but within a window it is', async () => {
  const total = async (request: Partial<PageRequest> = {}) => {
    const of = { table: 'plates', text: 'plate', where: 'NOT hidden', membership: '(SELECT version FROM membership)' };
    return (await pageByCreation(db, of, { offset: 0, limit: 1, ...request })).total;
  };
  await db.query(`DELETE FROM membership`);
  await db.query(`INSERT INTO membership VALUES ('1')`);
  expect(await total()).toBe(7);
  await add('H');
  expect(await total()).toBe(7);
  expect(await total({ dateFrom: '2022-01-01T00:00:00Z' })).toBe(8);
  await db.query(`UPDATE membership SET version = '2'`);
  expect(await total()).toBe(8);
});

test('TRN-50 an offset of one\'s own deep in a long list is found from a mark, as long as the membership is the same', async () => {
  await db.query('DELETE FROM plates');
  await db.query(`INSERT INTO plates (plate, last_updated) SELECT '-' || n, '2022-02-01T00:00:00Z' FROM generate_series(1, 3200) n`);
  await db.query('DELETE FROM membership');
  await db.query(`INSERT INTO membership VALUES ('marked 1')`);
  const at = async (offset: number, more: Partial<PageRequest> = {}) => {
    const of = { table: 'plates', text: 'plate', where: 'NOT hidden', membership: '(SELECT version FROM membership)' };
    return plates(await pageByCreation(db, of, { offset, limit: 2, ...more }));
  };
  const places = [1999, 2000, 2001, 2345, 2999, 3000, 3199, 3200, 5000];
  const all = await Promise.all(places.map((offset) => at(offset)));
  expect(all).toEqual(['-2000-2001', '-2001-2002', '-2002-2003', '-2346-2347', '-3000-3001', '-3001-3002', '-3200', '', '']);
  // Nobody said so: what is found from a mark stays where it was.
  await db.query(`UPDATE plates SET hidden = true WHERE plate = '-1'`);
  expect([await at(1999), await at(2000), await at(3005)]).toEqual(['-2001-2002', '-2001-2002', '-3006-3007']);
  expect(await at(2000, { dateFrom: '2022-01-01T00:00:00Z' })).toBe('-2002-2003');
  await db.query(`UPDATE membership SET version = 'marked 2'`);
  expect([await at(1999), await at(2000), await at(3005)]).toEqual(['-2001-2002', '-2002-2003', '-3007-3008']);
});

test('a page of a list whose membership is the same asks once for that, however deep it is', async () => {
  await db.query('DELETE FROM membership');
  await db.query(`INSERT INTO membership VALUES ('asked')`);
  const asked: string[] = [];
  const counting = {
    query(statement: Statement | string, values?: readonly unknown[]) {
      asked.push(...(JSON.stringify(statement).match(/AS membership/g) ?? []));
      return db.query(statement as Statement, values);
    },
  } as Queryable;
  const of = { table: 'plates', text: 'plate', membership: '(SELECT version FROM membership)' };
  const counts = [];
  for (const offset of [0, 0, 5_000, 5_000]) {
    asked.length = 0;
    await pageByCreation(counting, of, { offset, limit: 2 });
    counts.push(asked.length);
  }
  expect(counts).toEqual([1, 1, 1, 1]);
});
