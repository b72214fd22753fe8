import {
  hears,
  listen,
  type Listening,
  outbox,
  parkedKeys,
  replayParked,
  startRelay,
  type Relay,
  told,
} from '#bus';
import type { Database } from '#postgres';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counted, keyOf, numberOf } from './contracts.ts';
import { heardRows } from './heard.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

let place: Place;
let db: Database;
let listening: Listening;
let relay: Relay;
let tell: (...values: string[]) => Promise<void>;
let refuse: (value: string) => Error | undefined;
let calls: string[];

beforeEach(async () => {
  place = await freshPlace();
  refuse = () => undefined;
  calls = [];
  const teller = await place.open('sessions');
  const box = outbox('sessions', teller);
  relay = startRelay(await place.join('sessions'), box);
  tell = (...values) => tellAll(teller, box, values);
  db = await place.open('cdr_ledger');
  listening = await start();
});

const start = async () =>
  listen(await place.join('cdr-ledger'), db, {
    listener: 'cdr-ledger',
    leaseMs: 300,
    pauseMs: 10,
    tries: 3,
    hearings: [
      hears(counted, async ({ value }, heard) => {
        calls.push(value);
        await heard.tx.query('INSERT INTO heard (key, number) VALUES ($1, $2)', [
          keyOf(value),
          numberOf(value),
        ]);
        const error = refuse(value);
        if (error) throw error;
      }),
    ],
  });
afterEach(async () => {
  await listening.close();
  await relay.close();
  await place.close();
});

const heard = async () => (await heardRows(db)).map(({ key, number }) => `${key}:${number}`);

test('a fact that keeps failing parks its key with the reason; other keys go on, and a replay catches up in order', async () => {
  refuse = (value) => (value === 'bad:2' ? new Error('no tariff for it') : undefined);
  await tell('bad:1', 'good:1', 'bad:2', 'bad:3', 'good:2', 'bad:4', 'good:3');
  const parked = await eventually(
    () => parkedKeys(db),
    ([first]) => first?.facts === 3,
  );
  expect(parked).toMatchObject([
    {
      listener: 'cdr-ledger',
      source: 'sessions',
      key: 'bad',
      reason: 'Error: no tariff for it',
      facts: 3,
    },
  ]);
  await eventually(heard, (seen) => seen.length === 4);
  expect(calls.filter((value) => value === 'bad:2').length).toBeGreaterThanOrEqual(3);
  expect(calls).not.toContain('bad:3');

  await tell('bad:5', 'good:4');
  await eventually(heard, (seen) => seen.includes('good:4'));
  await eventually(
    () => parkedKeys(db),
    ([first]) => first?.facts === 4,
  );

  refuse = () => undefined;
  await replayParked(db, { listener: 'cdr-ledger', source: 'sessions', key: 'bad' });
  await eventually(heard, (seen) => seen.includes('bad:5'));
  await tell('bad:6');
  const all = await eventually(heard, (seen) => seen.includes('bad:6'));
  expect(all.filter((value) => value.startsWith('bad'))).toEqual([
    'bad:1',
    'bad:2',
    'bad:3',
    'bad:4',
    'bad:5',
    'bad:6',
  ]);
  expect(all.filter((value) => value.startsWith('good'))).toEqual([
    'good:1',
    'good:2',
    'good:3',
    'good:4',
  ]);
  expect(await parkedKeys(db)).toEqual([]);
});

test('a replay that fails leaves the key parked with the new reason', async () => {
  refuse = () => new Error('first');
  await tell('a:1', 'a:2');
  await eventually(
    () => parkedKeys(db),
    ([first]) => first?.facts === 2,
  );
  refuse = () => new Error('second');
  await replayParked(db, { listener: 'cdr-ledger', source: 'sessions', key: 'a' });
  await eventually(
    () => parkedKeys(db),
    ([first]) => first?.reason === 'Error: second' && first.facts === 2,
  );
  expect(await heard()).toEqual([]);
});

const migrate = async (statement: string) => {
  const admin = new pg.Client({ connectionString: place.databaseUrl });
  await admin.connect();
  await admin.query(statement);
  await admin.end();
};

test('a service that starts tries its parked keys once more: what they failed of may be mended', async () => {
  refuse = (value) => (keyOf(value) === 'bad' ? new Error('a fault') : undefined);
  await tell('bad:1', 'good:1', 'bad:2');
  await eventually(() => parkedKeys(db), ([first]) => first?.facts === 2);
  // Of another group of slots, at another time.
  await eventually(heard, (seen) => seen.includes('good:1'));
  await listening.close();
  refuse = () => undefined;
  listening = await start();
  await eventually(heard, (seen) => seen.length === 3);
  expect(await heard()).toEqual(['good:1', 'bad:1', 'bad:2']);
  expect(await parkedKeys(db)).toEqual([]);
});

test('a process whose schema a newer release changed under it parks nothing, and the newer one goes on', async () => {
  await migrate('ALTER TABLE cdr_ledger.heard RENAME COLUMN number TO renamed');
  await tell('a:1', 'a:2');
  await eventually(async () => calls.length, (tries) => tries > 6);
  expect(await parkedKeys(db)).toEqual([]);
  await listening.close();
  await migrate('ALTER TABLE cdr_ledger.heard RENAME COLUMN renamed TO number');
  listening = await start();
  await eventually(heard, (seen) => seen.length === 2);
  expect(await heard()).toEqual(['a:1', 'a:2']);
});

test('a failure that passes is tried again in place, and its rows are written once', async () => {
  let failures = 2;
  refuse = (value) => (value === 'a:2' && failures-- > 0 ? new Error('just now') : undefined);
  await tell('a:1', 'a:2', 'a:3');
  expect(await eventually(heard, (seen) => seen.length === 3)).toEqual(['a:1', 'a:2', 'a:3']);
  expect(await parkedKeys(db)).toEqual([]);
});

test('a fact that does not pass its check is parked without a try', async () => {
  const teller = await place.open('sessions');
  const fact = { ...told(counted, { value: 'a:1' }), bytes: new Uint8Array([0x0a, 1, 0x61]) };
  await teller.tx((tx) => outbox('sessions', teller).tell(tx, [fact]));
  const [parked] = await eventually(
    () => parkedKeys(db),
    (keys) => keys.length === 1,
  );
  expect(parked?.reason).toBe('MalformedFact: sessions number.counted.v1: value has no number');
  expect(calls).toEqual([]);
});

test('what cannot be told is refused where it is told', () => {
  expect(() => told(counted, { value: 'no number' })).toThrow('value has no number');
  expect(() => told(counted, { value: ':1' })).toThrow('key is empty');
});
