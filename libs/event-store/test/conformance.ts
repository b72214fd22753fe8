import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AppendOutcome, type EventStore, LIMITS, NO_POSITION, type StoredEvent } from '../src/index.ts';
import { appendOne, event, item, newStream, position } from './items.ts';
import { refusing } from './refusals.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export interface OpenStore {
  readonly store: EventStore;
  close(): Promise<void>;
}

/** What every store promises (src/port.ts). `open` gives an empty one. */
export function conformance(name: string, open: () => Promise<OpenStore>): void {
  describe(`${name}: the event store's port`, () => {
    let opened: OpenStore;
    let store: EventStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());

    appending(() => store);
    repeating(() => store);
    reading(() => store);
    following(() => store);
    refusing(() => store);

    test('a closed store takes no more, and its followers end', async () => {
      const { store: closing, close } = await open();
      const following = closing.subscribe(NO_POSITION, async () => {}, new AbortController().signal);
      const last = closing.append([item('s', 0, event())]);
      await closing.close();
      await following;
      await expect(last).resolves.toMatchObject([{ outcome: 'appended' }]);
      await expect(closing.append([item('s', 1, event())])).rejects.toMatchObject({ code: 'store-closed' });
      await close();
    });
  });
}

function appending(store: () => EventStore): void {
  test('an empty store takes no event that would leave a hole before it', async () => {
    expect(await appendOne(store(), item(newStream(), 1, event()))).toEqual({ outcome: 'conflict', version: 0 });
    expect(await store().last()).toBeUndefined();
    expect(await store().readAll(NO_POSITION, 1)).toEqual([]);
  });

  test('a new stream starts at version 1 and grows without holes', async () => {
    const stream = newStream();
    const first = await appendOne(store(), item(stream, 0, event(), event()));
    const second = await appendOne(store(), item(stream, 2, event()));
    expect([first, second]).toMatchObject([{ outcome: 'appended', version: 2 }, { outcome: 'appended', version: 3 }]);
    expect(position(second)).toBe(position(first) + 1n);
    expect((await store().read(stream)).map((stored) => stored.version)).toEqual([1, 2, 3]);
  });

  test('an event comes back byte for byte', async () => {
    const stream = newStream('*/ü→😀 \' " \\ %41');
    const events = [
      event({ data: '{ "cost" : 0.10,\n"name":"Zürich \\u0000 😀 \\\\ \' {},NULL" }', trace: TRACE }),
      event({ data: '' }),
      event({ data: 'x'.repeat(LIMITS.eventBytes) }),
    ];
    await appendOne(store(), item(stream, 0, ...events));
    const stored = await store().read(stream);
    expect(stored.map(({ id, type, data, trace }) => ({ id, type, data, ...(trace && { trace }) }))).toEqual(events);
    expect('trace' in (stored[1] as StoredEvent)).toBe(false);
    expect(Math.abs(Date.now() - Date.parse(stored[0]?.recordedAt ?? ''))).toBeLessThan(60_000);
    expect(stored[0]?.recordedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/);
  });

  test('a wrong expected version is a conflict that tells the version, and stores nothing', async () => {
    const stream = newStream();
    await appendOne(store(), item(stream, 0, event(), event()));
    for (const expected of [0, 1, 3, 7]) {
      expect(await appendOne(store(), item(stream, expected, event()))).toEqual({ outcome: 'conflict', version: 2 });
    }
    expect(await appendOne(store(), item(newStream(), 1, event()))).toEqual({ outcome: 'conflict', version: 0 });
    expect(await store().read(stream)).toHaveLength(2);
  });

  test('items are independent, and each is all or nothing', async () => {
    const [full, other, third] = [newStream(), newStream(), newStream()];
    const known = event();
    await appendOne(store(), item(full, 0, known));
    const outcomes = await store().append([
      item(other, 0, event(), event()),
      item(full, 0, event(), event()),
      item(third, 0, event(), known),
      item(newStream(), 0, event()),
      item(full, 1, event()),
    ]);
    expect(outcomes).toMatchObject([
      { outcome: 'appended', version: 2 }, { outcome: 'conflict', version: 1 }, { outcome: 'conflict', version: 0 },
      { outcome: 'appended', version: 1 }, { outcome: 'appended', version: 2 },
    ]);
    expect(await store().read(third)).toEqual([]);
  });

  test('two items for one stream in one append both succeed when their versions chain', async () => {
    const stream = newStream();
    const outcomes = await store().append([
      item(stream, 0, event()), item(stream, 1, event(), event()), item(stream, 2, event()),
    ]);
    expect(outcomes).toMatchObject([
      { outcome: 'appended', version: 1 }, { outcome: 'appended', version: 3 }, { outcome: 'conflict', version: 3 },
    ]);
  });

  test('of many who append at one expected version, one wins', async () => {
    const stream = newStream();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => appendOne(store(), item(stream, 0, event()))));
    expect(outcomes.filter((one) => one.outcome === 'appended')).toHaveLength(1);
    expect(outcomes.filter((one) => one.outcome === 'conflict' && one.version === 1)).toHaveLength(49);
  });

  test('no items, no outcomes', async () => {
    expect(await store().append([])).toEqual([]);
  });
}

