import { dueMigrations } from '#due';
import type { MigrationList } from '#postgres';

/** Drivers' accounts. */
export const retailMigrations: MigrationList = [
  ...dueMigrations,
  {
    name: 'cdr-ledger-accounts',
    up: () => [HOLDERS, TOKENS, TOKENS_INDEX, PLANS, ACCOUNTS, BALANCES, LINES, RUNNING, ...RUNNING_INDEXES],
  },
  { name: 'cdr-ledger-account-parties', up: () => HOLDERS_PARTY },
  { name: 'cdr-ledger-account-tokens', up: () => TOKENS_OF_CONTRACTS },
  { name: 'cdr-ledger-running-since', up: () => ['ALTER TABLE running_charges ADD COLUMN started_at timestamptz'] },
];

/** Whose account it is; deleted to erase the contract. */
const HOLDERS = `CREATE TABLE account_holders (
  account_id uuid PRIMARY KEY,
  contract_key text NOT NULL UNIQUE,
  contract_id text NOT NULL
)`;

/** Until then a platform was one party, and all accounts were its. */
const HOLDERS_PARTY = [
  'ALTER TABLE account_holders ADD COLUMN party text',
  `UPDATE account_holders SET party =
     (SELECT split_part(ledger, '/', 1) FROM chain WHERE ledger LIKE '%/accounts' LIMIT 1)`,
];

const TOKENS = `CREATE TABLE account_tokens (
  token_key text PRIMARY KEY,
  contract_key text NOT NULL
)`;

/** A card and an app user may have one uid, and be of two drivers. */
const TOKENS_OF_CONTRACTS = [
  'ALTER TABLE account_tokens DROP CONSTRAINT account_tokens_pkey',
  'ALTER TABLE account_tokens ADD PRIMARY KEY (token_key, contract_key)',
];

const TOKENS_INDEX = 'CREATE INDEX account_tokens_contract ON account_tokens (contract_key)';

/** Every version of a price plan that the settings ever said. */
const PLANS = `CREATE TABLE retail_plans (
  plan_id text NOT NULL,
  valid_from text NOT NULL,
  name text NOT NULL,
  terms json NOT NULL,
  PRIMARY KEY (plan_id, valid_from)
)`;

/** Accounts, balances and lines: a projection of the log. */
const ACCOUNTS = `CREATE TABLE accounts (
  account_id uuid PRIMARY KEY,
  "position" bigint NOT NULL UNIQUE,
  plan_id text NOT NULL,
  exhausted boolean NOT NULL,
  opened_at text NOT NULL
)`;

const BALANCES = `CREATE TABLE account_balances (
  account_id uuid NOT NULL,
  currency text NOT NULL,
  balance numeric NOT NULL,
  credit_limit numeric,
  PRIMARY KEY (account_id, currency)
)`;

const LINES = `CREATE TABLE account_lines (
  account_id uuid NOT NULL,
  "position" bigint NOT NULL,
  kind text NOT NULL,
  at text NOT NULL,
  currency text NOT NULL,
  amount numeric NOT NULL,
  party text,
  cdr_id text,
  text text NOT NULL,
  PRIMARY KEY (account_id, "position")
)`;

/**
 * Charges that are not on an account yet, as their Sessions are told. A row without a Session is of
 * one that was billed before it was heard of.
 */
const RUNNING = `CREATE TABLE running_charges (
  party text NOT NULL,
  session_key text NOT NULL,
  account_id uuid,
  session_id text,
  token_uid text,
  currency text,
  amount numeric,
  growth numeric NOT NULL DEFAULT 0,
  active boolean NOT NULL DEFAULT false,
  billed boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL,
  stop_ordered_at timestamptz,
  PRIMARY KEY (party, session_key)
)`;

const RUNNING_INDEXES = [
  'CREATE INDEX running_charges_account ON running_charges (account_id)',
  'CREATE INDEX running_charges_age ON running_charges (updated_at)',
];
