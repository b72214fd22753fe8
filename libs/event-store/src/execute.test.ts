import { type Decider, Rejected } from '#decider';
import { expect, test } from 'vitest';
import { type EventStore, eventId, executor, memoryEventStore, NO_POSITION } from './index.ts';

type Event = { type: 'Credited'; by: string; cents: number } | { type: 'Closed' };
type Command = { type: 'Credit'; by: string; cents: number } | { type: 'Close' };
interface Account { readonly cents: number; readonly seen: readonly string[]; readonly closed: boolean }

const account: Decider<Account, Command, Event> = {
  initial: { cents: 0, seen: [], closed: false },
  decide(command, state) {
    if (command.type === 'Close') return state.closed ? [] : [{ type: 'Closed' }];
    if (state.seen.includes(command.by)) return [];
    if (state.closed) throw new Rejected('account-closed');
    return [{ ...command, type: 'Credited' }];
  },
  evolve(state, event) {
    if (event.type === 'Closed') return { ...state, closed: true };
    return { ...state, cents: state.cents + event.cents, seen: [...state.seen, event.by] };
  },
};

const stream = (id: string) => `account-${id}`;
const open = (store: EventStore, cacheSize?: number) =>
  executor(store, { decider: account, stream, ...(cacheSize === undefined ? {} : { cacheSize }) });
const credit = (by: string, cents = 100): Command => ({ type: 'Credit', by, cents });

test('a command appends what it causes and answers with the state after it', async () => {
  const store = memoryEventStore();
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const answer = await open(store).execute('7', 'command-1', credit('a'), trace);
  expect(answer).toEqual({
    state: { cents: 100, seen: ['a'], closed: false },
    events: [{ type: 'Credited', by: 'a', cents: 100 }], version: 1, position: 1n,
  });
  expect(await store.read('account-7')).toMatchObject([
    { id: eventId('command-1', 'account-7', 0), type: 'Credited', data: '{"by":"a","cents":100}', trace },
  ]);
});

test('a repeated command causes nothing and answers with the current state and position', async () => {
  const store = memoryEventStore();
  const accounts = open(store);
  await accounts.execute('7', 'command-1', credit('a'));
  await accounts.execute('7', 'command-2', credit('b'));
  for (const repeating of [accounts, open(store)]) {
    expect(await repeating.execute('7', 'command-1', credit('a')))
      .toEqual({ state: { cents: 200, seen: ['a', 'b'], closed: false }, events: [], version: 2, position: 2n });
  }
});

test('nothing to do for a thing that does not exist is version 0 at no position', async () => {
  const answer = await executor(memoryEventStore(), { decider: { ...account, decide: () => [] }, stream })
    .execute('7', 'command-1', credit('a'));
  expect(answer).toEqual({ state: account.initial, events: [], version: 0, position: NO_POSITION });
});

test('a command that meets a newer version is decided again on it', async () => {
  const store = memoryEventStore();
  const [here, there] = [open(store), open(store)];
  await here.execute('7', 'command-1', credit('a'));
  await there.execute('7', 'command-2', credit('b'));
  expect(await here.execute('7', 'command-3', credit('c'))).toMatchObject({ state: { cents: 300 }, version: 3 });
});

test('a refusal passes through, also when only another process has seen its reason', async () => {
  const store = memoryEventStore();
  const [here, there] = [open(store), open(store)];
  await here.execute('7', 'command-1', credit('a'));
  await there.execute('7', 'command-2', { type: 'Close' });
  await expect(here.execute('7', 'command-3', credit('b'))).rejects.toBeInstanceOf(Rejected);
  expect(await store.read('account-7')).toHaveLength(2);
});

test('a command that two processes execute at once is stored once, and both get its answer', async () => {
  const store = memoryEventStore();
  const [here, there] = [open(store), open(store)];
  const answers = await Promise.all([here, there].map((one) => one.execute('7', 'command-1', credit('a'))));
  expect(answers).toMatchObject([{ version: 1, state: { cents: 100 } }, { version: 1, state: { cents: 100 } }]);
  expect(await store.read('account-7')).toHaveLength(1);
});

test('a stale refusal is decided again before it is believed', async () => {
  const reopening: Decider<boolean, 'use' | 'open', { type: 'Opened' | 'Used' }> = {
    initial: false,
    decide(command, opened) {
      if (command === 'open') return [{ type: 'Opened' }];
      if (!opened) throw new Rejected('not-open');
      return [{ type: 'Used' }];
    },
    evolve: () => true,
  };
  const store = memoryEventStore();
  const [here, there] = [executor(store, { decider: reopening, stream }), executor(store, { decider: reopening, stream })];
  await expect(here.execute('7', 'command-1', 'use')).rejects.toThrow('not-open');
  await there.execute('7', 'command-2', 'open');
  expect(await here.execute('7', 'command-3', 'use')).toMatchObject({ version: 2 });
});

test('commands for one stream take turns, so that they meet no conflict among themselves', async () => {
  const { store, calls } = counting(memoryEventStore());
  const accounts = open(store);
  await Promise.all(Array.from({ length: 100 }, (_, n) => accounts.execute('7', `command-${n}`, credit(`a${n}`))));
  expect(await accounts.load('7')).toMatchObject({ version: 100, state: { cents: 10_000 } });
  expect(calls.append).toBe(100);
});

