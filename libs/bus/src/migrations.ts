import type { MigrationList } from '#postgres';

/**
 * What the bus keeps in the schema of a service that tells mirrored rows, listens or holds leases.
 */
export const busMigrations: MigrationList = [
  {
    name: 'bus-1-outbox',
    up: () => [
      `CREATE TABLE outbox (
        position bigint PRIMARY KEY,
        id text NOT NULL,
        key text NOT NULL,
        kind text NOT NULL,
        about text,
        fact bytea NOT NULL,
        trace text,
        at timestamptz NOT NULL
      )`,
      'CREATE INDEX outbox_at ON outbox (at)',
      'CREATE INDEX outbox_about ON outbox (about, position) WHERE about IS NOT NULL',
      // The lock is a statement of its own, so that the next one sees what its last owner
      // committed. A process that is stopped before its COMMIT would make all others wait: its
      // session ends soon.
      `CREATE FUNCTION outbox_tell(
          ids text[], keys text[], kinds text[], abouts text[], facts bytea[], trace text)
        RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_advisory_xact_lock(hashtext('roamwatt outbox'), hashtext(current_schema()));
          PERFORM set_config('idle_in_transaction_session_timeout', '3000', true);
          INSERT INTO outbox (position, id, key, kind, about, fact, trace, at)
            SELECT head.position + row.n, row.id, row.key, row.kind, row.about, row.fact,
              outbox_tell.trace, clock_timestamp()
            FROM unnest(ids, keys, kinds, abouts, facts)
                WITH ORDINALITY AS row (id, key, kind, about, fact, n),
              (SELECT coalesce(max(position), 0) AS position FROM outbox) AS head;
        END $$`,
    ],
  },
  {
    name: 'bus-2-listening',
    up: () => [
      // One row per listener, source and group of slots: how far it is, whose it is, and until
      // when.
      `CREATE TABLE listening (
        listener text NOT NULL,
        source text NOT NULL,
        slots int4range NOT NULL,
        position bigint NOT NULL DEFAULT 0,
        owner text,
        epoch bigint NOT NULL DEFAULT 0,
        until timestamptz,
        PRIMARY KEY (listener, source, slots)
      )`,
      // Who would share them: one row per live replica.
      `CREATE TABLE listening_replica (
        listener text NOT NULL,
        source text NOT NULL,
        replica text NOT NULL,
        until timestamptz NOT NULL,
        PRIMARY KEY (listener, source, replica)
      )`,
      `CREATE TABLE parked (
        listener text NOT NULL,
        source text NOT NULL,
        position bigint NOT NULL,
        slot int NOT NULL,
        key text NOT NULL,
        kind text NOT NULL,
        id text NOT NULL,
        fact bytea NOT NULL,
        trace text,
        at timestamptz NOT NULL,
        reason text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        replay boolean NOT NULL DEFAULT false,
        PRIMARY KEY (listener, source, position)
      )`,
      'CREATE INDEX parked_key ON parked (listener, source, key, position)',
    ],
  },
  {
    name: 'bus-3-lease',
    up: () => [
      `CREATE TABLE lease (
        name text PRIMARY KEY,
        owner text,
        epoch bigint NOT NULL,
        until timestamptz NOT NULL
      )`,
    ],
  },
];
