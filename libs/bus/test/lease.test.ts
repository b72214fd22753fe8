import { holdLease } from '#bus';
import type { Database } from '#postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, freshPlace, type Place } from './place.ts';

let place: Place;
let db: Database;
let said: string[];
beforeEach(async () => {
  place = await freshPlace();
  db = await place.open('evems');
  said = [];
});
afterEach(() => place.close());

const hold = (who: string, on: Database = db) =>
  holdLease(on, 'site-1', {
    // An owner renews each third of it: a busy machine may stand still for longer than a short one.
    ttlMs: 5_000,
    onOwned: (epoch) => said.push(`${who} owns ${epoch}`),
    onLost: () => said.push(`${who} lost`),
  });
const saying = (what: string) =>
  eventually(
    async () => said,
    (seen) => seen.includes(what),
  );

test('one of two owns; when it releases, the other owns at once with a higher epoch', async () => {
  const one = hold('one');
  await saying('one owns 1');
  const { rows } = await db.query<{ until: string }>('SELECT until FROM lease');
  const two = hold('two');
  const renewed = `SELECT FROM lease WHERE until > $1::timestamptz + interval '5 s'`;
  await eventually(
    async () => (await db.query(renewed, [rows[0]?.until])).rows.length,
    (once) => once === 1,
  );
  expect(said).toEqual(['one owns 1']);
  await one.release();
  await saying('two owns 2');
  await two.release();
  expect(said).toEqual(['one owns 1', 'two owns 2']);
});

test('an owner that cannot reach the database stops before another begins', async () => {
  let cut = false;
  const failing = new Proxy(db, {
    get: (target, name, self) =>
      name === 'query' && cut
        ? () => Promise.reject(new Error('cut off'))
        : (Reflect.get(target, name, self) as unknown),
  });
  const one = hold('one', failing);
  await saying('one owns 1');
  const two = hold('two');
  cut = true;
  await saying('two owns 2');
  expect(said).toEqual(['one owns 1', 'one lost', 'two owns 2']);
  cut = false;
  await two.release();
  await saying('one owns 3');
  await one.release();
});
