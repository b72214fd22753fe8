import { busMigrations } from '#bus';
import { erasureMigrations } from '#erasure';
import { eventStoreMigrations } from '#event-store';
import type { MigrationList, MigrationPlace } from '#postgres';
import { listMigrations } from './list-migrations.ts';
import { retailMigrations } from './retail-migrations.ts';

/** The log, how far the service has listened, and its own tables. */
export const migrations: MigrationList = [
  ...eventStoreMigrations,
  ...busMigrations,
  ...erasureMigrations,
  {
    name: 'cdr-ledger-1-private-parts',
    up: ({ role }) => [
      PRIVATE_PARTS,
      ...PRIVATE_PART_INDEXES,
      `REVOKE UPDATE ON private_parts FROM ${role}`,
    ],
  },
  {
    name: 'cdr-ledger-2-chain',
    up: ({ role }) => [
      CHAIN,
      NEVER_CHANGED,
      CHAIN_GUARD,
      CHAIN_GUARD_ALWAYS,
      `REVOKE UPDATE, DELETE ON chain FROM ${role}`,
    ],
  },
  { name: 'cdr-ledger-3-projections', up: () => [FOLLOWED, CDRS, ...CDR_INDEXES] },
  { name: 'cdr-ledger-4-partners', up: () => [PARTNERS] },
  { name: 'cdr-ledger-settlement', up: () => [SETTLED, ...SETTLED_INDEXES, AGREEMENTS] },
  { name: 'cdr-ledger-token-charges', up: () => [TOKEN_CHARGES, ...TOKEN_CHARGE_INDEXES] },
  { name: 'cdr-ledger-disputes', up: () => [DISPUTES, ...DISPUTE_INDEXES] },
  {
    name: 'cdr-ledger-heads',
    up: ({ role }) => [
      MERKLE_NODES,
      HEADS,
      HEADS_ENTRIES,
      ...neverChanging('merkle_nodes', role),
      ...neverChanging('heads', role),
    ],
  },
  { name: 'cdr-ledger-rebuild', up: rebuilding },
  { name: 'cdr-ledger-places', up: () => [CDRS_PLACE] },
  { name: 'cdr-ledger-agreements-of-each-party', up: () => AGREEMENTS_OWN },
  ...retailMigrations,
  { name: 'cdr-ledger-charged-times', up: () => CHARGED_TIMES },
  { name: 'cdr-ledger-no-month', up: () => [DROP_MONTH] },
  // Of an operator with few received CDRs among millions: theirs alone.
  { name: 'cdr-ledger-received', up: () => ['CREATE INDEX cdrs_received ON cdrs ("position") WHERE NOT own'] },
  ...listMigrations,
  // A former release would take a booked charge for one that is still to come where a Credit CDR of it is held.
  { name: 'cdr-ledger-held-credits', up: () => [] },
];

/**
 * Who charged, under the contract's key: written before the event that names it, deleted to erase
 * the contract. A row that no event names is of an append that never came about, and means nothing.
 */
const PRIVATE_PARTS = `CREATE TABLE private_parts (
  id uuid PRIMARY KEY,
  contract_key text NOT NULL,
  token_party text NOT NULL,
  token_key text NOT NULL,
  salt bytea NOT NULL,
  body text NOT NULL
)`;

const PRIVATE_PART_INDEXES = [
  'CREATE INDEX private_parts_contract ON private_parts (contract_key)',
  'CREATE INDEX private_parts_token ON private_parts (token_party, token_key)',
];

/** One row for each entry, made as the log was followed; never changed, not even by its owner. */
const CHAIN = `CREATE TABLE chain (
  "position" bigint PRIMARY KEY,
  ledger text NOT NULL,
  entry int NOT NULL,
  event_id uuid NOT NULL UNIQUE,
  leaf bytea NOT NULL,
  link bytea NOT NULL,
  UNIQUE (ledger, entry)
)`;

const NEVER_CHANGED = `CREATE FUNCTION chain_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the chain is never changed: % refused', tg_op USING ERRCODE = 'insufficient_privilege';
END $$`;

const CHAIN_GUARD = `CREATE TRIGGER chain_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON chain
  FOR EACH STATEMENT EXECUTE FUNCTION chain_never_changes()`;

const CHAIN_GUARD_ALWAYS = 'ALTER TABLE chain ENABLE ALWAYS TRIGGER chain_never_changes';

/** How far each follower of the log is. */
const FOLLOWED = 'CREATE TABLE followed (follower text PRIMARY KEY, "position" bigint NOT NULL)';

