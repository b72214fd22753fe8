import { heardAll, hears, hearsMany, listen, outbox, startRelay } from '#bus';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counted, keyOf, numberOf, weighed } from './contracts.ts';
import { faults, heardRows, seededValues } from './heard.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

let place: Place;
beforeEach(async () => {
  place = await freshPlace();
});
afterEach(() => place.close());

const writes = hears(counted, async ({ value }, heard) => {
  await heard.tx.query('INSERT INTO heard (key, number) VALUES ($1, $2)', [
    keyOf(value),
    numberOf(value),
  ]);
});

async function tellerWith(values: readonly string[]) {
  const [bus, db] = await Promise.all([place.join('sessions'), place.open('sessions')]);
  const box = outbox('sessions', db);
  await tellAll(db, box, values);
  return { bus, db, box };
}

test('what is told is heard once and in order, with the rows that the handler writes', async () => {
  const counts = new Map<string, number>();
  const { bus, db, box } = await tellerWith(seededValues(1, 500, 20, counts));
  const relay = startRelay(bus, box);
  const listener = await place.open('cdr_ledger');
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [writes],
  });
  await tellAll(db, box, seededValues(2, 500, 20, counts));
  const rows = await eventually(
    () => heardRows(listener),
    (seen) => seen.length >= 1_000,
  );
  expect(faults(rows, counts)).toEqual([]);
  await listening.close();
  await relay.close();
});

test('a handler of many facts gets those in a row together', async () => {
  const { bus, box } = await tellerWith(
    Array.from({ length: 200 }, (_, index) => `one:${index + 1}`),
  );
  const listener = await place.open('cdr_ledger');
  let calls = 0;
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [
      hearsMany(counted, async (facts, heard) => {
        calls += 1;
        await heard.tx.query(
          'INSERT INTO heard (key, number) SELECT * FROM unnest($1::text[], $2::int[])',
          [facts.map(({ key }) => key), facts.map(({ fact }) => numberOf(fact.value))],
        );
      }),
    ],
  });
  const relay = startRelay(bus, box);
  const rows = await eventually(
    () => heardRows(listener),
    (seen) => seen.length >= 200,
  );
  expect(faults(rows, new Map([['one', 200]]))).toEqual([]);
  expect(calls).toBeLessThan(50);
  await listening.close();
  await relay.close();
});

test('a batch that stood still for so long that the server ended its connection is heard again as one, not fact by fact', async () => {
  const { bus, box } = await tellerWith(Array.from({ length: 200 }, (_, index) => `one:${index + 1}`));
  const listener = await place.open('cdr_ledger');
  const heard: number[] = [];
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [
      hearsMany(counted, async (facts, { tx }) => {
        heard.push(facts.length);
        await tx.query('INSERT INTO heard (key, number) SELECT * FROM unnest($1::text[], $2::int[])', [
          facts.map(({ key }) => key), facts.map(({ fact }) => numberOf(fact.value)),
        ]);
        if (facts.length < 2 || heard.filter((many) => many > 1).length > 2) return;
        await tx.query(`SELECT set_config('idle_in_transaction_session_timeout', '50', true)`);
        await sleep(200);
      }),
    ],
  });
  const relay = startRelay(bus, box);
  const rows = await eventually(() => heardRows(listener), (seen) => seen.length >= 200);
  expect(faults(rows, new Map([['one', 200]]))).toEqual([]);
  expect(heard.length).toBeLessThan(50);
  await listening.close();
  await relay.close();
});

test('in a rush the next facts gather, and whoever closes meanwhile loses none of them', async () => {
  const { bus, db, box } = await tellerWith([]);
  const relay = startRelay(bus, box);
  const listener = await place.open('cdr_ledger');
  const listening = await place.join('cdr-ledger');
  const options = {
    listener: 'cdr-ledger',
    batch: 1_000,
    hearings: [
      hearsMany(counted, async (facts, heard) => {
        await heard.tx.query(
          'INSERT INTO heard (key, number) SELECT * FROM unnest($1::text[], $2::int[])',
          [facts.map(({ key }) => key), facts.map(({ fact }) => numberOf(fact.value))],
        );
      }),
    ],
  };
  const patient = await listen(listening, listener, { ...options, gatherMs: 600_000 });
  let count = 0;
  const heard = { listener: 'cdr-ledger', context: 'sessions', key: 'one' } as const;
  // The first rush is heard at once, what comes after it is not.
  do await tellAll(db, box, Array.from({ length: 200 }, () => `one:${(count += 1)}`));
  while (await heardAll(listening, listener, { ...heard, waitMs: 1_000 }));
  await patient.close();

  const other = await listen(listening, listener, options);
  expect(await heardAll(listening, listener, { ...heard, waitMs: 60_000 })).toBe(true);
  expect(faults(await heardRows(listener), new Map([['one', count]]))).toEqual([]);
  await other.close();
  await relay.close();
});

