import type { MigrationList } from '#postgres';

/** What a service keeps that forgets contracts when tokens-auth says so. */
export const erasureMigrations: MigrationList = [
  {
    name: 'erasure-1',
    up: () => [
      // Names nobody. "sweeps" counts how often it was gone through, so that every process sees it.
      `CREATE TABLE erasures (
         erasure_id text PRIMARY KEY,
         at text NOT NULL,
         sweeps int NOT NULL DEFAULT 0,
         swept_at timestamptz,
         done_at timestamptz
       )`,
      'CREATE INDEX erasures_open ON erasures (erasure_id) WHERE done_at IS NULL',
      // Keyed hashes of the contracts and tokens that were erased, and until when: what is heard of
      // that time later is forgotten at once.
      'CREATE TABLE erased_marks (mark bytea PRIMARY KEY, at text NOT NULL)',
    ],
  },
  {
    name: 'erasure-3-statistics',
    up: ({ schema, role }) => [
      // Only a table's owner may ANALYZE it.
      `CREATE FUNCTION take_statistics(of_table regclass) RETURNS void
         LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
         BEGIN
           IF (SELECT relnamespace <> '${schema}'::regnamespace FROM pg_class WHERE oid = of_table) THEN
             RAISE EXCEPTION '% is none of ours', of_table USING ERRCODE = 'insufficient_privilege';
           END IF;
           EXECUTE format('ANALYZE %s', of_table);
         END $$`,
      'REVOKE ALL ON FUNCTION take_statistics FROM PUBLIC',
      `GRANT EXECUTE ON FUNCTION take_statistics TO ${role}`,
    ],
  },
];

/** And what it keeps beside a log whose events name persons; after the migrations of the log. */
export const sealingMigrations: MigrationList = [
  ...erasureMigrations,
  {
    name: 'erasure-2-sealing',
    up: ({ role }) => [
      // One key for each contract and token: with its row goes what was sealed under it.
      `CREATE TABLE holder_keys (
         key_id uuid PRIMARY KEY,
         holder text NOT NULL UNIQUE,
         contract_key text NOT NULL,  -- '' where only the token is known
         token_key text NOT NULL,     -- lower case
         secret bytea NOT NULL
       )`,
      'CREATE INDEX holder_keys_by_contract ON holder_keys (contract_key)',
      'CREATE INDEX holder_keys_by_token ON holder_keys (token_key)',
      `REVOKE UPDATE ON holder_keys FROM ${role}`,
      // Events up to here were stored in the open, and stay so.
      'CREATE TABLE sealed_since AS SELECT coalesce(max("position"), 0) AS "position" FROM events',
      `REVOKE INSERT, UPDATE, DELETE ON sealed_since FROM ${role}`,
    ],
  },
];
