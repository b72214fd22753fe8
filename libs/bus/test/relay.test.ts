import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  fromEventStore,
  hears,
  listen,
  LogMismatch,
  outbox,
  startRelay,
  type TellSource,
  told,
} from '#bus';
import { memoryEventStore, type StoredEvent } from '#event-store';
import { type Server, startNats, stateRoot } from '#servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { counted, keyOf, numberOf } from './contracts.ts';
import { faults, heardRows, seededValues } from './heard.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

let place: Place;
afterEach(() => place.close());

const writes = hears(counted, async ({ value }, heard) => {
  await heard.tx.query('INSERT INTO heard (key, number) VALUES ($1, $2)', [
    keyOf(value),
    numberOf(value),
  ]);
});

async function streamOf(at: Place, timeout = 60_000) {
  const manager = await jetstreamManager((await at.join('look')).connection, { checkAPI: false, timeout });
  const name = `ROAMWATT_${at.platform}_sessions`;
  return {
    manager,
    name,
    async positions(): Promise<number[]> {
      const { state } = await manager.streams
        .info(name)
        .catch(() => ({ state: { first_seq: 1, last_seq: 0 } }));
      const found: number[] = [];
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
        const message = await manager.direct.getMessage(name, { seq });
        if (message) found.push(Number(message.header.get('Position')));
      }
      return found;
    },
  };
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test('relays that race tell each fact once, in the order of the log', async () => {
  place = await freshPlace();
  const db = await place.open('sessions');
  const boxes = [outbox('sessions', db), outbox('sessions', db), outbox('sessions', db)] as const;
  const relays = await Promise.all(
    boxes.map(async (box) => startRelay(await place.join('sessions'), box)),
  );
  const values = seededValues(1, 600, 20);
  for (let told = 0; told < 600; told += 30) {
    await tellAll(db, boxes[(told / 30) % 3] ?? boxes[0], values.slice(told, told + 30));
  }
  const stream = await streamOf(place);
  const { last_seq: last } = await eventually(
    async () => (await stream.manager.streams.info(stream.name)).state,
    (state) => state.messages >= 600,
  );
  expect(last).toBe(600);
  expect(await stream.positions()).toEqual(upTo(600));
  await Promise.all(relays.map((relay) => relay.close()));
});

test('what a replica tells right after another is told without a pause: it was behind, and did not race', async () => {
  place = await freshPlace();
  const db = await place.open('sessions');
  const boxes = [outbox('sessions', db), outbox('sessions', db)] as const;
  const relays = await Promise.all(boxes.map(async (box) => startRelay(await place.join('sessions'), box)));
  const stream = await streamOf(place);
  const toldBy = async (last: number) => eventually(
    async () => (await stream.manager.streams.info(stream.name).catch(() => undefined))?.state.messages ?? 0,
    (messages) => messages >= last,
  );
  await tellAll(db, boxes[0], ['k:1']);
  await toldBy(1);
  const tookMs: number[] = [];
  for (let n = 2; n < 10; n += 1) {
    const before = performance.now();
    await tellAll(db, boxes[n % 2 === 0 ? 1 : 0], [`k:${n}`]);
    await toldBy(n);
    tookMs.push(performance.now() - before);
  }
  // Not each of them: a processor may be busy.
  expect(Math.min(...tookMs)).toBeLessThan(150);
  await Promise.all(relays.map((relay) => relay.close()));
});

