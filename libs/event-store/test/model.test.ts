import { randomUUID } from 'node:crypto';
import { freshDatabase } from '#test-servers';
import { openDatabase } from '#postgres';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AppendItem, type AppendOutcome, type EventStore, eventId, eventStoreMigrations, memoryEventStore,
  postgresEventStore, type StoredEvent,
} from '../src/index.ts';

/**
 * Whatever is appended, PostgreSQL and the memory answer and keep the same. Streams and ids are
 * few, so that conflicts, repeats and ids that are taken happen all the time.
 */

const RUNS = 100;
const STREAMS = ['a', 'b', 'c'];
const seed = Number(process.env['SEED']);

interface Attempt {
  readonly stream: string;
  /** From the version that the stream has at this point of the batch if all before succeeded. */
  readonly ahead: number;
  readonly ids: readonly number[];
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  stream: fc.constantFrom(...STREAMS),
  ahead: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: -4, max: 2 }) },
  ),
  ids: fc.uniqueArray(fc.integer({ min: 0, max: 14 }), { minLength: 1, maxLength: 3 }),
});
/** A batch, or an earlier one again. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(attempt, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.nat({ max: 30 }) },
);

test(`${RUNS} random histories are the same in PostgreSQL and in memory (SEED=${seed})`, async () => {
  const fresh = await freshDatabase();
  const db = await openDatabase({ url: fresh.url, schema: 'model', migrations: eventStoreMigrations });
  const postgres = postgresEventStore(db);
  let appended = 0;
  let conflicts = 0;
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
    const run = randomUUID();
    const base = (await postgres.last())?.position ?? 0n;
    const memory = memoryEventStore();
    const past: AppendItem[][] = [];
    for (const one of steps) {
      const items = typeof one === 'number' ? past[one % Math.max(past.length, 1)] : await itemsOf(memory, run, one);
      if (items === undefined) continue;
      past.push(items);
      const expected = await memory.append(items);
      const answers = await postgres.append(items);
      expect(answers.map(bareOutcome)).toEqual(expected.map(bareOutcome));
      await expectAtPositions(postgres, items, answers);
      for (const { outcome } of expected) outcome === 'appended' ? appended += 1 : conflicts += 1;
    }
    const all = await postgres.readAll(base, 1_000);
    expect(all.map(({ position }) => position)).toEqual(all.map((_, n) => base + BigInt(n + 1)));
    for (const stream of STREAMS) {
      const kept = await memory.read(run + stream);
      expect((await postgres.read(run + stream)).map(bare)).toEqual(kept.map(bare));
      expect(all.filter((stored) => stored.stream === run + stream).map(bare)).toEqual(kept.map(bare));
    }
  }), { numRuns: RUNS, seed });
  console.log(`event store model: ${RUNS} runs, SEED=${seed}: ${appended} appended, ${conflicts} conflicts`);
  expect(Math.min(appended, conflicts)).toBeGreaterThan(RUNS);
  await postgres.close();
  await db.close();
  await fresh.drop();
});

async function itemsOf(memory: EventStore, run: string, attempts: readonly Attempt[]): Promise<AppendItem[]> {
  const heads = new Map<string, number>();
  const takers = new Map<number, string>();
  const items: AppendItem[] = [];
  for (const { stream, ahead, ids } of attempts) {
    // Of two streams that claim an id in one append, either may get it.
    if (ids.some((id) => (takers.get(id) ?? stream) !== stream)) continue;
    for (const id of ids) takers.set(id, stream);
    const head = heads.get(stream) ?? (await memory.read(run + stream)).length;
    const events = ids.map((n) => ({ id: eventId(run, '', n), type: 'Modelled', data: `{"n":${n}}` }));
    items.push({ stream: run + stream, expected: Math.max(head + ahead, 0), events });
    heads.set(stream, head + events.length);
  }
  return items;
}

/** Positions of different streams are in no order that an append promises. */
function bareOutcome({ outcome, version }: AppendOutcome): object {
  return { outcome, version };
}

function bare({ recordedAt: _, position: __, ...event }: StoredEvent): object {
  return event;
}

async function expectAtPositions(
  store: EventStore,
  items: readonly AppendItem[],
  answers: readonly AppendOutcome[],
): Promise<void> {
  for (const [n, answer] of answers.entries()) {
    if (answer.outcome !== 'appended') continue;
    const { stream, events } = items[n] as AppendItem;
    expect(await store.at(answer.position)).toMatchObject({ stream, version: answer.version, id: events.at(-1)?.id });
  }
}
