import { expect, test } from 'vitest';
import { together } from './index.ts';

/** Runs that end when they are told to. */
function held(outcomeOf: (item: number) => number | Error = (item) => item) {
  const runs: { items: readonly number[]; end: () => void; fail: (error: Error) => void }[] = [];
  const ask = together<number, number>((items) => new Promise((resolve, reject) => {
    runs.push({ items, end: () => resolve(items.map(outcomeOf)), fail: reject });
  }), 3);
  return { runs, ask };
}

test('who comes while a run is under way shares the next, in order, as many as fit', async () => {
  const { runs, ask } = held();
  const answers = Promise.all([1, 2, 3, 4, 5].map(ask));
  runs[0]!.end();
  await expect.poll(() => runs.length).toBe(2);
  runs[1]!.end();
  await expect.poll(() => runs.length).toBe(3);
  runs[2]!.end();
  expect(await answers).toEqual([1, 2, 3, 4, 5]);
  expect(runs.map(({ items }) => items)).toEqual([[1], [2, 3, 4], [5]]);
});

test('an error among the outcomes rejects its own item alone; a run that fails rejects its items alone', async () => {
  const { runs, ask } = held((item) => (item === 2 ? new Error('not two') : item));
  const answers = Promise.allSettled([1, 2, 3, 4, 5].map(ask));
  runs[0]!.fail(new Error('broken'));
  await expect.poll(() => runs.length).toBe(2);
  runs[1]!.end();
  await expect.poll(() => runs.length).toBe(3);
  runs[2]!.end();
  const settled = (await answers).map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message));
  expect(settled).toEqual(['broken', 'not two', 3, 4, 5]);
});
