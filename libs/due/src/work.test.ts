import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '#postgres';
import { log } from '#telemetry';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { type Clock, fixedClock, runningClock, systemClock } from '#time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addDue,
  type Due,
  type DueHandler,
  dueMigrations,
  type DueWorker,
  openDue,
  rouseAtCommit,
  rouseDue,
  workDue,
} from './index.ts';

let fresh: FreshDatabase;
let db: Database;
let workers: DueWorker[];
let did: string[];

/** What somebody wrote in the transaction that roused. */
const noted = { name: 'roused-by', up: () => ['CREATE TABLE roused_by (who int)'] };

beforeEach(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations: [...dueMigrations, noted] });
  workers = [];
  did = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await db.close();
  await fresh.drop();
});

const silent = log('test', { level: 'silent' });

function work(
  handler: DueHandler,
  options: { clock?: Clock; concurrency?: number; leaseMs?: number; pollMs?: readonly [number, number] } = {},
): DueWorker {
  const { clock = systemClock, ...rest } = options;
  const worker = workDue(db, clock, { kinds: { push: handler }, log: silent, ...rest });
  workers.push(worker);
  return worker;
}

const push = (id: string, key = 'partner', at = 0, body: unknown = { id }) =>
  addDue(db, { id, key, kind: 'push', at, body });
const does = async ({ id }: Due) => {
  did.push(id);
  return 'done' as const;
};

async function until(done: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > deadline) {
      throw new Error(`not so after ${timeoutMs} ms; did ${did.join(' ')}`);
    }
    await sleep(5);
  }
}

test('what is due is done once, with the body that was given', async () => {
  const seen: unknown[] = [];
  await push('a', 'partner', 0, { cdr: ['é', 1.5, null] });
  await push('a', 'partner', 0, 'not again');
  work(async (due, attempt) => {
    seen.push(due, attempt);
    return 'done';
  });
  await until(() => seen.length > 0);
  await push('a');
  await sleep(50);
  expect(seen).toEqual([
    { id: 'a', key: 'partner', kind: 'push', at: 0, body: { cdr: ['é', 1.5, null] } },
    1,
  ]);
  await until(async () => (await openDue(db, 'partner')).length === 0);
});

test('a key is worked on in order, the earliest first, while other keys go on', async () => {
  await push('late', 'slow', 30);
  await push('early', 'slow', 10);
  await push('middle', 'slow', 20);
  for (let n = 1; n <= 3; n += 1) await push(`quick-${n}`, 'quick', n);
  let running = 0;
  work(async (due) => {
    if (due.key === 'slow') {
      running += 1;
      expect(running).toBe(1);
      await until(() => did.includes('quick-3'));
      running -= 1;
    }
    return does(due);
  });
  await until(() => did.length === 6);
  expect(did.filter((id) => !id.startsWith('quick'))).toEqual(['early', 'middle', 'late']);
  expect(did.slice(0, 3)).toEqual(['quick-1', 'quick-2', 'quick-3']);
});

test('a failing one is tried again with its error kept, and holds up its key alone', async () => {
  await push('first', 'down');
  await push('second', 'down');
  await push('other', 'up');
  let broken = true;
  const attempts: number[] = [];
  work(async (due, attempt) => {
    if (due.key === 'down') attempts.push(attempt);
    if (due.key === 'down' && broken) return { retryInMs: 30 };
    return does(due);
  });
  await until(() => attempts.length >= 3 && did.includes('other'));
  expect((await openDue(db, 'down')).map(({ id }) => id)).toEqual(['first', 'second']);
  broken = false;
  await until(() => did.length === 3);
  expect(did).toEqual(['other', 'first', 'second']);
});

test('a handler that throws is tried again later and leaves its error', async () => {
  await push('a');
  work(async () => {
    throw new TypeError('a bug');
  });
  await expect.poll(() => openDue(db, 'partner')).toMatchObject([{ id: 'a', lastError: 'TypeError: a bug' }]);
});

test('a kind that nobody does waits, with the reason', async () => {
  await addDue(db, { id: 'x', key: 'k', kind: 'constructor', at: 0, body: null });
  work(does);
  await until(
    async () => (await openDue(db, 'k'))[0]?.lastError === 'Error: nobody here does constructor',
  );
});

