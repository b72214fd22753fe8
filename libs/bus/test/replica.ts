import { busMigrations, connectBus, hears, listen } from '#bus';
import { openDatabase } from '#postgres';
import { counted, keyOf, numberOf } from './contracts.ts';
import { heardMigrations } from './heard.ts';

/*
 * One replica of a listener as a process of its own, for tests that kill it or stop it:
 * node replica.ts '{ name, natsUrl, platform, databaseUrl, leaseMs }'
 */
const { name, natsUrl, platform, databaseUrl, leaseMs } = JSON.parse(
  process.argv[2] ?? '{}',
) as Record<string, string> & { leaseMs: number };

const bus = await connectBus({
  natsUrl: natsUrl ?? '',
  platform: platform ?? '',
  service: 'cdr-ledger',
});
const db = await openDatabase({
  url: databaseUrl ?? '',
  schema: 'cdr_ledger',
  migrations: [...busMigrations, ...heardMigrations],
});
const listening = await listen(bus, db, {
  listener: 'cdr-ledger',
  leaseMs,
  batch: 50,
  hearings: [
    hears(counted, async ({ value }, heard) => {
      // Slow enough to be in the middle of something whenever it is killed.
      await heard.tx.query(
        'INSERT INTO heard (key, number, replica) SELECT $1, $2, $3 FROM pg_sleep(0.001)',
        [keyOf(value), numberOf(value), name],
      );
    }),
  ],
});
console.log('listening');

process.once(
  'SIGTERM',
  () =>
    void (async () => {
      await listening.close();
      await bus.close();
      await db.close();
    })(),
);
