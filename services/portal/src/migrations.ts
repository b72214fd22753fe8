import { busMigrations } from '#bus';
import { erasureMigrations } from '#erasure';
import type { MigrationList } from '#postgres';

export const migrations: MigrationList = [
  ...busMigrations,
  ...erasureMigrations,
  {
    name: 'portal-1-drivers-and-charges',
    up: () => [
      `CREATE TABLE drivers (
         email text PRIMARY KEY,         -- lower case
         name text NOT NULL,
         contract_id text NOT NULL,
         tokens jsonb NOT NULL,          -- [{uid, type, visual_number?}]
         password_hash text NOT NULL,    -- scrypt
         password_mark text NOT NULL,    -- keyed; tells whether the settings have another password
         active boolean NOT NULL         -- whether the settings still name the driver
       )`,
      `CREATE TABLE log_ins (
         token_hash text PRIMARY KEY,    -- SHA-256 of the bearer token
         driver_email text NOT NULL REFERENCES drivers,
         expires_at timestamptz NOT NULL -- by the world's clock
       )`,
      'CREATE INDEX log_ins_by_driver ON log_ins (driver_email)',
      'CREATE INDEX log_ins_by_expiry ON log_ins (expires_at)',
      `CREATE TABLE charges (
         charge_id text PRIMARY KEY,     -- the order's id at sessions
         email text NOT NULL,
         token_uid text NOT NULL,
         token_type text NOT NULL,
         country_code text NOT NULL,
         party_id text NOT NULL,
         location_id text NOT NULL,
         evse_uid text NOT NULL,
         connector_id text,
         ordered_at timestamptz NOT NULL, -- by the platform's clock
         refusal text,                    -- why sessions did not take the order
         number bigint GENERATED ALWAYS AS IDENTITY
       )`,
      // Orders' ids are compared without case, as OCPI's references are.
      'CREATE UNIQUE INDEX charges_by_id ON charges (lower(charge_id))',
      'CREATE INDEX charges_by_driver ON charges (email, number DESC)',
    ],
  },
  {
    name: 'portal-2-reservations',
    up: () => [
      `CREATE TABLE reservations (
         reservation_id text PRIMARY KEY, -- the order's id at sessions
         email text NOT NULL,
         token_uid text NOT NULL,
         country_code text NOT NULL,
         party_id text NOT NULL,
         location_id text NOT NULL,
         evse_uid text,                   -- absent: any at the Location
         expires_at timestamptz NOT NULL,
         ordered_at timestamptz NOT NULL,
         number bigint GENERATED ALWAYS AS IDENTITY
       )`,
      'CREATE UNIQUE INDEX reservations_by_id ON reservations (lower(reservation_id))',
      'CREATE INDEX reservations_by_driver ON reservations (email, number DESC)',
    ],
  },
  {
    name: 'portal-3-refused-reservations',
    up: () => [
      'ALTER TABLE reservations ADD COLUMN refusal text', // why sessions did not take the order
      // Those that sessions knows are as it has them; the others counted as failed.
      "UPDATE reservations SET refusal = ''",
    ],
  },
];