/**
 * Every CDR and Credit CDR, ours and partners', without its private part; a projection of the log.
 * Ours are numbered for each token's owner (`projections/cdr-numbers.ts`).
 */
const CDRS = `CREATE TABLE cdrs (
  "position" bigint PRIMARY KEY,
  own boolean NOT NULL,
  party text NOT NULL,
  cdr_key text NOT NULL,
  session_id text,
  token_party text NOT NULL,
  last_updated timestamptz NOT NULL,
  credit_of text,
  credited_by text,
  public_json text NOT NULL,
  pricing jsonb,
  findings jsonb NOT NULL,
  private_id uuid NOT NULL,
  acknowledged_at timestamptz,
  number int,
  reached timestamptz,
  lag_ms bigint,
  UNIQUE (party, cdr_key)
)`;

const CDR_INDEXES = [
  'CREATE UNIQUE INDEX cdrs_number ON cdrs (token_party, number) WHERE own',
  'CREATE INDEX cdrs_reached ON cdrs (token_party, reached, number) WHERE own',
  'CREATE INDEX cdrs_month ON cdrs (own, party, token_party, last_updated)',
  'CREATE INDEX cdrs_credit ON cdrs (party, credit_of) WHERE credit_of IS NOT NULL',
  'CREATE INDEX cdrs_private ON cdrs (private_id)',
];

/** Months are settled from `settled`. (Where the list was made anew, the index has another name.) */
const DROP_MONTH = `DO $$ DECLARE found regclass; BEGIN
  FOR found IN SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'cdrs'::regclass
    AND pg_get_indexdef(indexrelid) LIKE '%(own, party, token_party, last_updated)'
  LOOP EXECUTE format('DROP INDEX %s', found); END LOOP;
END $$`;

/** How many of an owner's lie before a position of the log: `projections/cdr-pages-together.ts`. */
const CDRS_PLACE = 'CREATE INDEX cdrs_place ON cdrs (token_party, (-"position")) WHERE own';

/** What partners are called, as the ocpi-gateway told it. */
const PARTNERS = 'CREATE TABLE partners (party text PRIMARY KEY, name text NOT NULL)';

/** When each token of ours charged, by the CDRs received; goes with the private part that says whose. */
const TOKEN_CHARGES = `CREATE TABLE token_charges (
  "position" bigint PRIMARY KEY,
  private_id uuid NOT NULL REFERENCES private_parts (id) ON DELETE CASCADE,
  token_party text NOT NULL,
  token_key text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL
)`;

const TOKEN_CHARGE_INDEXES = [
  'CREATE INDEX token_charges_when ON token_charges (token_party, token_key, ends_at)',
  'CREATE INDEX token_charges_private ON token_charges (private_id)',
  'CREATE INDEX cdrs_session ON cdrs (party, session_id) WHERE NOT own',
];

/**
 * When a token of ours charged lies beside whose it was: written once, found by one index, and gone
 * with one row.
 */
const CHARGED_TIMES = [
  'ALTER TABLE private_parts ADD charged_from timestamptz, ADD charged_to timestamptz',
  `UPDATE private_parts p SET charged_from = t.starts_at, charged_to = t.ends_at
   FROM token_charges t WHERE t.private_id = p.id`,
  'DROP TABLE token_charges',
  'DROP INDEX private_parts_token',
  'CREATE INDEX private_parts_token ON private_parts (token_party, token_key, charged_to)',
];

/** Every dispute as it stands; a projection of the log. */
const DISPUTES = `CREATE TABLE disputes (
  party text NOT NULL,
  cdr_key text NOT NULL,
  number int NOT NULL,
  "position" bigint NOT NULL,
  ledger text NOT NULL,
  cdr_id text NOT NULL,
  partner text NOT NULL,
  complainant text NOT NULL,
  state text NOT NULL,
  findings jsonb NOT NULL,
  currency text NOT NULL,
  amount text NOT NULL,
  opened_at text NOT NULL,
  answered_at text,
  accepted boolean,
  closed_at text,
  credit_cdr_id text,
  reason_id uuid NOT NULL,
  answer_id uuid,
  withdrawal_id uuid,
  PRIMARY KEY (party, cdr_key, number)
)`;

const DISPUTE_INDEXES = [
  'CREATE INDEX disputes_newest ON disputes ("position")',
  'CREATE INDEX disputes_partner ON disputes (partner, party)',
];

