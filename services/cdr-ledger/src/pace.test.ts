import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from './pace.ts';

// For how long a place is held at most is not this machine's time.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Rows that follow as far as they are told to. */
function rows() {
  let moved = () => {};
  const following = {
    reached: 0n,
    onMove: (listener: () => void) => { moved = listener; },
    to(position: bigint) {
      following.reached = position;
      moved();
    },
  };
  return following;
}

/** As many as there are places (free), each at the next position; then one more, who tells when it is in. */
async function full(pace: Pace, places = 1_000): Promise<{ isIn: () => boolean }> {
  for (let n = 1; n <= places; n += 1) {
    await pace.enter();
    pace.leave(BigInt(n));
  }
  let isIn = false;
  void pace.enter().then(() => { isIn = true; });
  await turns();
  return { isIn: () => isIn };
}

const turns = () => new Promise((resolve) => { setImmediate(resolve); });

test('who finds no place waits until the slowest rows have come on', async () => {
  const [list, chain] = [rows(), rows()];
  const { isIn } = await full(new Pace([list, chain]));
  list.to(1_000n);
  await turns();
  expect(isIn()).toBe(false);
  chain.to(1n);
  await turns();
  expect(isIn()).toBe(true);
});

test('an append that came to nothing gives its place back', async () => {
  const pace = new Pace([rows()]);
  await pace.enter();
  const { isIn } = await full(pace, 999);
  expect(isIn()).toBe(false);
  pace.leave(undefined);
  await turns();
  expect(isIn()).toBe(true);
});

test('rows that never come on hold nobody up for long', async () => {
  const { isIn } = await full(new Pace([rows()]));
  vi.advanceTimersByTime(999);
  await turns();
  expect(isIn()).toBe(false);
  vi.advanceTimersByTime(1);
  await turns();
  expect(isIn()).toBe(true);
});
