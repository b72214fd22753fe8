import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MigrationList, openDatabase } from '#postgres';
import { copiedDatabase, dropStreams, type FreshDatabase, freshDatabase, freshPlatform, natsUrl } from './test-servers.ts';

export interface TestPlatform {
  readonly platform: string;
  /** What a service's `start` takes. */
  readonly env: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  /** Removes the database, the streams and the settings; stop the services first. */
  drop(): Promise<void>;
}

const energyOasis = {
  country_code: 'CA',
  party_id: 'BCT',
  name: 'Energy OASIS',
  roles: ['CPO'],
  currency: 'CAD',
};

/** Schemas with their migrations, as services have left them that were started once and did nothing else. */
export interface Migrated {
  /** Names the schemas as a whole in the run: `[a-z0-9_]`. */
  readonly what: string;
  readonly schemas: Readonly<Record<string, MigrationList>>;
}

/**
 * The surroundings of one platform for a whole-service test: a database and a name of its own on the
 * run's servers, and a roamwatt.yaml (JSON is YAML) with these sections; the party is Energy OASIS
 * where neither `party` nor `parties` is given. Listeners take free ports. The database is empty unless something is `migrated`.
 */
export async function testPlatform(
  settings: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
  migrated?: Migrated,
): Promise<TestPlatform> {
  const database = migrated ? await migratedDatabase(migrated) : await freshDatabase();
  const platform = freshPlatform();
  const dir = mkdtempSync(join(tmpdir(), 'roamwatt-test-'));
  const config = join(dir, 'roamwatt.yaml');
  writeFileSync(config, JSON.stringify('parties' in settings ? settings : { party: energyOasis, ...settings }));
  return {
    platform,
    env: {
      ROAMWATT_PLATFORM: platform,
      DATABASE_URL: database.url,
      NATS_URL: natsUrl(),
      ROAMWATT_CONFIG: config,
      ROAMWATT_SECRET: randomBytes(24).toString('hex'),
      OCPI_PORT: '0',
      OCPP_PORT: '0',
      PORTAL_PORT: '0',
      ...env,
    },
    databaseUrl: database.url,
    async drop() {
      await Promise.all([database.drop(), dropStreams(platform)]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Migrated once in a run, and copied. */
function migratedDatabase({ what, schemas }: Migrated): Promise<FreshDatabase> {
  return copiedDatabase(what, async (url) => {
    for (const [schema, migrations] of Object.entries(schemas)) await (await openDatabase({ url, schema, migrations })).close();
  });
}