test('what lies ahead waits for the platform clock, and a retry may be put on it', async () => {
  const clock = fixedClock('2022-02-01T17:00:00Z');
  const at = clock.now() + 60_000;
  await push('timer', 'session', at);
  work(async (due, attempt) => (attempt === 1 ? { retryAt: at + 60_000 } : does(due)), {
    clock,
  });
  clock.advance(59_999);
  await sleep(300);
  expect((await openDue(db, 'session'))[0]?.attempts).toBe(0);
  clock.advance(1);
  await until(async () => (await openDue(db, 'session'))[0]?.attempts === 1);
  await sleep(300);
  expect(did).toEqual([]);
  clock.advance(60_000);
  await until(() => did.length === 1);
});

test('a timer of a fast platform fires, and never before its time', async () => {
  const clock = runningClock(0, Date.now(), 600);
  work(
    async (due) => {
      did.push(String(clock.now() - due.at));
      return 'done';
    },
    { clock },
  );
  // Ten platform minutes are one real second.
  for (const minutes of [2, 4, 6]) {
    await push(`t${minutes}`, `t${minutes}`, clock.now() + minutes * 60_000);
  }
  await until(() => did.length === 3);
  for (const late of did) expect(Number(late)).toBeGreaterThanOrEqual(0);
});

test('wake has what was just added done at once', async () => {
  const worker = work(does, { pollMs: [3_600_000, 3_600_000] });
  await sleep(100); // It has looked, and looks again in an hour.
  for (let n = 0; n < 5; n += 1) {
    await push(`a${n}`, `k${n}`);
    worker.wake();
    await until(() => did.length > n);
  }
});

test('what a transaction adds is due when it commits, and not when it does not', async () => {
  work(does);
  await db.tx(async (tx) => {
    await addDue(tx, { id: 'a', key: 'k', kind: 'push', at: 0, body: null });
    await sleep(100);
    expect(did).toEqual([]);
  });
  await db
    .tx(async (tx) => {
      await addDue(tx, { id: 'b', key: 'k', kind: 'push', at: 0, body: null });
      throw new Error('rolled back');
    })
    .catch(() => {});
  await push('c', 'k');
  await until(() => did.length === 2);
  expect(did).toEqual(['a', 'c']);
});

test('replicas share the keys: 300 rows of 20 keys are done once and in order', async () => {
  const order = new Map<string, number>();
  const faults: string[] = [];
  for (let n = 0; n < 300; n += 1) await push(`r${n}`, `k${n % 20}`, 0, n);
  for (let replica = 0; replica < 3; replica += 1) {
    work(
      async ({ id, key, body }) => {
        if ((body as number) <= (order.get(key) ?? -1)) faults.push(id);
        order.set(key, body as number);
        await sleep(1);
        did.push(id);
        return 'done';
      },
      { concurrency: 4 },
    );
  }
  await until(() => did.length >= 300);
  await sleep(50);
  expect(did).toHaveLength(300);
  expect(faults).toEqual([]);
});

test("a stopped worker's keys go on at once elsewhere; a dead one's after its lease", async () => {
  for (let n = 0; n < 6; n += 1) await push(`r${n}`, 'k', n);
  const first = work(async (due) => {
    await sleep(20);
    return does(due);
  });
  await until(() => did.length >= 2);
  await first.stop();
  const before = did.length;
  expect(before).toBeLessThan(6);
  // One that took the key and then vanished.
  const { rows: [lane] } = await db.query<{ ends: string }>(
    `UPDATE due_lane SET owner = 'vanished', epoch = epoch + 1, until = clock_timestamp() + interval '300 ms'
     RETURNING until AS ends`,
  );
  const early: string[] = [];
  work(async (due) => {
    const { rows: [now] } = await db.query<{ over: boolean }>('SELECT clock_timestamp() >= $1 AS over', [lane!.ends]);
    if (!now!.over) early.push(due.id);
    return does(due);
  });
  await until(() => did.length === 6);
  expect(early).toEqual([]);
  expect(did).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5']);
});

test('a worker that slept through its lease does not undo what another did', async () => {
  await push('a', 'k');
  await push('b', 'k');
  const slept = Promise.withResolvers<void>();
  const slow = work(
    async () => {
      await slept.promise;
      return { retryInMs: 60_000 };
    },
    // With one key at a time it cannot take its own again.
    { leaseMs: 60_000, concurrency: 1 },
  );
  await until(async () => (await openDue(db, 'k'))[0]?.attempts === 1);
  await db.query(`UPDATE due_lane SET until = clock_timestamp() - interval '1 ms'`);
  work(does);
  await until(async () => (await openDue(db, 'k')).length === 0);
  slept.resolve();
  await slow.stop();
  expect(await openDue(db, 'k')).toEqual([]);
  expect(did).toEqual(['a', 'b']);
});