test('a stream that is known is not read again for a command that causes something', async () => {
  const { store, calls } = counting(memoryEventStore());
  const accounts = open(store);
  for (let n = 0; n < 5; n += 1) await accounts.execute('7', `command-${n}`, credit(`a${n}`));
  expect(calls.read).toBe(1);
});

test.each([2_000, 2_500])('a stream of %d events is folded as it is read, and never held as a whole', async (length) => {
  const store = memoryEventStore();
  for (let n = 0; n < length; n += 500) {
    const events = Array.from({ length: 500 }, (_, i) => ({
      id: eventId(`command-${n}`, 'account-7', i), type: 'Credited', data: JSON.stringify({ by: `${n + i}`, cents: 1 }),
    }));
    await store.append([{ stream: 'account-7', expected: n, events }]);
  }
  const pages: number[] = [];
  const watched: EventStore = {
    ...bound(store),
    async read(name, options) {
      const page = await store.read(name, options);
      pages.push(page.length);
      return page;
    },
  };
  expect(await open(watched).load('7')).toMatchObject({ state: { cents: length }, version: length });
  expect(Math.max(...pages)).toBeLessThanOrEqual(1_000);
});

test('the states least used are forgotten, and read again when they are wanted', async () => {
  const { store, calls } = counting(memoryEventStore());
  const accounts = open(store, 2);
  for (const [n, id] of ['1', '2', '1', '3', '1', '2'].entries()) await accounts.execute(id, `command-${n}`, credit(`a${n}`));
  expect(calls.read).toBe(4);
  expect(await accounts.load('2')).toMatchObject({ state: { cents: 200 }, version: 2 });
});

test('a command whose answer was lost is recognised when it is tried again', async () => {
  const store = memoryEventStore();
  const deaf: EventStore = { ...bound(store), append: async (items) => { await store.append(items); throw new Error('lost'); } };
  await expect(open(deaf).execute('7', 'command-1', credit('a'))).rejects.toThrow('lost');
  expect(await open(store).execute('7', 'command-1', credit('a'))).toMatchObject({ events: [], version: 1, position: 1n });
});

test('a decider that does not recognise a repeat is named', async () => {
  const store = memoryEventStore();
  const forgetful = executor(store, {
    decider: { initial: 0, decide: () => [{ type: 'Counted' }], evolve: (count: number) => count + 1 }, stream,
  });
  await forgetful.execute('7', 'command-1', {});
  await expect(forgetful.execute('7', 'command-1', {})).rejects.toMatchObject({ name: 'RepeatNotRecognised', commandId: 'command-1' });
});

test('a stream on which others are always faster is given up by name', async () => {
  const store = memoryEventStore();
  let others = 0;
  const crowded: EventStore = {
    ...bound(store),
    async append(items) {
      const expected = items[0]?.expected ?? 0;
      const data = JSON.stringify({ by: `other-${others += 1}`, cents: 1 });
      await store.append([{ stream: 'account-7', expected, events: [{ id: crypto.randomUUID(), type: 'Credited', data }] }]);
      return store.append(items);
    },
  };
  await expect(open(crowded).execute('7', 'command-1', credit('a'))).rejects.toMatchObject({ name: 'StreamContended' });
});

test('events of an older release are read as today\'s', async () => {
  const store = memoryEventStore();
  const old = { id: crypto.randomUUID(), type: 'CreditedV1', data: '{"who":"a","dollars":2}' };
  await store.append([{ stream: 'account-7', expected: 0, events: [old] }]);
  const accounts = executor(store, {
    decider: account, stream,
    upcast: (stored) => stored.type === 'CreditedV1'
      ? { type: 'Credited', by: String(stored['who']), cents: Number(stored['dollars']) * 100 }
      : stored as unknown as Event,
  });
  expect(await accounts.execute('7', 'command-1', credit('b'))).toMatchObject({ state: { cents: 300, seen: ['a', 'b'] }, version: 2 });
});

test('the ids of a command\'s events are UUIDs that depend on all three of command, stream and index', () => {
  const ids = [eventId('c', 's', 0), eventId('c', 's', 1), eventId('c', 't', 0), eventId('d', 's', 0), eventId('c","s', 's', 0)];
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  // Never to change: a retry may come from the next release.
  expect(eventId('command-1', 'account-7', 0)).toBe('b9568059-ad84-8dda-b22b-91669e07e622');
});

function bound(store: EventStore): EventStore {
  return {
    append: (items) => store.append(items), read: (name, options) => store.read(name, options),
    readAll: (after, limit) => store.readAll(after, limit), at: (position) => store.at(position), last: () => store.last(),
    subscribe: (after, handle, signal) => store.subscribe(after, handle, signal), close: () => store.close(),
  };
}

function counting(store: EventStore) {
  const calls = { append: 0, read: 0 };
  return {
    calls,
    store: {
      ...bound(store),
      append: (items) => { calls.append += 1; return store.append(items); },
      read: (name, options) => { calls.read += 1; return store.read(name, options); },
    } satisfies EventStore,
  };
}
