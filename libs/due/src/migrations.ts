import type { MigrationList } from '#postgres';

/**
 * `due` holds the rows, `due_lane` one row per key that has open ones: workers take keys, not rows,
 * so that a key's rows are worked on in order and a long queue of one key costs the others nothing.
 */
export const dueMigrations: MigrationList = [
  {
    name: 'due-1-rows',
    up: () => [
      `CREATE TABLE due (
        id text PRIMARY KEY,
        key text NOT NULL,
        kind text NOT NULL,
        body json NOT NULL,
        at bigint NOT NULL,
        n bigint GENERATED ALWAYS AS IDENTITY,
        trace text,
        attempts int NOT NULL DEFAULT 0,
        last_error text,
        retry_at bigint,
        retry_after timestamptz,
        done_at timestamptz
      )`,
      'CREATE INDEX due_open ON due (key, at, n) WHERE done_at IS NULL',
      'CREATE INDEX due_done ON due (done_at) WHERE done_at IS NOT NULL',
      `CREATE TABLE due_lane (
        key text PRIMARY KEY,
        wake_at bigint NOT NULL,
        wake_after timestamptz NOT NULL DEFAULT '-infinity',
        owner text,
        epoch bigint NOT NULL DEFAULT 0,
        until timestamptz
      )`,
      'CREATE INDEX due_lane_wake_at ON due_lane (wake_at)',
      'CREATE INDEX due_lane_wake_after ON due_lane (wake_after)',
    ],
  },
  {
    name: 'due-2-functions',
    up: () => [
      `CREATE FUNCTION due_add(
          add_id text, add_key text, add_kind text, add_body json, add_at bigint, add_trace text)
        RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO due (id, key, kind, body, at, trace)
            VALUES (add_id, add_key, add_kind, add_body, add_at, add_trace)
            ON CONFLICT (id) DO NOTHING;
          IF NOT FOUND THEN RETURN false; END IF;
          INSERT INTO due_lane AS lane (key, wake_at) VALUES (add_key, add_at)
            ON CONFLICT (key) DO UPDATE SET wake_at = least(lane.wake_at, excluded.wake_at);
          RETURN true;
        END $$`,
      // The lane first, as `due_next` does: otherwise the two could wait for each other.
      `CREATE FUNCTION due_cancel(cancel_id text) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM FROM due_lane WHERE key = (SELECT key FROM due WHERE id = cancel_id) FOR UPDATE;
          UPDATE due SET done_at = clock_timestamp() WHERE id = cancel_id AND done_at IS NULL;
          RETURN FOUND;
        END $$`,
      // The key's first open row when it is due, counted as tried; otherwise the lane is given
      // back, to be woken when its first row is due. The lane is locked by a statement of its own,
      // so that the next one sees the rows of whoever added some meanwhile.
      `CREATE FUNCTION due_next(lane_key text, lane_owner text, lane_epoch bigint, now_ms bigint)
        RETURNS SETOF due LANGUAGE plpgsql AS $$
        DECLARE first due;
        BEGIN
          PERFORM FROM due_lane
            WHERE key = lane_key AND owner = lane_owner AND epoch = lane_epoch FOR UPDATE;
          IF NOT FOUND THEN RETURN; END IF;
          LOOP
            SELECT * INTO first FROM due
              WHERE key = lane_key AND done_at IS NULL ORDER BY at, n LIMIT 1;
            IF first.id IS NULL THEN
              DELETE FROM due_lane WHERE key = lane_key;
              RETURN;
            ELSIF coalesce(first.retry_at, first.at) > now_ms
                OR first.retry_after > clock_timestamp() THEN
              UPDATE due_lane SET owner = NULL, until = NULL,
                wake_at = coalesce(first.retry_at, first.at),
                wake_after = coalesce(first.retry_after, '-infinity') WHERE key = lane_key;
              RETURN;
            END IF;
            RETURN QUERY UPDATE due SET attempts = attempts + 1, retry_at = NULL, retry_after = NULL
              WHERE id = first.id AND done_at IS NULL RETURNING *;
            -- Nothing: it was cancelled just now.
            IF FOUND THEN RETURN; END IF;
          END LOOP;
        END $$`,
    ],
  },
  {
    name: 'due-3-rouse',
    up: () => [
      // Counts what came while a row was open or being done: it is done again then.
      'ALTER TABLE due ADD COLUMN roused int NOT NULL DEFAULT 0',
      // One statement's keys in one order, and the lane before the row, as `due_next` has it.
      `CREATE FUNCTION due_rouse(
          rouse_ids text[], rouse_keys text[], rouse_kind text, rouse_bodies json[], rouse_at bigint, rouse_trace text)
        RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO due_lane AS lane (key, wake_at)
            SELECT key, rouse_at FROM unnest(rouse_keys) AS key GROUP BY key ORDER BY key
            ON CONFLICT (key) DO UPDATE SET wake_at = least(lane.wake_at, excluded.wake_at);
          INSERT INTO due AS held (id, key, kind, body, at, trace)
            SELECT id, key, rouse_kind, body, rouse_at, rouse_trace
              FROM unnest(rouse_ids, rouse_keys, rouse_bodies) AS given (id, key, body) ORDER BY key, id
            ON CONFLICT (id) DO UPDATE SET roused = held.roused + 1, body = excluded.body, trace = excluded.trace,
              at = CASE WHEN held.done_at IS NULL THEN least(held.at, excluded.at) ELSE excluded.at END,
              retry_after = CASE WHEN held.done_at IS NULL THEN held.retry_after END,
              retry_at = NULL, done_at = NULL;
        END $$`,
    ],
  },
  {
    name: 'due-4-hasten',
    up: () => [
      // Keys in the order in which `due_rouse` takes them.
      `CREATE FUNCTION due_hasten(hasten_kinds text[], now_ms bigint, lease_ms int) RETURNS SETOF text LANGUAGE plpgsql AS $$
        DECLARE keys text[];
        BEGIN
          PERFORM FROM due_lane ORDER BY key FOR UPDATE;
          UPDATE due_lane SET until = clock_timestamp() + lease_ms * interval '1 ms'
            WHERE until > clock_timestamp() + lease_ms * interval '1 ms';
          WITH hastened AS (UPDATE due SET at = least(at, now_ms), retry_at = NULL, retry_after = NULL
            WHERE done_at IS NULL AND kind = ANY (hasten_kinds)
              AND (coalesce(retry_at, at) > now_ms OR at > now_ms OR retry_after IS NOT NULL) RETURNING key)
          SELECT array_agg(DISTINCT key) INTO keys FROM hastened;
          UPDATE due_lane SET wake_at = least(wake_at, now_ms), wake_after = '-infinity' WHERE key = ANY (keys);
          RETURN QUERY SELECT unnest(keys);
        END $$`,
    ],
  },
  {
    name: 'due-5-wanted',
    up: () => [
      // Who is to have the key next, while another is busy with it; and for whom it is kept a moment once that one gave it up. A
      // wish ends with the giving up, for workers of a release before leave it where it is when they take a key.
      'ALTER TABLE due_lane ADD COLUMN wanted_by text, ADD COLUMN kept_for text',
      'CREATE INDEX due_lane_owned ON due_lane (owner) WHERE owner IS NOT NULL',
      // As before, but that a wanted key is given up between two rows. It then wakes by its first row, whatever clock woke it.
      `CREATE OR REPLACE FUNCTION due_next(lane_key text, lane_owner text, lane_epoch bigint, now_ms bigint)
        RETURNS SETOF due LANGUAGE plpgsql AS $$
        DECLARE
          first due;
          wanted text;
          is_due boolean;
        BEGIN
          SELECT wanted_by INTO wanted FROM due_lane
            WHERE key = lane_key AND owner = lane_owner AND epoch = lane_epoch FOR UPDATE;
          IF NOT FOUND THEN RETURN; END IF;
          LOOP
            SELECT * INTO first FROM due
              WHERE key = lane_key AND done_at IS NULL ORDER BY at, n LIMIT 1;
            IF first.id IS NULL THEN
              DELETE FROM due_lane WHERE key = lane_key;
              RETURN;
            END IF;
            is_due := coalesce(first.retry_at, first.at) <= now_ms AND coalesce(first.retry_after <= clock_timestamp(), true);
            IF wanted IS NOT NULL OR NOT is_due THEN
              UPDATE due_lane SET owner = NULL, wanted_by = NULL, kept_for = CASE WHEN is_due THEN wanted END,
                until = CASE WHEN is_due THEN clock_timestamp() + interval '1 s' END,
                wake_at = coalesce(first.retry_at, first.at),
                wake_after = coalesce(first.retry_after, '-infinity') WHERE key = lane_key;
              RETURN;
            END IF;
            RETURN QUERY UPDATE due SET attempts = attempts + 1, retry_at = NULL, retry_after = NULL
              WHERE id = first.id AND done_at IS NULL RETURNING *;
            -- Nothing: it was cancelled just now.
            IF FOUND THEN RETURN; END IF;
          END LOOP;
        END $$`,
    ],
  },
];
