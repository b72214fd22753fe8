import pg from 'pg';
import { CONNECT_TIMEOUT_MS, withSettings } from './database.ts';
import { named, namedWhileConnecting } from './failure.ts';

/** Where a migration runs: unqualified names are in `schema`; `role` is the application's role there. */
export interface MigrationPlace {
  readonly schema: string;
  readonly role: string;
}

/**
 * One step of a schema, never changed once released. A table that it creates is at once open to
 * the role for SELECT, INSERT, UPDATE and DELETE; REVOKE what the role must not do.
 */
export interface Migration {
  /** Unique in its schema for ever, e.g. `event-store-1-events`. */
  readonly name: string;
  /** The statements in order, each one SQL command. */
  up(place: MigrationPlace): readonly string[];
}

export type MigrationList = readonly Migration[];

export interface PrepareOptions extends MigrationPlace {
  readonly adminUrl: string;
  /** The login that the application will use, when it is not the administrator's own. */
  readonly appLogin?: string;
  readonly migrations: MigrationList;
}

/** How long one replica waits for another that is migrating the same schema. */
const MIGRATION_TIMEOUT_MS = 60_000;

/**
 * Makes the schema, the role, its grants and what the migrations say. Replicas may start at once:
 * an advisory lock lets one of them do it. When nothing is to be done it costs one connection and
 * one query, and MikroORM is not even loaded. A schema that a newer release has made is refused.
 */
export async function prepareSchema(options: PrepareOptions): Promise<void> {
  const { schema, role, migrations } = options;
  const names = migrations.map((migration) => migration.name);
  if (new Set(names).size < names.length) {
    throw new Error(`two migrations of the schema ${schema} have the same name`);
  }
  const admin = new pg.Client({
    connectionString: withSettings(options.adminUrl, {
      statement_timeout: MIGRATION_TIMEOUT_MS, client_min_messages: 'warning',
    }),
    application_name: `roamwatt migrating ${schema}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  admin.on('error', () => {});
  try {
    await admin.connect().catch((error: unknown) => Promise.reject(namedWhileConnecting(error)));
    if (await isPrepared(admin, options)) return;
    await admin.query(`SELECT pg_advisory_lock(hashtext('roamwatt migrations'), hashtext($1))`, [schema]);
    await createSchemaAndRole(admin, options);
    const done = await executed(admin, options);
    const pending = migrations.filter((migration) => !done.has(migration.name));
    if (pending.length > 0 || done.size === 0) {
      await (await import('./migrator.ts')).runMigrations(options.adminUrl, { schema, role }, migrations);
      await admin.query(`REVOKE ALL ON ${schema}.migrations FROM ${role}`);
    }
  } catch (error) {
    throw named(error);
  } finally {
    await admin.end();
  }
}

async function isPrepared(admin: pg.Client, options: PrepareOptions): Promise<boolean> {
  if (!await maySetRole(admin, options)) return false;
  const done = await executed(admin, options);
  return options.migrations.length > 0 && options.migrations.every((migration) => done.has(migration.name));
}

async function executed(admin: pg.Client, { schema, migrations }: PrepareOptions): Promise<Set<string>> {
  const done = await executedNames(admin, schema);
  const unknown = done.filter((name) => !migrations.some((migration) => migration.name === name));
  // A release before would read and write the new schema in the old way. (Who brings no migrations only looks.)
  if (migrations.length > 0 && unknown.length > 0) {
    throw new Error(
      `the data of ${schema} are of a newer release than this program: it does not know ${unknown[0]}`
      + `${unknown.length > 1 ? ` and ${unknown.length - 1} more` : ''}. Start the newer release, `
      + 'or bring back the copy that was made before the upgrade (docs/upgrading.md)',
    );
  }
  return new Set(done);
}

async function executedNames(admin: pg.Client, schema: string): Promise<string[]> {
  try {
    const { rows } = await admin.query<{ name: string }>(`SELECT name FROM ${schema}.migrations ORDER BY id`);
    return rows.map((row) => row.name);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42P01') return [];
    throw error;
  }
}

async function createSchemaAndRole(admin: pg.Client, options: PrepareOptions): Promise<void> {
  const { schema, role } = options;
  // Roles belong to the whole cluster, which the lock (one database's) does not cover.
  await admin.query(`DO $$ BEGIN
    CREATE ROLE ${role} NOLOGIN;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`);
  await grantMembership(admin, options);
  await admin.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
  const later = `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT`;
  await admin.query(`${later} SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role}`);
  await admin.query(`${later} USAGE, SELECT ON SEQUENCES TO ${role}`);
}

async function maySetRole(admin: pg.Client, options: PrepareOptions): Promise<boolean> {
  // Since PostgreSQL 16 a member may be forbidden to SET ROLE, and the right to it has a name.
  const { rows } = await admin.query<{ may: boolean }>(
    `SELECT pg_has_role(coalesce($1::name, current_user), oid,
       CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) AS may
     FROM pg_roles WHERE rolname = $2`,
    [options.appLogin ?? null, options.role],
  );
  return rows[0]?.may ?? false;
}

async function grantMembership(admin: pg.Client, options: PrepareOptions): Promise<void> {
  for (let attempt = 1; !await maySetRole(admin, options); attempt += 1) {
    try {
      const member = options.appLogin === undefined ? 'CURRENT_USER' : pg.escapeIdentifier(options.appLogin);
      await admin.query(`GRANT ${options.role} TO ${member}`);
    } catch (error) {
      // Another platform of the cluster grants at the same time ("tuple concurrently updated").
      const raced = error instanceof pg.DatabaseError && (error.code === 'XX000' || error.code === '23505');
      if (!raced || attempt === 5) throw error;
    }
  }
}
