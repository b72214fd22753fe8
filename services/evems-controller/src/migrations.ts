import { busMigrations } from '#bus';
import { eventStoreMigrations } from '#event-store';
import type { MigrationList } from '#postgres';

const evems: MigrationList = [
  {
    name: 'evems-controller-1-connectors',
    up: () => [
      `CREATE TABLE stations (
         station_id text PRIMARY KEY,
         connected boolean NOT NULL DEFAULT false,
         connection bigint NOT NULL DEFAULT 0,
         booted_at timestamptz
       )`,
      `CREATE TABLE connectors (
         station_id text NOT NULL,
         connector_id int NOT NULL,
         status text NOT NULL DEFAULT '',
         status_at timestamptz,
         transaction_id text,            -- the open one of a card that may charge
         started_at timestamptz,
         drawn_ma int,
         drawn_at timestamptz,
         PRIMARY KEY (station_id, connector_id)
       )`,
    ],
  },
  {
    name: 'evems-controller-2-sites',
    up: () => [
      `CREATE TABLE sites (
         site_id text PRIMARY KEY,
         epoch bigint NOT NULL,             -- of the owner; only its updates pass
         leased_until timestamptz NOT NULL, -- no lease that was sent lasts longer
         plan text                          -- JSON, for whoever asks
       )`,
    ],
  },
  {
    name: 'evems-controller-profiles',
    up: () => [
      `CREATE TABLE profiles (              -- of the charge that runs there; the newest order's
         station_id text NOT NULL,
         connector_id int NOT NULL,
         transaction_id text NOT NULL,
         held json NOT NULL,
         PRIMARY KEY (station_id, connector_id)
       )`,
    ],
  },
];

export const migrations: MigrationList = [...eventStoreMigrations, ...busMigrations, ...evems];