/** Each CDR between two parties as it is settled; a projection of the log. */
const SETTLED = `CREATE TABLE settled (
  issuer text COLLATE "C" NOT NULL,
  receiver text COLLATE "C" NOT NULL,
  cdr_key text COLLATE "C" NOT NULL,
  credit boolean NOT NULL,
  credit_key text COLLATE "C",
  last_updated timestamptz NOT NULL,
  acknowledged_at timestamptz,
  currency text COLLATE "C" NOT NULL,
  energy_kwh numeric NOT NULL,
  excl_tax numeric NOT NULL,
  incl_tax numeric NOT NULL,
  location_id text COLLATE "C" NOT NULL,
  location_name text COLLATE "C" NOT NULL,
  taxes jsonb NOT NULL,
  line_json text NOT NULL,
  PRIMARY KEY (issuer, cdr_key)
)`;

const SETTLED_INDEXES = [
  'CREATE INDEX settled_month ON settled (issuer, receiver, last_updated, cdr_key)',
  'CREATE INDEX settled_acknowledged ON settled (issuer, receiver, acknowledged_at)',
];

/** What was agreed on with partners, by the first month that it holds for. */
const AGREEMENTS = `CREATE TABLE agreements (
  partner text NOT NULL,
  valid_from text COLLATE "C" NOT NULL,
  version int NOT NULL,
  terms json NOT NULL,
  PRIMARY KEY (partner, valid_from)
)`;

/** Until then a platform was one party. */
const AGREEMENTS_OWN = [
  `ALTER TABLE agreements ADD COLUMN own text NOT NULL DEFAULT ''`,
  `UPDATE agreements SET own = (SELECT data::json->>'ledger' FROM events WHERE type = 'AgreementNoted' LIMIT 1)`,
  'ALTER TABLE agreements DROP CONSTRAINT agreements_pkey, ADD PRIMARY KEY (own, partner, valid_from), ALTER COLUMN own DROP DEFAULT',
];

/** Of the Merkle tree over a ledger's leaves: one for every 16, 256, 4096 … of them. */
const MERKLE_NODES = `CREATE TABLE merkle_nodes (
  ledger text NOT NULL,
  level int NOT NULL,
  node int NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (ledger, level, node)
)`;

/** What was signed at the end of a day: the exact text, in which the other columns are read. */
const HEADS = `CREATE TABLE heads (
  ledger text NOT NULL,
  day text NOT NULL,
  entries int NOT NULL,
  text text NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (ledger, day)
)`;

const HEADS_ENTRIES = 'CREATE INDEX heads_entries ON heads (ledger, entries, day)';

/** Guarded as the chain is: by grant and, for its owner, by trigger. */
function neverChanging(table: string, role: string): readonly string[] {
  return [
    `CREATE TRIGGER ${table}_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION chain_never_changes()`,
    `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_never_change`,
    `REVOKE UPDATE, DELETE ON ${table} FROM ${role}`,
  ];
}

/** What is made from the log alone, and may be made anew. (`settled` is in `cdrs` by now.) */
const PROJECTIONS = ['cdrs', 'disputes', 'settled', 'agreements', 'accounts', 'account_balances', 'account_lines'];

/**
 * Only the tables' owner makes and drops tables: these two functions are all that the application
 * has of it, and only for projections.
 */
function rebuilding({ schema, role }: MigrationPlace): readonly string[] {
  const beside = `${schema}_rebuild`;
  const names = PROJECTIONS.map((name) => `'${name}'`).join(', ');
  const forEach = (name: string, statements: readonly string[]) => `CREATE FUNCTION ${name}(names text[])
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE name text;
    BEGIN
      IF NOT names <@ ARRAY[${names}] THEN
        RAISE EXCEPTION 'only projections are made anew: %', names USING ERRCODE = 'insufficient_privilege';
      END IF;
      FOREACH name IN ARRAY names LOOP
        ${statements.map((statement) => `EXECUTE format('${statement}', name);`).join('\n')}
      END LOOP;
    END $$`;
  return [
    `CREATE SCHEMA ${beside}`,
    `GRANT USAGE ON SCHEMA ${beside} TO ${role}`,
    forEach('begin_rebuild', [
      `DROP TABLE IF EXISTS ${beside}.%1$I`,
      `CREATE TABLE ${beside}.%1$I (LIKE ${schema}.%1$I INCLUDING ALL)`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ${beside}.%1$I TO ${role}`,
    ]),
    forEach('end_rebuild', [
      `DROP TABLE ${schema}.%1$I`,
      `ALTER TABLE ${beside}.%1$I SET SCHEMA ${schema}`,
    ]),
    ...['begin_rebuild', 'end_rebuild'].flatMap((name) => [
      `REVOKE ALL ON FUNCTION ${name} FROM PUBLIC`,
      `GRANT EXECUTE ON FUNCTION ${name} TO ${role}`,
    ]),
  ];
}
