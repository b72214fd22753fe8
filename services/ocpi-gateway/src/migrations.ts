import { busMigrations } from '#bus';
import { dueMigrations } from '#due';
import { eventStoreMigrations } from '#event-store';
import type { MigrationList } from '#postgres';

const partners: MigrationList = [
  {
    name: 'ocpi-gateway-1-partners',
    up: () => [
      `CREATE TABLE partners (
         partner_id text PRIMARY KEY,
         name text NOT NULL,
         state text NOT NULL,              -- invited, registering, registered, unregistered
         version text NOT NULL DEFAULT '',
         versions_url text NOT NULL DEFAULT '',
         roles json NOT NULL DEFAULT '[]',      -- OCPI CredentialsRole
         endpoints json NOT NULL DEFAULT '[]',  -- OCPI Endpoint
         token_out bytea,                  -- what we present, AES-256-GCM
         last_error text NOT NULL DEFAULT '',
         created bigint GENERATED ALWAYS AS IDENTITY
       )`,
      // What partners present, as a keyed hash: a stolen database opens no door.
      `CREATE TABLE partner_tokens (
         hash bytea PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         kind text NOT NULL                -- registration (TOKEN_A), current, old (until current is used)
       )`,
      'CREATE INDEX partner_tokens_of ON partner_tokens (partner_id)',
    ],
  },
  {
    name: 'ocpi-gateway-2-pushed',
    up: () => [
      `CREATE TABLE pushed (
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         module text NOT NULL,
         object_key text NOT NULL,
         current text,                     -- the OCPI object as it is; NULL: withdrawn
         acknowledged text,                -- as the partner last acknowledged it
         unclear boolean NOT NULL DEFAULT false,  -- the last request may have been taken
         queued boolean NOT NULL,          -- an open due row will compare the two
         n int NOT NULL DEFAULT 1,         -- counts those due rows
         refusals int NOT NULL DEFAULT 0,  -- in a row
         parked text,                      -- why it is set aside
         location_url text,                -- of a CDR, by the partner
         PRIMARY KEY (partner_id, module, object_key)
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-3-commands',
    up: () => [
      `CREATE TABLE taken_commands (       -- partners' commands to us
         order_id text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         command text NOT NULL,
         response_url text NOT NULL,
         correlation_id text NOT NULL,
         routing json NOT NULL,            -- of the callback
         response text,                    -- CommandResponseType, once known
         answered boolean NOT NULL DEFAULT false,  -- the response is out
         taken_at timestamptz NOT NULL
       )`,
      `CREATE TABLE sent_commands (        -- ours to partners
         order_id text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         command text NOT NULL,
         sent json                         -- how it ended, once known
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-4-unclaimed',
    up: () => [
      `CREATE TABLE unclaimed_cdrs (       -- of token owners whom no registered partner has yet
         cdr_id text PRIMARY KEY,
         current text NOT NULL
       )`,
    ],
  },
];

export const migrations: MigrationList = [
  ...eventStoreMigrations, ...busMigrations, ...dueMigrations, ...partners,
];
