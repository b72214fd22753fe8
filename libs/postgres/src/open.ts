import { type Database, openPool } from './database.ts';
import { type MigrationList, prepareSchema } from './migrate.ts';

export interface DatabaseOptions {
  /** The platform's database, with the login that the application uses. */
  readonly url: string;
  /** The same database with a login that may create schemas and roles. Default: `url`. */
  readonly adminUrl?: string;
  /** The service's own schema: `[a-z][a-z0-9_]*`, at most 50 characters. */
  readonly schema: string;
  readonly migrations: MigrationList;
  /** Connections at most (default 6); they are opened when they are needed. */
  readonly poolMax?: number;
}

/**
 * Opens a service's schema in its platform's database: creates what is missing, runs the pending
 * migrations, and returns a pool that acts as the role `roamwatt_<schema>`, which can reach that
 * schema only, and there only what is granted. Safe when replicas start at the same time.
 * Throws `DatabaseFailure`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, schema, migrations, adminUrl = url, poolMax = 6 } = options;
  if (!/^[a-z][a-z0-9_]{0,49}$/.test(schema)) {
    throw new Error(`not a name for a schema: ${JSON.stringify(schema)}`);
  }
  const role = `roamwatt_${schema}`;
  const appLogin = decodeURIComponent(new URL(url).username);
  const sameLogin = appLogin === '' || appLogin === decodeURIComponent(new URL(adminUrl).username);
  await prepareSchema({ adminUrl, schema, role, migrations, ...(sameLogin ? {} : { appLogin }) });
  return openPool({ url, schema, role, poolMax });
}
