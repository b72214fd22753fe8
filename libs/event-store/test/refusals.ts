import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type AppendItem, type EventStore, LIMITS, type NewEvent, NO_POSITION } from '../src/index.ts';
import { event, item } from './items.ts';

/** What every store refuses, by name, before it stores anything. */
export function refusing(store: () => EventStore): void {
  const big = 'x'.repeat(LIMITS.eventBytes);
  test.each<[string, string, readonly AppendItem[]]>([
    ['too-many-items', 'items', many(LIMITS.itemsPerAppend + 1, () => item('s', 0, event()))],
    ['item-without-events', 'items[0].events', [item('s', 0)]],
    ['too-many-events-in-item', 'items[1].events', [item('s', 0, event()), item('t', 0, ...many(LIMITS.eventsPerItem + 1, event))]],
    ['event-too-large', 'items[0].events[0].data', [item('s', 0, event({ data: `${big}x` }))]],
    ['event-too-large', 'items[0].events[0].data', [item('s', 0, event({ data: 'ü'.repeat(LIMITS.eventBytes / 2 + 1) }))]],
    ['item-too-large', 'items[0]', [item('s', 0, ...many(9, () => event({ data: big })))]],
    ['event-id-not-a-uuid', 'items[0].events[0].id', [item('s', 0, event({ id: 'cdr-1' }))]],
    ['event-id-not-a-uuid', 'items[0].events[0].id', [item('s', 0, event({ id: randomUUID().toUpperCase() }))]],
    ['event-id-twice-in-item', 'items[0].events', [item('s', 0, ...Array<NewEvent>(2).fill(event()))]],
    ['name-missing', 'items[0].stream', [item('', 0, event())]],
    ['name-missing', 'items[0].events[0].type', [item('s', 0, event({ type: '' }))]],
    ['name-too-long', 'items[0].stream', [item('s'.repeat(201), 0, event())]],
    ['text-not-storable', 'items[0].stream', [item('a\0b', 0, event())]],
    ['text-not-storable', 'items[0].events[0].data', [item('s', 0, event({ data: 'half a \ud83d pair' }))]],
    ['expected-version-invalid', 'items[0].expected', [item('s', -1, event())]],
    ['expected-version-invalid', 'items[0].expected', [item('s', 0.5, event())]],
  ])('an append is refused: %s in %s', async (code, field, items) => {
    const before = await store().last();
    await expect(store().append(items)).rejects.toMatchObject({ name: 'AppendRefused', code, field });
    expect(await store().last()).toEqual(before);
  });

  test('a read of nothing or of too much is refused', async () => {
    for (const limit of [0, -1, 1.5, LIMITS.eventsPerRead + 1]) {
      await expect(store().readAll(NO_POSITION, limit)).rejects.toMatchObject({ code: 'read-limit-invalid' });
      await expect(store().read('s', { limit })).rejects.toMatchObject({ code: 'read-limit-invalid' });
    }
  });
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, () => make());
}
