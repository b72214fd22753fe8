import { instant, rfc3339 } from './instant.ts';

/**
 * The platform's time. It may run faster than the world's, so that demos and tests stay true to
 * their own prices and metering. Domain times come from here; leases, sockets and HTTP take real
 * time.
 */
export interface Clock {
  /** Platform time, epoch ms. */
  now(): number;
  /** Platform time as RFC 3339. */
  iso(): string;
  /** Platform seconds per real second. */
  readonly rate: number;
  /** How long so much platform time takes in the world, ms. */
  realMs(platformMs: number): number;
  /** Resolves after so much platform time; rejects with the signal's reason when it aborts. */
  sleep(platformMs: number, signal?: AbortSignal): Promise<void>;
  /** Resolves once the platform time is there; at once where it is past. */
  sleepUntil(platformMs: number, signal?: AbortSignal): Promise<void>;
}

/** The environment's clock is not one. */
export class InvalidClock extends Error {
  override readonly name = 'InvalidClock';
}

// setTimeout takes 2³¹ − 1 ms at most: longer sleeps wake up in between.
const TIMEOUT_MS_MAX = 2_147_483_647;

/** A clock that showed `epochMs` at the real instant `startedMs` and runs at `rate` since. */
export function runningClock(epochMs: number, startedMs: number, rate: number): Clock {
  const now = () => Math.floor(epochMs + (Date.now() - startedMs) * rate);
  const realMs = (platformMs: number) => platformMs / rate;
  const sleepUntil = async (platformMs: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    for (let left = platformMs - now(); left > 0; left = platformMs - now()) {
      await timeout(Math.min(Math.ceil(realMs(left)), TIMEOUT_MS_MAX), signal);
    }
  };
  return {
    now,
    iso: () => rfc3339(now()),
    rate,
    realMs,
    sleepUntil,
    sleep: (platformMs, signal) => sleepUntil(now() + platformMs, signal),
  };
}

/** The world's own time. */
export const systemClock: Clock = runningClock(0, 0, 1);

/**
 * The clock that the environment says, the same in all processes with the same environment:
 * ROAMWATT_CLOCK_EPOCH (RFC 3339) was the platform's time at the real ROAMWATT_CLOCK_STARTED
 * (RFC 3339), and it runs ROAMWATT_CLOCK_RATE times as fast. Nothing given is the world's time.
 * Throws InvalidClock naming the variable.
 */
export function clockFromEnv(env: Readonly<Record<string, string | undefined>>): Clock {
  const epoch = env.ROAMWATT_CLOCK_EPOCH || undefined;
  const started = env.ROAMWATT_CLOCK_STARTED || undefined;
  const rate = rateOf(env.ROAMWATT_CLOCK_RATE || '1');
  if (epoch === undefined && started === undefined && rate === 1) return systemClock;
  if (epoch === undefined) throw new InvalidClock('ROAMWATT_CLOCK_EPOCH is missing: RFC 3339');
  if (started === undefined) throw new InvalidClock('ROAMWATT_CLOCK_STARTED is missing: RFC 3339');
  return runningClock(
    instantOf('ROAMWATT_CLOCK_EPOCH', epoch),
    instantOf('ROAMWATT_CLOCK_STARTED', started),
    rate,
  );
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new InvalidClock(`ROAMWATT_CLOCK_RATE is not a number above 0: ${text.slice(0, 40)}`);
}

function instantOf(name: string, text: string): number {
  try {
    return instant(text);
  } catch (cause) {
    throw new InvalidClock(`${name} is not RFC 3339 in UTC: ${text.slice(0, 40)}`, { cause });
  }
}

/** A clock for tests: it stands still until it is moved, which wakes those that sleep on it. */
export interface FixedClock extends Clock {
  set(at: number | string): void;
  advance(platformMs: number): void;
}

/** `at`: epoch ms or RFC 3339. */
export function fixedClock(at: number | string): FixedClock {
  let nowMs = typeof at === 'string' ? instant(at) : at;
  const sleepers = new Set<{ untilMs: number; wake: () => void }>();
  const set = (to: number | string) => {
    nowMs = typeof to === 'string' ? instant(to) : to;
    for (const sleeper of sleepers) if (sleeper.untilMs <= nowMs) sleeper.wake();
  };
  const sleepUntil = async (untilMs: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    if (untilMs <= nowMs) return;
    await new Promise<void>((resolve, reject) => {
      const abort = () => done(() => reject(signal?.reason));
      const sleeper = { untilMs, wake: () => done(resolve) };
      const done = (settle: () => void) => {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', abort);
    });
  };
  return {
    now: () => nowMs,
    iso: () => rfc3339(nowMs),
    rate: 1,
    realMs: (platformMs) => platformMs,
    sleepUntil,
    sleep: (platformMs, signal) => sleepUntil(nowMs + platformMs, signal),
    set,
    advance: (platformMs) => set(nowMs + platformMs),
  };
}

function timeout(realMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, realMs);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
