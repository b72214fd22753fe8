import { busMigrations } from '#bus';
import { dueMigrations } from '#due';
import { eventStoreMigrations } from '#event-store';
import { grantMigrations } from '#grants';
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
  {
    name: 'tariffs-2-described',
    up: () => [
      // What the settings described at the last start: what is missing at the next is withdrawn.
      'CREATE TABLE described (tariff_key text PRIMARY KEY, tariff_id text NOT NULL)',
    ],
  },
];

export const migrations: MigrationList = [
  ...busMigrations, ...eventStoreMigrations, ...dueMigrations, ...grantMigrations, ...tariffs,
];