function repeating(store: () => EventStore): void {
  test('the same event ids at the same expected version get the first answer, also when the stream has grown', async () => {
    const stream = newStream();
    const append = item(stream, 0, event(), event());
    const first = await appendOne(store(), append);
    expect(await appendOne(store(), append)).toEqual(first);
    await appendOne(store(), item(stream, 2, event()));
    expect(await appendOne(store(), append)).toEqual(first);
    expect(await store().read(stream)).toHaveLength(3);
  });

  test('a repeat within one append gets the same answer', async () => {
    const append = item(newStream(), 0, event());
    const [first, second, third] = await store().append([append, item(newStream(), 0, event()), append]);
    expect(first).toMatchObject({ outcome: 'appended', version: 1 });
    expect(third).toEqual(first);
    expect(position(second as AppendOutcome)).not.toBe(position(first as AppendOutcome));
  });

  test('another set of ids at a version that is taken is a conflict', async () => {
    const stream = newStream();
    const [a, b, c] = [event(), event(), event()];
    await appendOne(store(), item(stream, 0, a, b));
    for (const events of [[b, a], [a, c], [c], [a, b, c], [b]]) {
      expect(await appendOne(store(), item(stream, 0, ...events))).toEqual({ outcome: 'conflict', version: 2 });
    }
    expect(await appendOne(store(), item(stream, 1, a))).toEqual({ outcome: 'conflict', version: 2 });
  });

  test('an event id is used once for ever: a conflict at the very version that was expected', async () => {
    const used = event();
    await appendOne(store(), item(newStream(), 0, used));
    expect(await appendOne(store(), item(newStream(), 0, used))).toEqual({ outcome: 'conflict', version: 0 });
    const twice = event();
    const outcomes = await store().append([item(newStream(), 0, twice), item(newStream(), 0, twice)]);
    expect(outcomes.map((one) => one.outcome).sort()).toEqual(['appended', 'conflict']);
  });
}

function reading(store: () => EventStore): void {
  test('a stream is read from a version, as many as wanted; an unknown one is empty', async () => {
    const stream = newStream();
    await appendOne(store(), item(stream, 0, event(), event(), event(), event()));
    const versions = async (options: object) => (await store().read(stream, options)).map((stored) => stored.version);
    expect(await versions({ fromVersion: 3 })).toEqual([3, 4]);
    expect(await versions({ fromVersion: 2, limit: 2 })).toEqual([2, 3]);
    expect(await versions({ fromVersion: 9 })).toEqual([]);
    expect(await versions({ limit: 1 })).toEqual([1]);
    expect(await store().read(newStream())).toEqual([]);
  });

  test('a long stream is read whole', async () => {
    const stream = newStream();
    const chunks = [500, 500, 500, 1].map((size, n) =>
      item(stream, n * 500, ...Array.from({ length: size }, () => event())));
    await store().append(chunks);
    const ids = chunks.flatMap((chunk) => chunk.events.map(({ id }) => id));
    expect((await store().read(stream)).map(({ id }) => id)).toEqual(ids);
    expect((await store().read(stream, { limit: 1_200 })).map(({ id }) => id)).toEqual(ids.slice(0, 1_200));
  });

  test('all events are read in the order of their positions, which have no holes here', async () => {
    await store().append(Array.from({ length: 20 }, () => item(newStream(), 0, event(), event())));
    const all = await store().readAll(NO_POSITION, LIMITS.eventsPerRead);
    expect(all.map((stored) => stored.position)).toEqual(all.map((_, n) => BigInt(n + 1)));
    const third = all[2] as StoredEvent;
    expect(await store().readAll(third.position, 2)).toEqual(all.slice(3, 5));
    expect(await store().readAll(BigInt(all.length), 2)).toEqual([]);
  });

  test('the event at a position, and the last one, are found', async () => {
    const stream = newStream();
    const answer = await appendOne(store(), item(stream, 0, event(), event()));
    const [first, second] = await store().read(stream);
    expect(await store().at(position(answer))).toEqual(second);
    expect(await store().at(position(answer) - 1n)).toEqual(first);
    expect(await store().last()).toEqual(second);
    expect(await store().at(position(answer) + 1n)).toBeUndefined();
    expect(await store().at(NO_POSITION)).toBeUndefined();
  });
}

function following(store: () => EventStore): void {
  test('a follower gets what is stored, then what is appended, each once and in order', async () => {
    const stop = new AbortController();
    const seen: StoredEvent[] = [];
    const following = store().subscribe(NO_POSITION, async (events) => void seen.push(...events), stop.signal);
    const appending = Array.from({ length: 40 }, async (_, n) => {
      await delay(n);
      const stream = newStream();
      await store().append([item(stream, 0, event(), event()), item(newStream(), 0, event())]);
      await appendOne(store(), item(stream, 2, event()));
    });
    await Promise.all(appending);
    const last = await store().last();
    await expect.poll(() => seen.at(-1)?.position).toBe(last?.position);
    stop.abort();
    await following;
    expect(seen.map((stored) => stored.position)).toEqual(seen.map((_, n) => BigInt(n + 1)));
  });

  test('a follower starts after its position', async () => {
    const answer = await appendOne(store(), item(newStream(), 0, event(), event()));
    const stop = new AbortController();
    const seen: StoredEvent[] = [];
    const following = store().subscribe(position(answer) - 1n, async (events) => void seen.push(...events), stop.signal);
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]?.position).toBe(position(answer));
    stop.abort();
    await following;
  });

  test('a follower whose handler fails ends with that error', async () => {
    await appendOne(store(), item(newStream(), 0, event()));
    const failed = new Error('no room');
    const following = store().subscribe(NO_POSITION, () => Promise.reject(failed), new AbortController().signal);
    await expect(following).rejects.toBe(failed);
  });

  test('a follower that is stopped at once sees nothing, and an idle one stops at once', async () => {
    const handle = () => Promise.reject(new Error('called'));
    await store().subscribe(NO_POSITION, handle, AbortSignal.abort());
    const stop = new AbortController();
    const idle = store().subscribe((await store().last())?.position ?? NO_POSITION, handle, stop.signal);
    await delay(20);
    stop.abort();
    await idle;
  });
}
