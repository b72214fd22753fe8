import { openDatabase } from '#postgres';
import { copiedDatabase, type FreshDatabase } from '#test-servers';

/** The database of a platform whose services have migrated their schemas and done nothing else: half of its start. */
export function platformDatabase(): Promise<FreshDatabase> {
  return copiedDatabase('platform', async (url) => {
    // Loading them takes a second: where they are needed.
    const { migrationsOf } = await import('./platform-migrations.ts');
    for (const [name, migrations] of Object.entries(migrationsOf)) {
      await (await openDatabase({ url, schema: name.replaceAll('-', '_'), migrations })).close();
    }
  });
}
