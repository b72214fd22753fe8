import { busMigrations } from '#bus';
import { erasureMigrations } from '#erasure';
import { grantMigrations } from '#grants';
import type { MigrationList } from '#postgres';

const tokens: MigrationList = [
  {
    name: 'tokens-1-tokens',
    up: () => [
      `CREATE TABLE tokens (
         country_code text NOT NULL,  -- upper case
         party_id text NOT NULL,      -- upper case
         uid text NOT NULL,           -- lower case: OCPI compares without case
         type text NOT NULL,
         own boolean NOT NULL,
         last_updated timestamptz NOT NULL,
         token text NOT NULL,         -- the OCPI Token's JSON
         created bigint GENERATED ALWAYS AS IDENTITY,
         PRIMARY KEY (country_code, party_id, uid, type)
       )`,
      'CREATE INDEX tokens_by_uid ON tokens (uid)',
      'CREATE INDEX tokens_own_by_creation ON tokens (created) WHERE own',
    ],
  },
  {
    name: 'tokens-2-credit',
    up: () => [
      // Contracts of ours without credit, as the cdr-ledger tells; ids in one spelling.
      'CREATE TABLE contracts_without_credit (contract_key text PRIMARY KEY)',
    ],
  },
  {
    name: 'tokens-3-erasures',
    up: () => [
      `CREATE TABLE contract_erasures (
         erasure_id text PRIMARY KEY,
         at text NOT NULL,
         holder json,                -- who; NULL once every service has forgotten
         kept json NOT NULL,         -- how much there was where
         forgotten_by text[] NOT NULL,
         waits json NOT NULL
       )`,
      'CREATE INDEX contract_erasures_open ON contract_erasures (erasure_id) WHERE holder IS NOT NULL',
    ],
  },
  {
    name: 'tokens-4-contracts',
    up: () => [`CREATE INDEX tokens_by_contract ON tokens (lower(token::json ->> 'contract_id'))`],
  },
  {
    name: 'tokens-5-cards',
    up: () => [
      // How a station names the card: idTagOf of libs/ocpp, in lower case. And where alone one of ours may charge.
      'ALTER TABLE tokens ADD COLUMN tag text, ADD COLUMN allowed_at json',
      `UPDATE tokens SET tag = CASE WHEN length(uid) <= 20 THEN uid
         ELSE 'rw' || left(encode(sha256(convert_to(uid, 'UTF8')), 'hex'), 18) END`,
      'ALTER TABLE tokens ALTER COLUMN tag SET NOT NULL',
      'CREATE INDEX tokens_by_tag ON tokens (tag)',
      'DROP INDEX tokens_by_uid',
      // What several parties issued under one uid, and how often its card was refused for it.
      `CREATE TABLE contested_tags (
         tag text PRIMARY KEY,
         since timestamptz NOT NULL,
         refused int NOT NULL DEFAULT 0,
         last_refused_at timestamptz,
         last_station_id text
       )`,
      'CREATE INDEX contested_tags_newest ON contested_tags (since DESC, tag)',
    ],
  },
  {
    name: 'tokens-6-former-contracts',
    up: () => [
      // Of which contracts tokens were before: what names one is not forgotten with the one that has its token now.
      `CREATE TABLE former_contracts (
         country_code text NOT NULL,  -- upper case
         party_id text NOT NULL,      -- upper case
         uid text NOT NULL,           -- lower case
         contract_id text NOT NULL,   -- lower case
         PRIMARY KEY (country_code, party_id, contract_id, uid)
       )`,
      'CREATE INDEX former_contracts_by_uid ON former_contracts (country_code, party_id, uid)',
    ],
  },
  {
    name: 'tokens-7-links',
    up: () => [
      // Partners' parties whose link has ended, as the ocpi-gateway tells; upper case.
      'CREATE TABLE parties_without_link (country_code text NOT NULL, party_id text NOT NULL, PRIMARY KEY (country_code, party_id))',
    ],
  },
  {
    name: 'tokens-8-taken',
    // When it came: a list that was asked for before says nothing of it.
    up: () => ['ALTER TABLE tokens ADD COLUMN taken_at timestamptz NOT NULL DEFAULT now()'],
  },
];

export const migrations: MigrationList = [...busMigrations, ...erasureMigrations, ...grantMigrations, ...tokens];
