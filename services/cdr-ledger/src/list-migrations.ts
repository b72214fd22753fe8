import type { MigrationList } from '#postgres';

/** What is listed and what is settled of a CDR is one row, and the CDR itself is read from the log: made anew from it. */
export const listMigrations: MigrationList = [
  {
    name: 'cdr-ledger-settled-in-list',
    up: ({ schema }) => [
      `DROP TABLE settled, cdrs`,
      `DROP TABLE IF EXISTS ${schema}_rebuild.settled, ${schema}_rebuild.cdrs`,
      `DELETE FROM followed WHERE follower IN ('cdr-list', 'cdr-list rebuilding', 'settlement', 'settlement rebuilding')`,
      CDRS,
      ...INDEXES,
    ],
  },
  // Of millions of received CDRs the few that somebody has to look into (`projections/received-cdrs.ts`).
  {
    name: 'cdr-ledger-in-doubt',
    up: ({ schema }) => [
      ...noRebuilding(schema),
      `CREATE INDEX cdrs_in_doubt ON cdrs ("position") WHERE NOT own
        AND jsonb_path_exists(findings, '$[*] ? (@.code != "signed-data-valid")')`,
    ],
  },
  // Of those the fewer that say which charges were of one card, for when it is forgotten (`projections/overlaps.ts`).
  {
    name: 'cdr-ledger-overlapping',
    up: ({ schema }) => [
      ...noRebuilding(schema),
      `CREATE INDEX cdrs_overlapping ON cdrs ("position") WHERE NOT own
        AND jsonb_path_exists(findings, '$[*] ? (@.code == "overlaps-another-charge" || @.code == "session-billed-twice")')`,
    ],
  },
];

/** A list that is being made anew begins again, with what the one in use has. */
function noRebuilding(schema: string): string[] {
  return [`DROP TABLE IF EXISTS ${schema}_rebuild.cdrs`, `DELETE FROM followed WHERE follower = 'cdr-list rebuilding'`];
}

/**
 * Every CDR and Credit CDR, ours and partners', as it is settled; a projection of the log. Ours are
 * numbered for each token's owner (`projections/cdr-numbers.ts`).
 */
const CDRS = `CREATE TABLE cdrs (
  "position" bigint PRIMARY KEY,
  own boolean NOT NULL,
  party text COLLATE "C" NOT NULL,
  cdr_key text COLLATE "C" NOT NULL,
  cdr_id text COLLATE "C" NOT NULL,
  session_id text COLLATE "C",
  token_party text COLLATE "C" NOT NULL,
  last_updated timestamptz NOT NULL,
  acknowledged_at timestamptz,
  credit_of text COLLATE "C",
  credit_reference_id text COLLATE "C",
  credited_by text COLLATE "C",
  currency text COLLATE "C" NOT NULL,
  energy_kwh numeric NOT NULL,
  excl_tax numeric NOT NULL,
  incl_tax numeric NOT NULL,
  location_id text COLLATE "C" NOT NULL,
  location_name text COLLATE "C" NOT NULL,
  taxes json,
  remarks json,
  findings jsonb NOT NULL,
  private_id uuid NOT NULL,
  number int,
  reached timestamptz,
  lag_ms bigint,
  UNIQUE (party, cdr_key)
)`;

const INDEXES = [
  'CREATE UNIQUE INDEX cdrs_number ON cdrs (token_party, number) WHERE own',
  'CREATE INDEX cdrs_reached ON cdrs (token_party, reached, number) WHERE own',
  // How many of an owner's lie before a position of the log: `projections/cdr-pages-together.ts`.
  'CREATE INDEX cdrs_place ON cdrs (token_party, (-"position")) WHERE own',
  'CREATE INDEX cdrs_credit ON cdrs (party, credit_of) WHERE credit_of IS NOT NULL',
  'CREATE INDEX cdrs_private ON cdrs (private_id)',
  // Of an operator with few received CDRs among millions: theirs alone.
  'CREATE INDEX cdrs_received ON cdrs ("position") WHERE NOT own',
  'CREATE INDEX cdrs_session ON cdrs (party, session_id) WHERE NOT own',
  // Nobody settles with itself.
  'CREATE INDEX cdrs_month ON cdrs (party, token_party, last_updated, cdr_key) WHERE party <> token_party',
  'CREATE INDEX cdrs_acknowledged ON cdrs (party, token_party, acknowledged_at) WHERE party <> token_party',
];
