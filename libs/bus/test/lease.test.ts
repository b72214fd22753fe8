import { setTimeout as sleep } from 'node:timers/promises';
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
    ttlMs: 300,
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
  const two = hold('two');
  await sleep(400);
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
