import { busMigrations } from '#bus';
import { eventStoreMigrations } from '#event-store';
import type { MigrationList } from '#postgres';

const tariffs: MigrationList = [
  {
    name: 'tariffs-1-offered',
    up: () => [
      // What we offer now, for pages in order of creation; the log holds every version.
      `CREATE TABLE offered (
         stream text PRIMARY KEY,
         last_updated timestamptz NOT NULL,
         tariff text NOT NULL,
         created bigint GENERATED ALWAYS AS IDENTITY
       )`,
      'CREATE INDEX offered_by_creation ON offered (created)',
    ],
  },
];

export const migrations: MigrationList = [...busMigrations, ...eventStoreMigrations, ...tariffs];
