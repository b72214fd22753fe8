import { busMigrations } from '#bus';
import { sealingMigrations } from '#erasure';
import { eventStoreMigrations } from '#event-store';
import type { MigrationList } from '#postgres';

const stations: MigrationList = [
  {
    name: 'stations-1-stations',
    up: ({ role }) => [
      `CREATE TABLE stations (
         station_id text PRIMARY KEY,
         secret bytea NOT NULL -- keyed hash of its password
       )`,
      // Unique over the platform, positive, 32 bits: S16-40.
      'CREATE SEQUENCE transaction_ids AS int MINVALUE 1',
      `GRANT USAGE ON SEQUENCE transaction_ids TO ${role}`,
      `CREATE TABLE station_states (
         station_id text PRIMARY KEY,
         connected boolean NOT NULL DEFAULT false,
         last_seen_at timestamptz NOT NULL,
         vendor text NOT NULL DEFAULT '',
         model text NOT NULL DEFAULT ''
       )`,
      `CREATE TABLE connector_states (
         station_id text NOT NULL,
         connector_id int NOT NULL,
         status text NOT NULL DEFAULT '',
         status_at timestamptz,
         transaction_id text,
         PRIMARY KEY (station_id, connector_id)
       )`,
    ],
  },
  {
    name: 'stations-2-holders',
    up: () => [
      // Real time by the database's clock.
      'CREATE TABLE holders (holder text PRIMARY KEY, alive_until timestamptz NOT NULL)',
      'CREATE TABLE sockets (station_id text PRIMARY KEY, epoch int NOT NULL, holder text NOT NULL)',
      `ALTER TABLE station_states
         ADD COLUMN epoch int NOT NULL DEFAULT 0, ADD COLUMN noted_at timestamptz NOT NULL DEFAULT now()`,
    ],
  },
  // A release before does not know LostStopCame.
  { name: 'stations-3-lost-stops', up: () => [] },
];

export const migrations: MigrationList = [...busMigrations, ...eventStoreMigrations, ...sealingMigrations, ...stations];
