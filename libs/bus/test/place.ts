import { type Bus, busMigrations, connectBus, type Outbox, told } from '#bus';
import { type Database, openDatabase } from '#postgres';
import { log } from '#telemetry';
import { dropStreams, type FreshDatabase, freshDatabase, freshPlatform, natsUrl } from '#test-servers';
import { counted } from './contracts.ts';
import { heardMigrations } from './heard.ts';

/** A platform of one test: its own database and subjects on the run's servers. */
export interface Place {
  readonly platform: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly logged: string[];
  join(service: string): Promise<Bus>;
  open(schema: string): Promise<Database>;
  close(): Promise<void>;
}

/** `urlOf`: of a server where each service has a user of its own. */
export async function freshPlace(
  url = natsUrl(),
  { platform = freshPlatform(), urlOf = () => url }: { platform?: string; urlOf?: (service: string) => string } = {},
): Promise<Place> {
  const fresh: FreshDatabase = await freshDatabase();
  const logged: string[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  return {
    platform,
    natsUrl: url,
    databaseUrl: fresh.url,
    logged,
    async join(service) {
      const bus = await connectBus({
        natsUrl: urlOf(service),
        platform,
        service,
        log: log(service, { level: 'info', write: (line) => logged.push(line) }),
      });
      closing.push(() => bus.close());
      return bus;
    },
    async open(schema) {
      const db = await openDatabase({
        url: fresh.url,
        schema,
        migrations: [...busMigrations, ...heardMigrations],
      });
      closing.push(() => db.close());
      return db;
    },
    async close() {
      for (const close of closing.reverse()) await close();
      await fresh.drop();
      if (url === natsUrl()) await dropStreams(platform);
    },
  };
}

/** Tells "key:number" for each, in one transaction. */
export async function tellAll(db: Database, box: Outbox, values: readonly string[]): Promise<void> {
  await db.tx((tx) =>
    box.tell(
      tx,
      values.map((value) => told(counted, { value })),
    ),
  );
}

/** Waits until `done` says so, or fails after `timeoutMs` with what it last said. */
export async function eventually<T>(
  look: () => Promise<T>,
  done: (seen: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (done(seen)) return seen;
    if (performance.now() > deadline) {
      throw new Error(`still not so after ${timeoutMs} ms: ${inspect(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function inspect(seen: unknown): string {
  return JSON.stringify(seen, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )?.slice(0, 1_000);
}
