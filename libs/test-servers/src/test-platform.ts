import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropStreams, freshDatabase, freshPlatform, natsUrl } from './test-servers.ts';

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

/**
 * The surroundings of one platform for a whole-service test: a database and a name of its own on the
 * run's servers, and a roamwatt.yaml (JSON is YAML) with these sections; the party is Energy OASIS
 * where neither `party` nor `parties` is given. Listeners take free ports.
 */
export async function testPlatform(
  settings: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<TestPlatform> {
  const database = await freshDatabase();
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