test('what handlers leave for the end of a batch is done behind all of them, in the same transaction', async () => {
  const counts = new Map<string, number>();
  const { bus, box } = await tellerWith(seededValues(9, 200, 5, counts));
  const listener = await place.open('cdr_ledger');
  const left = new WeakMap<object, string[]>();
  let times = 0;
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [
      hears(counted, ({ value }, heard) => {
        const before = left.get(heard.tx);
        if (before) return void before.push(value);
        const all = [value];
        left.set(heard.tx, all);
        heard.beforeCommit(async () => {
          times += 1;
          await heard.tx.query(
            'INSERT INTO heard (key, number) SELECT * FROM unnest($1::text[], $2::int[])',
            [all.map(keyOf), all.map(numberOf)],
          );
          if (times === 1) throw new Error('not yet');
        });
      }),
    ],
  });
  const relay = startRelay(bus, box);
  const rows = await eventually(
    () => heardRows(listener),
    (seen) => seen.length >= 200,
  );
  expect(faults(rows, counts)).toEqual([]);
  await listening.close();
  await relay.close();
});

test('a listener that is new gets from the source what the stream no longer has', async () => {
  const counts = new Map<string, number>();
  const { bus, db, box } = await tellerWith(seededValues(3, 1_500, 50, counts));
  const relay = startRelay(bus, box);
  const manager = await jetstreamManager(bus.connection, { checkAPI: false, timeout: 60_000 });
  const stream = `ROAMWATT_${place.platform}_sessions`;
  await eventually(
    async () => (await manager.streams.info(stream).catch(() => undefined))?.state.messages,
    (n) => n === 1_500,
  );
  await manager.streams.purge(stream, { seq: 1_001 });
  const listener = await place.open('cdr_ledger');
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [writes],
  });
  await tellAll(db, box, seededValues(4, 100, 50, counts));
  const rows = await eventually(
    () => heardRows(listener),
    (seen) => seen.length >= 1_600,
  );
  expect(faults(rows, counts)).toEqual([]);
  await listening.close();
  await relay.close();
});

test('a listener behind an empty stream is told again, and the source may come later than it', async () => {
  const counts = new Map<string, number>();
  const { bus, db, box } = await tellerWith(seededValues(5, 300, 5, counts));
  const listener = await place.open('cdr_ledger');
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [writes],
  });
  // All that was told is older than the retention, so the stream stays empty.
  await db.query(`UPDATE outbox SET at = at - interval '8 days'`);
  const relay = startRelay(bus, box);
  const rows = await eventually(
    () => heardRows(listener),
    (seen) => seen.length >= 300,
  );
  expect(faults(rows, counts)).toEqual([]);
  await listening.close();
  await relay.close();
});

test('the position moves past what concerns nobody, and closing gives the work away at once', async () => {
  const { bus, box } = await tellerWith(['a:1', 'b:1', 'c:1']);
  const relay = startRelay(bus, box);
  const listener = await place.open('cdr_ledger');
  const joined = await place.join('cdr-ledger');
  const nothing = hears(weighed, () => {});
  const listening = await listen(joined, listener, {
    listener: 'cdr-ledger',
    hearings: [nothing],
    leaseMs: 600,
  });
  const positions = async () =>
    (
      await listener.query<{ position: bigint; owner: string | null }>(
        'SELECT position, owner FROM listening ORDER BY slots',
      )
    ).rows;
  await eventually(
    positions,
    (rows) => rows.length === 4 && rows.every(({ position }) => position === 3n),
  );
  await listening.close();
  expect((await positions()).map(({ owner }) => owner)).toEqual([null, null, null, null]);
  await relay.close();
});

test('whether all was heard that was told of a key is known, whatever was told of others since', async () => {
  const { bus, db, box } = await tellerWith(['a:1', 'b:1']);
  const listener = await place.open('cdr_ledger');
  const asked = await place.join('cdr-ledger');
  const all = (key: string, waitMs = 0) => heardAll(asked, listener, { listener: 'cdr-ledger', context: 'sessions', key, waitMs });
  expect(await all('a')).toBe(true);
  const relay = startRelay(bus, box);
  await eventually(() => all('a'), (heard) => !heard);
  let release = () => {};
  const held = new Promise<void>((resolve) => { release = resolve; });
  const listening = await listen(asked, listener, {
    listener: 'cdr-ledger',
    slotGroups: 64,
    hearings: [hears(counted, async ({ value }) => (keyOf(value) === 'b' ? held : undefined))],
  });
  expect(await all('a', 60_000)).toBe(true);
  expect(await all('b')).toBe(false);
  release();
  expect(await all('b', 60_000)).toBe(true);
  await tellAll(db, box, ['b:2']);
  await eventually(() => all('b', 60_000), (heard) => heard);
  await listening.close();
  await relay.close();
});
