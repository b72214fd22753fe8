import type { MigrationList } from '#postgres';

/** The log's table and its only door, `append_events`; for the schema of the service that owns it. */
export const eventStoreMigrations: MigrationList = [
  { name: 'event-store-1', up: ({ role }) => [EVENTS, NEVER_CHANGED, ...guards(role), ...door(role)] },
  { name: 'event-store-2', up: ({ role }) => ['DROP FUNCTION append_events', ...door(role)] },
  { name: 'event-store-3', up: () => [COMPRESS_BY_LZ4] },
];

function door(role: string): readonly string[] {
  return [
    APPEND_EVENTS,
    'REVOKE ALL ON FUNCTION append_events FROM PUBLIC',
    `GRANT EXECUTE ON FUNCTION append_events TO ${role}`,
  ];
}

const EVENTS = `CREATE TABLE events (
  "position" bigint PRIMARY KEY,
  stream text COLLATE "C" NOT NULL,
  version int NOT NULL,
  id uuid NOT NULL UNIQUE,
  type text COLLATE "C" NOT NULL,
  data text NOT NULL,
  trace text,
  recorded_at timestamptz NOT NULL,
  UNIQUE (stream, version)
)`;

/**
 * Of what is appended from now on. It takes a fraction of the work of pglz, PostgreSQL's own, for about as many bytes. A server
 * that was built without it goes on as before.
 */
const COMPRESS_BY_LZ4 = `DO $$ BEGIN
  ALTER TABLE events ALTER data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL; END $$`;

const NEVER_CHANGED = `CREATE FUNCTION events_never_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are never changed: % refused', tg_op USING ERRCODE = 'insufficient_privilege';
END $$`;

/** By grant for the application, by trigger for everyone, also a superuser and a replica's session. */
function guards(role: string): readonly string[] {
  return [
    `CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON events
       FOR EACH STATEMENT EXECUTE FUNCTION events_never_change()`,
    'ALTER TABLE events ENABLE ALWAYS TRIGGER events_never_change',
    `REVOKE ALL ON events FROM ${role}`,
    `GRANT SELECT ON events TO ${role}`,
  ];
}

/**
 * One batch of items, in order. The caller says, per item: stream, expected version, its first
 * event's index (from 1) and how many; per event: the rest. The first \`lone\` items share neither
 * stream nor event id with any other item of the batch, so that sets of them can be judged and
 * stored at once; the others, and lone ones that are not simply new, are judged one by one.
 *
 * The lock is a statement of its own, so that the next one, under READ COMMITTED, sees all that was
 * committed before the lock was got. It is released after the commit is visible: positions have no
 * holes and appear in order.
 *
 * The answer is one row per item that was judged on its own, after a row for item 0: the position
 * after which all the others, lone and new, were stored in their order, and when. (A row for each
 * would cost a fifth of the rate.)
 *
 * The settings pin the plans: whatever the statistics say, an index is probed per stream and id.
 * (What it finds is mostly young: an index-only scan would visit the table all the same.)
 */
const APPEND_EVENTS = `CREATE FUNCTION append_events(
  streams text[], expected int[], firsts int[], sizes int[], lone int,
  owners int[], versions int[], ids uuid[], types text[], traces text[], payloads text[]
) RETURNS TABLE (item int, appended boolean, version int, "position" bigint, recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_seqscan TO off SET enable_bitmapscan TO off SET enable_indexonlyscan TO off
SET enable_hashjoin TO off SET enable_mergejoin TO off
SET plan_cache_mode TO force_generic_plan SET jit TO off
AS $$
#variable_conflict use_column
DECLARE
  base bigint;
  ready boolean[];
  skipped bigint[];
  head int;
  mine uuid[];
  recorded timestamptz;
  f int;
  l int;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'append_events needs READ COMMITTED';
  END IF;
  IF current_setting('synchronous_commit') = 'off' THEN
    RAISE EXCEPTION 'append_events needs synchronous_commit: an answer means on disk';
  END IF;
  PERFORM pg_advisory_xact_lock(x'65766e7400000000'::bigint + 'events'::regclass::oid::bigint);
  base := coalesce((SELECT max(e."position") FROM events e), 0);
  recorded := date_trunc('milliseconds', clock_timestamp());

  -- New at its place: the version before is there, the expected one's successor is not.
  ready := ARRAY(
    SELECT bool_and(u.expected = coalesce(e.version, 0))
    FROM unnest(streams[1:lone], expected[1:lone]) WITH ORDINALITY AS u(stream, expected, n)
    LEFT JOIN events e ON e.stream = u.stream AND e.version BETWEEN u.expected AND u.expected + 1
    GROUP BY u.n ORDER BY u.n
  );
  IF false = ANY (ready) THEN
    skipped := ARRAY(
      SELECT sum(CASE WHEN u.ready THEN 0 ELSE u.size END) OVER (ORDER BY u.n)
      FROM unnest(ready, sizes[1:lone]) WITH ORDINALITY AS u(ready, size, n) ORDER BY u.n
    );
  END IF;
  BEGIN
    INSERT INTO events ("position", stream, version, id, type, data, trace, recorded_at)
    SELECT base + u.n - coalesce(skipped[u.owner], 0),
           streams[u.owner], u.version, u.id, u.type, u.payload, u.trace, recorded
    FROM (SELECT generate_subscripts(ids, 1) AS n, unnest(owners) AS owner, unnest(versions) AS version,
            unnest(ids) AS id, unnest(types) AS type,
            unnest(payloads) AS payload, unnest(traces) AS trace) u
    WHERE u.owner <= lone AND ready[u.owner];
  EXCEPTION WHEN unique_violation THEN
    -- An id is taken. Looking before would cost every batch what this costs a rare one.
    ready := array_fill(false, ARRAY[lone]);
  END;
  item := 0;
  "position" := base;
  recorded_at := recorded;
  RETURN NEXT;
  base := coalesce((SELECT max(e."position") FROM events e), 0);

  FOR i IN 1 .. cardinality(streams) LOOP
    CONTINUE WHEN i <= lone AND ready[i];
    f := firsts[i];
    l := f + sizes[i] - 1;
    mine := ids[f:l];
    head := coalesce((SELECT max(e.version) FROM events e WHERE e.stream = streams[i]), 0);
    item := i;
    appended := true;
    version := expected[i] + sizes[i];
    IF head = expected[i] AND NOT EXISTS (SELECT FROM events e WHERE e.id = ANY (mine)) THEN
      INSERT INTO events ("position", stream, version, id, type, data, trace, recorded_at)
      SELECT base + u.n, streams[i], u.version, u.id, u.type, u.payload, u.trace, recorded
      FROM unnest(versions[f:l], mine, types[f:l], payloads[f:l], traces[f:l])
        WITH ORDINALITY AS u(version, id, type, payload, trace, n);
      base := base + sizes[i];
      "position" := base;
    ELSIF mine = ARRAY(
      SELECT e.id FROM events e
      WHERE e.stream = streams[i] AND e.version > expected[i] AND e.version <= expected[i] + sizes[i]
      ORDER BY e.version
    ) THEN
      "position" := (
        SELECT e."position" FROM events e
        WHERE e.stream = streams[i] AND e.version = expected[i] + sizes[i]
      );
    ELSE
      appended := false;
      version := head;
      "position" := NULL;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$`;
