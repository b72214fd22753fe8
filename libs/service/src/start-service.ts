import { type Bus, connectBus } from '#bus';
import { type Database, type MigrationList, openDatabase } from '#postgres';
import { type Env, readSettings, type Settings } from '#settings';
import { log as logOf, type Log, startTelemetry, type Tracer, tracer as tracerOf } from '#telemetry';
import { addressesIn, listening, reaching } from './cannot-start.ts';
import type { Running } from './run-service.ts';

/** What every service stands on. */
export interface Service {
  readonly name: string;
  readonly settings: Settings;
  readonly db: Database;
  readonly bus: Bus;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Called when the service stops, the last one first; the bus and the database close after all. */
  onStop(close: () => Promise<unknown> | void): void;
}

export interface ServiceOptions {
  /** The service's name; with `_` for `-` also the name of its schema. */
  readonly name: string;
  readonly migrations: MigrationList;
  /** Connections to the database at most; see `openDatabase`. */
  readonly poolMax?: number;
}

/** Real time. */
const SAY_WAITING_MS = 3_000;

/**
 * Opens what a service stands on (settings, telemetry, its schema, the bus), lets `body` build it up,
 * and gives back how to stop it. When `body` fails, everything opened so far is closed again.
 * `body` answers the addresses it listens on, if any.
 */
export async function startService(
  env: Env,
  { name, migrations, poolMax }: ServiceOptions,
  body: (service: Service) => Promise<Running['urls'] | void>,
): Promise<Running> {
  const stack = new AsyncDisposableStack();
  try {
    const settings = readSettings(env);
    const telemetry = await startTelemetry({ service: name, platform: settings.platform, env });
    stack.defer(() => telemetry.shutdown());
    const log = logOf(name);
    const db = await openDatabase({
      url: settings.databaseUrl,
      adminUrl: settings.databaseAdminUrl,
      schema: name.replaceAll('-', '_'),
      migrations,
      ...(poolMax === undefined ? {} : { poolMax }),
    }).catch(reaching('PostgreSQL', 'DATABASE_URL', settings.databaseUrl));
    stack.defer(() => db.close());
    const { natsUrl } = settings;
    const waiting = setTimeout(() => log.warn('waits for the NATS server', { address: addressesIn(natsUrl) }), SAY_WAITING_MS);
    const bus = await connectBus({ natsUrl, platform: settings.platform, service: name, log })
      .finally(() => clearTimeout(waiting));
    stack.defer(() => bus.close());
    const urls = await body({
      name, settings, db, bus, log, tracer: tracerOf(name),
      onStop: (close) => stack.defer(async () => void (await close())),
    });
    return { ...(urls ? { urls } : {}), stop: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw listening(name, error);
  }
}