test('transactions that tell at the same time are told in one order without holes', async () => {
  place = await freshPlace();
  const db = await place.open('sessions');
  const box = outbox('sessions', db);
  const relay = startRelay(await place.join('sessions'), box);
  const lateFirst = db.tx(async (tx) => {
    await box.tell(tx, [told(counted, { value: 'slow:1' })]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  const abandoned = db
    .tx(async (tx) => {
      await box.tell(tx, [told(counted, { value: 'gone:1' })]);
      throw new Error('rolled back');
    })
    .catch(() => {});
  await Promise.all([lateFirst, abandoned, tellAll(db, box, ['quick:1', 'quick:2'])]);
  const stream = await streamOf(place);
  expect(
    await eventually(
      () => stream.positions(),
      (positions) => positions.length === 3,
    ),
  ).toEqual([1, 2, 3]);
  await relay.close();
});

test('decided events are told as the map says, some not at all', async () => {
  place = await freshPlace();
  const store = memoryEventStore();
  const toTold = ({ type, data }: StoredEvent) =>
    type === 'Counted' ? told(counted, { value: data }) : undefined;
  const relay = startRelay(await place.join('sessions'), fromEventStore('sessions', store, toTold));
  const db = await place.open('cdr_ledger');
  const listening = await listen(await place.join('cdr-ledger'), db, {
    listener: 'cdr-ledger',
    hearings: [writes],
  });
  for (let number = 1; number <= 20; number += 1) {
    const type = number % 2 === 0 ? 'Counted' : 'Noted';
    await store.append([
      {
        stream: 's',
        expected: number - 1,
        events: [{ id: randomUUID(), type, data: `a:${number / 2}` }],
      },
    ]);
  }
  const rows = await eventually(
    () => heardRows(db),
    (seen) => seen.length >= 10,
  );
  expect(faults(rows, new Map([['a', 10]]))).toEqual([]);
  await listening.close();
  await relay.close();
});

test('a stream that was not told from this log stops its relay with a named error', async () => {
  place = await freshPlace();
  const db = await place.open('sessions');
  const box = outbox('sessions', db);
  const bus = await place.join('sessions');
  const first = startRelay(bus, box);
  await tellAll(db, box, ['a:1', 'a:2']);
  const stream = await streamOf(place);
  await eventually(
    () => stream.positions(),
    (positions) => positions.length === 2,
  );
  await first.close();
  await db.query(`UPDATE outbox SET id = 'another' WHERE position = 2`);
  const second = startRelay(bus, box);
  await expect(second.stopped).rejects.toBeInstanceOf(LogMismatch);
  await tellAll(db, box, ['a:3']);
  expect(await stream.positions()).toEqual([1, 2]);
  await db.query('DELETE FROM outbox');
  await expect(startRelay(bus, box).stopped).rejects.toMatchObject({
    position: 2n,
    idInLog: undefined,
  });
  await second.close();
});

test('an empty stream is told on from what is younger than the retention', async () => {
  place = await freshPlace();
  const db = await place.open('sessions');
  const box = outbox('sessions', db);
  await tellAll(db, box, ['a:1', 'a:2', 'a:3', 'a:4']);
  await db.query(`UPDATE outbox SET at = at - interval '8 days' WHERE position <= 2`);
  const relay = startRelay(await place.join('sessions'), box);
  const stream = await streamOf(place);
  expect(
    await eventually(
      () => stream.positions(),
      (positions) => positions.includes(4),
    ),
  ).toEqual([3, 4]);
  await relay.close();
});

test('in a log of events the time is found by halving positions', async () => {
  place = await freshPlace();
  const store = memoryEventStore();
  for (let number = 1; number <= 9; number += 1) {
    await store.append([
      { stream: `s${number}`, expected: 0, events: [{ id: randomUUID(), type: 'x', data: '' }] },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const events = await store.readAll(0n, 100);
  const source: TellSource = fromEventStore('sessions', store, () => undefined);
  for (const [index, { recordedAt }] of events.entries()) {
    const before = events.filter((event) => event.recordedAt < recordedAt).at(-1)?.position ?? 0n;
    expect(await source.positionBefore(new Date(recordedAt)), `event ${index}`).toBe(before);
  }
  expect(await source.positionBefore(new Date(Date.now() + 1_000))).toBe(events.at(-1)?.position);
});

test('what nobody needs any more of mirrored rows is compacted, and the rest is told again', async () => {
  place = await freshPlace();
  const db = await place.open('sessions');
  const box = outbox('sessions', db);
  for (const value of ['a:1', 'b:1', 'a:2', 'a:3']) {
    await db.tx((tx) => box.tell(tx, [{ ...told(counted, { value }), about: keyOf(value) }]));
  }
  await tellAll(db, box, ['a:4']);
  await db.query(`UPDATE outbox SET at = at - interval '20 days' WHERE position < 4`);
  await box.compact?.(new Date(Date.now() - 14 * 24 * 3_600_000));
  const { rows } = await box.readAfter(0n, 100);
  expect(rows.map(({ position }) => position)).toEqual([2n, 4n, 5n]);
});

test('a nats-server put back to an older store, and then to an empty one, is told what it lost; listeners neither miss nor repeat', async () => {
  const dir = mkdtempSync(join(stateRoot(), 'bus-nats-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  let server: Server = await startNats({ dir });
  onTestFinished(() => server.stop());
  place = await freshPlace(server.url);
  const teller = await place.open('sessions');
  const box = outbox('sessions', teller);
  const relay = startRelay(await place.join('sessions'), box);
  const db = await place.open('cdr_ledger');
  const listening = await listen(await place.join('cdr-ledger'), db, {
    listener: 'cdr-ledger',
    hearings: [writes],
  });
  const counts = new Map<string, number>();
  let total = 0;
  const tellAndHear = async (count: number) => {
    await tellAll(teller, box, seededValues(total, count, 10, counts));
    total += count;
    const rows = await eventually(
      () => heardRows(db),
      (seen) => seen.length >= total,
    );
    expect(faults(rows, counts)).toEqual([]);
  };
  const restart = async (change: () => void) => {
    await server.stop();
    change();
    server = await startNats({ dir, port: server.port });
  };
  // What is asked while the server stops is never answered.
  const stream = await streamOf(place, 2_000);
  const healed = () =>
    eventually(
      () => stream.positions().catch(() => []),
      (positions) => positions.length === total,
    );

  await tellAndHear(200);
  await restart(() => cpSync(join(dir, 'jetstream'), join(dir, 'older'), { recursive: true }));
  await tellAndHear(200);
  await restart(() => {
    rmSync(join(dir, 'jetstream'), { recursive: true });
    cpSync(join(dir, 'older'), join(dir, 'jetstream'), { recursive: true });
  });
  expect(await healed()).toEqual(upTo(400));
  await tellAndHear(200);
  await restart(() => rmSync(join(dir, 'jetstream'), { recursive: true }));
  expect(await healed()).toEqual(upTo(600));
  await tellAndHear(200);
  expect(await heardRows(db)).toHaveLength(800);
  await listening.close();
  await relay.close();
});
