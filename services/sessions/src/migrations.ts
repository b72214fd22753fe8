import { busMigrations } from '#bus';
import { dueMigrations } from '#due';
import { sealingMigrations } from '#erasure';
import { eventStoreMigrations } from '#event-store';
import type { MigrationList } from '#postgres';

// Parties are written as ca*bct, ids in keys in lower case: OCPI compares without case.
const sessions: MigrationList = [
  {
    name: 'sessions-1-sessions',
    up: () => [
      `CREATE TABLE transactions (
         station_id text NOT NULL,
         transaction_id text NOT NULL,
         session_id text NOT NULL,
         PRIMARY KEY (station_id, transaction_id)
       )`,
      // Apart, since stations and our load management tell at the same time: only who plugs in and
      // who is limited must see each other, which the rows of this table see to.
      `CREATE TABLE connectors (
         station_id text NOT NULL,
         connector_id int NOT NULL,
         session_id text,            -- the newest, until it has ended
         limit_ma int,
         limit_at timestamptz,
         PRIMARY KEY (station_id, connector_id)
       )`,
      `CREATE TABLE connector_statuses (
         station_id text NOT NULL,
         connector_id int NOT NULL,
         status text NOT NULL,
         status_at timestamptz NOT NULL,
         PRIMARY KEY (station_id, connector_id)
       )`,
      `CREATE TABLE own_sessions (
         session_id text PRIMARY KEY,
         token_party text NOT NULL,
         token_uid text NOT NULL,
         started_at timestamptz NOT NULL,
         last_updated timestamptz NOT NULL,
         session text NOT NULL,      -- the OCPI Session's JSON
         created bigint GENERATED ALWAYS AS IDENTITY
       )`,
      'CREATE INDEX own_sessions_by_token_party ON own_sessions (token_party, created)',
      'CREATE INDEX own_sessions_by_token ON own_sessions (token_party, token_uid, started_at)',
      `CREATE TABLE partner_sessions (
         party text NOT NULL,
         session_id text NOT NULL,
         token_party text NOT NULL,
         token_uid text NOT NULL,
         started_at timestamptz NOT NULL,
         last_updated timestamptz NOT NULL,
         session text NOT NULL,
         order_id text,              -- the order it came from, once that is known
         PRIMARY KEY (party, session_id)
       )`,
      'CREATE INDEX partner_sessions_by_token ON partner_sessions (token_party, token_uid, started_at)',
      // Where a Session without authorization_reference looks for its order.
      `CREATE TABLE starts_ordered (
         order_id text PRIMARY KEY,
         party text NOT NULL,
         token_uid text NOT NULL,
         evse_uid text NOT NULL,
         placed_at timestamptz NOT NULL
       )`,
      'CREATE INDEX starts_ordered_by_token ON starts_ordered (party, token_uid, placed_at)',
      // Which orders a partner's Session answers by being over.
      `CREATE TABLE stops_ordered (
         order_id text PRIMARY KEY,
         party text NOT NULL,
         session_id text NOT NULL
       )`,
      'CREATE INDEX stops_ordered_by_session ON stops_ordered (party, session_id)',
    ],
  },
  {
    name: 'sessions-2-openings',
    up: () => [
      `CREATE TABLE openings (
         session_id text PRIMARY KEY,
         heard_id text NOT NULL,
         fact bytea NOT NULL         -- the transaction's start as ocpp-gateway told it
       )`,
      `CREATE TABLE waiting_commands (
         session_id text NOT NULL,
         command_id text NOT NULL,
         command text NOT NULL,
         n bigint GENERATED ALWAYS AS IDENTITY,
         PRIMARY KEY (session_id, command_id)
       )`,
    ],
  },
  {
    name: 'sessions-3-reservations',
    up: () => [
      // Where reservations are found; what they are is in their streams.
      `CREATE TABLE reservations (
         number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         party text NOT NULL,        -- of the token
         location_id text NOT NULL,
         reservation_id text NOT NULL,
         session_id text NOT NULL,
         station_id text,            -- that was asked last
         connector_id int,
         is_over boolean NOT NULL DEFAULT false
       )`,
      'CREATE INDEX reservations_by_id ON reservations (party, reservation_id, number)',
      'CREATE INDEX reservations_in_force ON reservations (station_id, connector_id) WHERE NOT is_over',
    ],
  },
];

