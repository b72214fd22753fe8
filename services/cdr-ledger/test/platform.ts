import { writeFile } from 'node:fs/promises';
import pg from 'pg';
import {
  type Bus,
  busMigrations,
  connectBus,
  type Fact,
  hears,
  listen,
  type Listening,
  type Outbox,
  outbox,
  type Relay,
  startRelay,
} from '#bus';
import { type CdrIssued, cdrIssued, type CdrReceived, cdrReceived } from '#contracts/cdr-ledger';
import { getLocation } from '#contracts/locations';
import { listTariffVersions } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform } from '#test-servers';
import { migrations } from '../src/migrations.ts';
import { start } from '../src/start.ts';
import { location, tariff } from './charge.ts';

/** The ledger's schema, and those in which its neighbours tell. */
const migrated = {
  what: 'cdr_ledger',
  schemas: {
    cdr_ledger: migrations, neighbours: busMigrations, gateway: busMigrations, tokens: busMigrations, partner_sessions: busMigrations,
  },
};

/** The ledger of one platform and, beside it, what its neighbours tell, answer and hear. */
export interface LedgerPlatform {
  readonly bus: Bus;
  /** A superuser's connection to the ledger's tables. */
  readonly ledgerDb: pg.Pool;
  readonly databaseUrl: string;
  /** What the tariff-engine holds of partners' tariffs, at any time; and its end. */
  readonly published: Map<string, Tariff>;
  tariffEngineLeaves(): Promise<void>;
  readonly issued: CdrIssued[];
  readonly received: CdrReceived[];
  tellAsSessions(...facts: Fact[]): Promise<void>;
  tellAsGateway(...facts: Fact[]): Promise<void>;
  /** One more replica of the service. */
  startReplica(): Promise<Running>;
  /** At another time, if one is given; with other settings, if there are. */
  restart(clock?: string, settings?: Record<string, unknown>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * `clock` is the platform's time when it starts; it runs at the world's rate. `before` works on the
 * empty database.
 */
export async function ledgerPlatform(
  settings: Record<string, unknown>,
  clock: string,
  before?: (databaseUrl: string) => Promise<unknown>,
): Promise<LedgerPlatform> {
  const clockAt = (epoch: string) => ({
    ROAMWATT_CLOCK_EPOCH: epoch,
    ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
  });
  const platform = await testPlatform(settings, clockAt(clock), before ? undefined : migrated);
  await before?.(platform.databaseUrl);
  const bus = await connectBus({
    natsUrl: platform.env['NATS_URL']!,
    platform: platform.platform,
    service: 'neighbours',
  });
  const db = await openDatabase({
    url: platform.databaseUrl,
    schema: 'neighbours',
    migrations: busMigrations,
  });
  const gatewayDb = await openDatabase({
    url: platform.databaseUrl,
    schema: 'gateway',
    migrations: busMigrations,
  });
  const sessions = outbox('sessions', db);
  const gateway = outbox('ocpi-gateway', gatewayDb);
  const relays: Relay[] = [startRelay(bus, sessions), startRelay(bus, gateway)];
  await bus.answer(getLocation, (requests) =>
    requests.map(({ locationId }) =>
      locationId === location.id
        ? { locationJson: toJsonBytes(location), own: false }
        : { own: false },
    ),
  );
  const published = new Map([[tariff.id, tariff]]);
  const heldOf = (tariffId: string) => {
    const one = published.get(tariffId);
    return one && { version: 1, tariffJson: toJsonBytes(one), heldSince: one.last_updated };
  };
  const answering = await bus.answer(listTariffVersions, (requests) =>
    requests.map(({ tariffId }) => {
      const held = heldOf(tariffId);
      const versions = held ? [{ ...held, lastUpdated: held.heldSince }] : [];
      return { versions, total: versions.length };
    }),
  );
  let service: Running = await start(platform.env);
  const issued: CdrIssued[] = [];
  const received: CdrReceived[] = [];
  const listening: Listening = await listen(bus, db, {
    listener: 'neighbours',
    hearings: [
      hears(cdrIssued, (fact) => void issued.push(fact)),
      hears(cdrReceived, (fact) => void received.push(fact)),
    ],
  });
  const ledgerDb = new pg.Pool({
    connectionString: platform.databaseUrl,
    options: '-c search_path=cdr_ledger -c timezone=UTC',
    max: 2,
  });
  // Dropping the database may end a connection before the pool does.
  ledgerDb.on('error', () => {});
  ledgerDb.on('connect', (client) => void client.on('error', () => {}));
  const tell =
    (to: Outbox, toDb: Database) =>
    (...facts: Fact[]) =>
      toDb.tx((tx) => to.tell(tx, facts));
  return {
    bus,
    ledgerDb,
    databaseUrl: platform.databaseUrl,
    published,
    tariffEngineLeaves: () => answering.stop(),
    issued,
    received,
    tellAsSessions: tell(sessions, db),
    tellAsGateway: tell(gateway, gatewayDb),
    startReplica: () => start(platform.env),
    async restart(epoch, changed) {
      await service.stop();
      if (changed) await writeFile(platform.env['ROAMWATT_CONFIG']!, JSON.stringify(changed));
      service = await start({ ...platform.env, ...(epoch === undefined ? {} : clockAt(epoch)) });
    },
    async stop() {
      await listening.close();
      await service.stop();
      await Promise.all(relays.map((relay) => relay.close()));
      await bus.close();
      await Promise.all([db.close(), gatewayDb.close(), ledgerDb.end()]);
      await platform.drop();
    },
  };
}
