import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { memoryEventStore, type StoredEvent } from '#event-store';
import { counted } from '../test/contracts.ts';
import { told } from './fact.ts';
import { tellable } from './tellable.ts';

const toTold = ({ type, data }: StoredEvent) =>
  type === 'Counted' ? told(counted, { value: data }) : undefined;
const item = (...events: readonly [type: string, data: string][]) => ({
  stream: 's',
  expected: 0,
  events: events.map(([type, data]) => ({ id: randomUUID(), type, data })),
});

test('an event that could never be told is not stored, nor what was decided with it', async () => {
  const store = memoryEventStore();
  const guarded = tellable(store, toTold);
  await expect(guarded.append([item(['Counted', 'a:1'], ['Counted', ''])])).rejects.toThrow(
    'cannot be told',
  );
  expect(await store.last()).toBeUndefined();
});

test('what can be told, and what need not be, is stored as it is', async () => {
  const store = memoryEventStore();
  const guarded = tellable(store, toTold);
  await guarded.append([item(['Counted', 'a:1'], ['Noted', ''])]);
  expect((await guarded.read('s')).map(({ type }) => type)).toEqual(['Counted', 'Noted']);
  expect(await guarded.last()).toEqual(await store.last());
});
