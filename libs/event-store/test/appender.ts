/** A process of its own that appends: started by the tests, which also stop and kill it. */
import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase } from '#postgres';
import { type AppendItem, type EventStore, eventId, eventStoreMigrations, postgresEventStore } from '../src/index.ts';

export interface AppenderJob {
  readonly url: string;
  /** `shared`: streams that others append to as well; `own`: streams named after the seed. */
  readonly kind: 'shared' | 'own';
  readonly seed: string;
  readonly streams: number;
  /** 0: for ever. */
  readonly rounds: number;
}

export const SCHEMA = 'appending';

/** One event a stream and round; what is appended depends on the job alone, so that a repeat is one. */
function itemOf(job: AppenderJob, stream: number, round: number, expected: number): AppendItem {
  const name = job.kind === 'shared' ? `shared-${stream}` : `${job.seed}-${stream}`;
  const id = eventId(`${job.seed}-${round}`, name, 0);
  const data = JSON.stringify({ by: job.seed, round, pad: 'x'.repeat(900) });
  return { stream: name, expected, events: [{ id, type: 'Appended', data }] };
}

async function append(store: EventStore, job: AppenderJob, stream: number): Promise<void> {
  for (let round = 0, expected = 0; job.rounds === 0 || round < job.rounds; round += 1) {
    for (;;) {
      const [answer] = await store.append([itemOf(job, stream, round, expected)]);
      if (answer?.outcome === 'appended') {
        expected = answer.version;
        break;
      }
      if (job.kind === 'own') throw new Error(`a conflict on ${job.seed}-${stream}, which is nobody else's`);
      expected = answer?.version ?? 0;
      await delay(Math.random() * 3);
    }
  }
}

async function run(job: AppenderJob): Promise<void> {
  const db = await openDatabase({ url: job.url, schema: SCHEMA, migrations: eventStoreMigrations });
  const store = postgresEventStore(db);
  process.send?.('started');
  await Promise.all(Array.from({ length: job.streams }, (_, stream) => append(store, job, stream)));
  await store.close();
  await db.close();
  process.send?.('done');
  process.disconnect();
}

if (process.argv[2] !== undefined && process.send) await run(JSON.parse(process.argv[2]) as AppenderJob);