const rouse = (id: string, at = 0, key = 'k') => rouseDue(db, 'push', at, [{ id, key, body: { id } }]);

test('what is roused while it is being done is done once more; roused thrice before, it is done once', async () => {
  await rouse('lane');
  await rouse('lane');
  await rouse('lane');
  const under = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  work(async (due, attempt) => {
    expect([due.body, attempt]).toEqual([{ id: 'lane' }, 1]);
    if (did.length === 0) {
      under.resolve();
      await going.promise;
    }
    return does(due);
  });
  await under.promise;
  await rouse('lane');
  going.resolve();
  await until(async () => did.length === 2 && (await openDue(db, 'k')).length === 0);
  await rouse('lane');
  await until(async () => did.length === 3 && (await openDue(db, 'k')).length === 0);
});

test('a pause towards somebody who is down stands when there is more for him, a wait for a time does not', async () => {
  const clock = fixedClock(1_000);
  await rouse('down', 1_000, 'down');
  await rouse('waits', 1_000, 'waits');
  const tried: string[] = [];
  work(async ({ id }) => {
    tried.push(id);
    if (tried.filter((one) => one === id).length > 1) return 'done';
    return id === 'down' ? { retryInMs: 600_000 } : { goOnAt: 5_000 };
  }, { clock });
  await until(async () => tried.length === 2 && (await openDue(db, 'waits'))[0]?.at === 5_000);
  await rouse('down', 1_000, 'down');
  await rouse('waits', 1_000, 'waits');
  await until(() => tried.length === 3);
  expect(tried[2]).toBe('waits');
  expect((await openDue(db, 'down')).map(({ id, attempts }) => ({ id, attempts }))).toEqual([{ id: 'down', attempts: 1 }]);
});

test('one that goes on later lets what is earlier go first', async () => {
  await rouse('lane', 0);
  await push('between', 'k', 10);
  work(async (due) => {
    await does(due);
    return due.id === 'lane' && did.length < 3 ? { goOnAt: 20 } : 'done';
  });
  await until(async () => (await openDue(db, 'k')).length === 0);
  expect(did).toEqual(['lane', 'between', 'lane']);
});

test('a key is claimed and worked on while transactions that will have roused it are open, and once more behind each', async () => {
  const lane = [{ id: 'push BCT', key: 'BCT', body: { lane: `O'Hare \\ $1` } }];
  const bodies: unknown[] = [];
  await db.tx(async (tx) => rouseAtCommit(tx, 'push', 0, lane));
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const open = ends.map(({ promise }) => db.tx(async (tx) => {
    await tx.query('SELECT 1');
    rouseAtCommit(tx, 'push', 0, lane);
    await promise;
  }));
  await sleep(50);
  work(async ({ id, body }) => {
    bodies.push(body);
    return does({ id } as never);
  });
  await until(() => did.length === 1);
  for (const [n, { resolve }] of ends.entries()) {
    resolve();
    await open[n];
    await until(() => did.length === n + 2);
  }
  expect(bodies).toEqual(Array(3).fill(lane[0]!.body));
});

test('two who rouse the same lanes at once wait for each other, and nothing is lost', async () => {
  const lanes = Array.from({ length: 20 }, (_, n) => ({ id: `lane ${n}`, key: `lane ${n}`, body: null }));
  const seen = new Map<string, number>();
  work(async ({ id }) => {
    const { rows } = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM roused_by');
    seen.set(id, rows[0]!.n);
    return 'done';
  });
  await Promise.all(Array.from({ length: 4 }, async (_, who) => {
    for (let n = 0; n < 10; n += 1)
      await db.tx(async (tx) => {
        await tx.query('INSERT INTO roused_by VALUES ($1)', [who]);
        await rouseDue(tx, 'push', 0, who % 2 === 0 ? lanes : lanes.toReversed());
      });
  }));
  // Each is done once more after the last that roused it.
  await until(() => lanes.every(({ id }) => seen.get(id) === 40));
});
