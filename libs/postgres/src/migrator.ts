import { Migration as MikroMigration, Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { withSettings } from './database.ts';
import type { Migration, MigrationList, MigrationPlace } from './migrate.ts';

/**
 * Runs what is pending with MikroORM's Migrator, all in one transaction; the record of it is the
 * table `migrations` in the schema. Loading MikroORM costs some 200 ms: import this file only when
 * there is work for it.
 */
export async function runMigrations(
  adminUrl: string,
  place: MigrationPlace,
  migrations: MigrationList,
): Promise<void> {
  const orm = new MikroORM({
    clientUrl: adminUrl,
    // pg_temp is last, so that a SECURITY DEFINER function may take this path over as it is.
    driverOptions: { connectionString: withSettings(adminUrl, { search_path: `${place.schema},pg_temp` }) },
    entities: [],
    extensions: [Migrator],
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: 2 },
    migrations: {
      tableName: `${place.schema}.migrations`,
      migrationsList: migrations.map((migration) => (
        { name: migration.name, class: mikroMigration(migration, place) }
      )),
      transactional: true,
      allOrNothing: true,
      disableForeignKeys: false,
      snapshot: false,
      silent: true,
    },
  });
  try {
    await orm.migrator.up();
  } finally {
    await orm.close(true);
  }
}

function mikroMigration(migration: Migration, place: MigrationPlace) {
  return class extends MikroMigration {
    override up(): void {
      for (const statement of migration.up(place)) this.addSql(statement);
    }
  };
}