const profiles: MigrationList = [
  {
    name: 'sessions-profiles',
    up: () => [
      `CREATE TABLE profile_orders (       -- the newest change of a session's charging profile
         session_id text PRIMARY KEY,
         order_id text NOT NULL,
         ordered_at timestamptz NOT NULL
       )`,
      `CREATE TABLE preferences (          -- accepted last for a session of ours
         session_id text PRIMARY KEY,
         preferences text NOT NULL,        -- OCPI ChargingPreferences
         accepted_at timestamptz NOT NULL
       )`,
    ],
  },
];

export const migrations: MigrationList = [
  ...busMigrations,
  ...eventStoreMigrations,
  ...dueMigrations,
  ...sealingMigrations,
  ...sessions,
  ...profiles,
  {
    name: 'sessions-all-sessions',
    up: () => [
      // In one order of creation with ours.
      `ALTER TABLE partner_sessions ADD COLUMN created bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('own_sessions', 'created'))`,
      `CREATE VIEW all_sessions AS
         SELECT session, token_party, last_updated, created, true AS own FROM own_sessions
         UNION ALL SELECT session, token_party, last_updated, created, false FROM partner_sessions`,
    ],
  },
  {
    name: 'sessions-unfit-text',
    // What releases before 28 November took from partners may hold NUL or half a surrogate pair, and cannot be read as JSON here.
    up: () => [
      String.raw`UPDATE partner_sessions SET session = regexp_replace(session,
         '\\u(0000|[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2})', '\\ufffd', 'g')
       WHERE session ~ '\\u(0000|[dD][89a-fA-F])'`,
    ],
  },
  {
    name: 'sessions-granted-lists',
    // What a list of those that are granted asks of each Session, which are its JSON's own words.
    up: () => [
      'DROP VIEW all_sessions',
      ...['own_sessions', 'partner_sessions'].flatMap((table) => [
        `ALTER TABLE ${table}
           ADD COLUMN operator text GENERATED ALWAYS AS (lower((session::json ->> 'country_code') || '*' || (session::json ->> 'party_id'))) STORED,
           ADD COLUMN contract text GENERATED ALWAYS AS (lower(session::json -> 'cdr_token' ->> 'contract_id')) STORED,
           ADD COLUMN place text GENERATED ALWAYS AS (lower(session::json ->> 'location_id')) STORED,
           ADD COLUMN is_open boolean GENERATED ALWAYS AS ((session::json ->> 'status') NOT IN ('COMPLETED', 'INVALID')) STORED`,
        `CREATE INDEX ${table}_open ON ${table} (token_party, created) WHERE is_open`,
      ]),
      'CREATE INDEX partner_sessions_by_token_party ON partner_sessions (token_party, created)',
      `CREATE VIEW all_sessions AS
         SELECT session, token_party, last_updated, created, operator, contract, place, is_open, true AS own FROM own_sessions
         UNION ALL SELECT session, token_party, last_updated, created, operator, contract, place, is_open, false FROM partner_sessions`,
    ],
  },
  {
    name: 'sessions-granted-lists-written',
    // PostgreSQL read a Session's JSON anew for each column: a long one took ten times as long to store.
    up: () => ['own_sessions', 'partner_sessions'].map((table) =>
      `ALTER TABLE ${table} ${['operator', 'contract', 'place', 'is_open'].map((column) => `ALTER COLUMN ${column} DROP EXPRESSION`).join(', ')}`),
  },
  {
    name: 'sessions-own-lists-whole',
    // A former release that runs beside would write Sessions that the list of one of several own parties had never again: it waits instead.
    up: () => ['ALTER TABLE own_sessions ALTER COLUMN operator SET NOT NULL'],
  },
  {
    name: 'sessions-partners-taken',
    // When it came: a list that was asked for before says nothing of it.
    up: () => ['ALTER TABLE partner_sessions ADD COLUMN taken_at timestamptz NOT NULL DEFAULT now()'],
  },
  // A release before does not know CostTold.
  { name: 'sessions-cost-told', up: () => [] },
];
