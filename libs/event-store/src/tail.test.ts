import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredEvent } from './port.ts';
import { Tail } from './tail.ts';

const event = (n: number): StoredEvent => ({
  position: BigInt(n), stream: 's', version: n, id: String(n), type: 'T', data: '{}', recordedAt: '',
});

/** A log, and how often it was read. */
function log() {
  const events: StoredEvent[] = [];
  const reads: bigint[] = [];
  const readAll = async (after: bigint, limit: number) => {
    reads.push(after);
    const found = events.filter(({ position }) => position > after).slice(0, limit);
    await Promise.resolve();
    return found;
  };
  return { events, reads, tail: new Tail(readAll), append: (n: number) => void events.push(event(n)) };
}

test('what followers in step read is fetched once for all of them', async () => {
  const { reads, tail, append } = log();
  for (let n = 1; n <= 5; n += 1) append(n);
  const read = await Promise.all([1, 2, 3].map(() => tail.read(0n, 10)));
  expect(read.map((events) => events.length)).toEqual([5, 5, 5]);
  expect(reads).toEqual([0n]);
  append(6);
  expect((await tail.read(5n, 10)).map(({ position }) => position)).toEqual([6n]);
  expect((await tail.read(3n, 2)).map(({ position }) => position)).toEqual([4n, 5n]);
  expect(reads).toEqual([0n, 5n]);
});

test('what was appended here is not fetched, whichever lane answers first', async () => {
  const { reads, tail, append } = log();
  tail.offer([event(1)]); // Nobody follows yet.
  append(1);
  expect(await tail.read(0n, 10)).toHaveLength(1);
  for (let n = 2; n <= 6; n += 1) append(n);
  tail.offer([event(5), event(6)]);
  tail.offer([event(2), event(3), event(4)]);
  expect((await tail.read(1n, 10)).map(({ position }) => position)).toEqual([2n, 3n, 4n, 5n, 6n]);
  expect(reads).toEqual([0n]);
});

test('what others appended in between is fetched', async () => {
  const { reads, tail, append } = log();
  for (let n = 1; n <= 4; n += 1) append(n);
  await tail.read(0n, 1);
  tail.offer([event(3), event(4)]);
  expect((await tail.read(1n, 10)).map(({ position }) => position)).toEqual([2n, 3n, 4n]);
  expect(reads).toEqual([0n, 1n]);
  append(5);
  tail.offer([event(5)]);
  expect((await tail.read(4n, 10)).map(({ position }) => position)).toEqual([5n]);
  expect(reads).toEqual([0n, 1n]);
});

test('a read that fails fails for those who wait for it, and not for the next', async () => {
  let isDown = true;
  const tail = new Tail(async () => {
    await Promise.resolve();
    if (isDown) throw new Error('down');
    return [event(1)];
  });
  const outcomes = await Promise.allSettled([tail.read(0n, 10), tail.read(0n, 10)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isDown = false;
  expect(await tail.read(0n, 10)).toHaveLength(1);
});

test('followers anywhere in the log, each at its own pace, miss nothing and see nothing twice', async () => {
  const step = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 900 }), offered: fc.boolean() }),
    fc.record({ readers: fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), limit: fc.integer({ min: 1, max: 1_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.nat(40), { minLength: 4, maxLength: 4 }),
      async (steps, starts) => {
        const { events, tail, append } = log();
        const at = starts.map(BigInt);
        const seen: bigint[][] = starts.map(() => []);
        for (const each of steps) {
          if ('append' in each) {
            const before = events.length;
            for (let n = 0; n < each.append; n += 1) append(events.length + 1);
            if (each.offered) tail.offer(events.slice(before));
            continue;
          }
          await Promise.all(
            [...new Set(each.readers)].map(async (reader) => {
              for (const { position } of await tail.read(at[reader]!, each.limit)) {
                seen[reader]!.push(position);
                at[reader] = position;
              }
            }),
          );
        }
        for (const [reader, start] of starts.entries()) {
          const expected = events.map(({ position }) => position).filter((position) => position > start);
          expect(seen[reader]).toEqual(expected.slice(0, seen[reader]!.length));
        }
      },
    ),
    { numRuns: 60 },
  );
});
