import { freshDatabase } from '#test-servers';
import { openDatabase } from '#postgres';
import { eventStoreMigrations, postgresEventStore } from '../src/index.ts';
import { conformance } from './conformance.ts';

conformance('PostgreSQL', async () => {
  const fresh = await freshDatabase();
  const db = await openDatabase({ url: fresh.url, schema: 'events_test', migrations: eventStoreMigrations });
  const store = postgresEventStore(db);
  return {
    store,
    async close() {
      await store.close();
      await db.close();
      await fresh.drop();
    },
  };
});
