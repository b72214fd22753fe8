import { expect, test } from 'vitest';
import { clockFromEnv, fixedClock, InvalidClock, runningClock, systemClock } from './clock.ts';
import { instant, rfc3339 } from './instant.ts';

test('without an environment the clock is the world’s', () => {
  expect(clockFromEnv({})).toBe(systemClock);
  expect(clockFromEnv({ ROAMWATT_CLOCK_EPOCH: '', ROAMWATT_CLOCK_RATE: '1' })).toBe(systemClock);
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
  expect(systemClock.realMs(1000)).toBe(1000);
});

test('all processes with the same environment show the same time', () => {
  const env = {
    ROAMWATT_CLOCK_EPOCH: '2022-02-01T17:00:00Z',
    ROAMWATT_CLOCK_STARTED: rfc3339(Date.now() - 10_000),
    ROAMWATT_CLOCK_RATE: '60',
  };
  const clock = clockFromEnv(env);
  const shown = clock.now();
  const other = clockFromEnv(env).now();
  const realMs = Date.now() - Date.parse(env.ROAMWATT_CLOCK_STARTED);
  expect(shown - instant(env.ROAMWATT_CLOCK_EPOCH)).toBeGreaterThanOrEqual(600_000);
  expect(other).toBeGreaterThanOrEqual(shown);
  expect(other - instant(env.ROAMWATT_CLOCK_EPOCH)).toBeLessThanOrEqual(realMs * 60);
  expect(clock.realMs(60_000)).toBe(1000);
});

test.each([
  ['ROAMWATT_CLOCK_RATE', { ROAMWATT_CLOCK_RATE: '0' }],
  ['ROAMWATT_CLOCK_RATE', { ROAMWATT_CLOCK_RATE: 'fast' }],
  ['ROAMWATT_CLOCK_EPOCH', { ROAMWATT_CLOCK_RATE: '5' }],
  ['ROAMWATT_CLOCK_STARTED', { ROAMWATT_CLOCK_EPOCH: '2022-02-01T17:00:00Z' }],
  [
    'ROAMWATT_CLOCK_EPOCH',
    { ROAMWATT_CLOCK_EPOCH: 'x', ROAMWATT_CLOCK_STARTED: '2022-02-01T17:00:00Z' },
  ],
])('a wrong %s is named', (name, env) => {
  expect(() => clockFromEnv(env)).toThrow(InvalidClock);
  expect(() => clockFromEnv(env)).toThrow(name);
});

test('a fast clock sleeps short', async () => {
  const clock = runningClock(0, Date.now(), 1000);
  // At the world's pace the test's time would run out.
  await clock.sleep(60_000);
  expect(clock.now()).toBeGreaterThanOrEqual(60_000);
});

test('a sleep ends with its signal', async () => {
  const reason = new Error('stop');
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const stopping = new AbortController();
  const asleep = systemClock.sleep(60_000, stopping.signal);
  stopping.abort(reason);
  await expect(asleep).rejects.toBe(reason);
});

test('a fixed clock moves only by hand and wakes who sleeps on it', async () => {
  const clock = fixedClock('2022-02-01T17:00:00Z');
  expect(clock.iso()).toBe('2022-02-01T17:00:00Z');
  let woken = false;
  const asleep = clock.sleep(60_000).then(() => (woken = true));
  clock.advance(59_999);
  await Promise.resolve();
  expect(woken).toBe(false);
  clock.set('2022-02-01T17:01:00Z');
  await asleep;
  expect(woken).toBe(true);
  await clock.sleepUntil(0);
  const reason = new Error('stop');
  const stopping = new AbortController();
  const other = clock.sleep(1, stopping.signal);
  stopping.abort(reason);
  await expect(other).rejects.toBe(reason);
});
