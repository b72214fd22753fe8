import { expect, test } from 'vitest';
import { together } from './index.ts';

/** Runs that end when they are told to. */
function held({ outcomeOf = (item) => item, atOnce = 1 }: { outcomeOf?: (item: number) => number | Error; atOnce?: number } = {}) {
  const runs: { items: readonly number[]; end: () => void; fail: (error: Error) => void }[] = [];
  const ask = together<number, number>((items) => new Promise((resolve, reject) => {
    runs.push({ items, end: () => resolve(items.map(outcomeOf)), fail: reject });
  }), { most: 3, atOnce });
  const begun = (count: number) => expect.poll(() => runs.length).toBe(count);
  return { runs, ask, begun, items: () => runs.map(({ items }) => items) };
}

test('who come together, or while a run is under way, share the next, in order, as many as fit', async () => {
  const { runs, ask, begun, items } = held();
  const first = Promise.all([1, 2].map(ask));
  await begun(1);
  const others = Promise.all([3, 4, 5, 6].map(ask));
  runs[0]!.end();
  await begun(2);
  expect(await first).toEqual([1, 2]);
  runs[1]!.end();
  await begun(3);
  runs[2]!.end();
  expect(await others).toEqual([3, 4, 5, 6]);
  expect(items()).toEqual([[1, 2], [3, 4, 5], [6]]);
});

test('as many runs are under way as may be, and no more', async () => {
  const { runs, ask, begun, items } = held({ atOnce: 2 });
  const first = ask(1);
  await begun(1);
  const others = Promise.all([2, 3, 4, 5].map(ask));
  await begun(2);
  runs[1]!.end();
  await begun(3);
  runs[2]!.end();
  expect(await others).toEqual([2, 3, 4, 5]);
  expect(items()).toEqual([[1], [2, 3, 4], [5]]);
  runs[0]!.end();
  expect(await first).toBe(1);
});

test('an error among the outcomes rejects its own item alone; a run that fails rejects its items alone', async () => {
  const { runs, ask, begun } = held({ outcomeOf: (item) => (item === 5 ? new Error('not five') : item) });
  const answers = Promise.allSettled([1, 2, 3, 4, 5, 6].map(ask));
  await begun(1);
  runs[0]!.fail(new Error('broken'));
  await begun(2);
  runs[1]!.end();
  const settled = (await answers).map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message));
  expect(settled).toEqual(['broken', 'broken', 'broken', 4, 'not five', 6]);
});
