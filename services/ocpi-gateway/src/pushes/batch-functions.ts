/*
 * What is done most of all, each in one statement: pushes are many, and each statement is a way to PostgreSQL and back
 * and a commit. Each of their own statements sees what was committed when it began.
 */

/**
 * Gives Locations that partners see alike new versions, each but where it is so, or a newer one is there. Whoever gives
 * versions does it alone until that is committed: who has seen one has seen all before it.
 */
export const shareLocations = `CREATE FUNCTION push_share(keys text[], texts text[], updated bigint[]) RETURNS void LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('location versions'), hashtext(current_schema()));
    WITH given AS MATERIALIZED (
        SELECT one.*, s.version AS before, nextval('location_version') AS version
        FROM unnest(keys, texts, updated) AS one (key, text, ms) LEFT JOIN shared_locations s ON s.object_key = one.key
        WHERE s.version IS NULL OR s.updated_ms < one.ms OR (s.updated_ms = one.ms
          AND one.text IS DISTINCT FROM (SELECT t.current FROM location_texts t WHERE t.version = s.version))),
      newest AS (INSERT INTO shared_locations (object_key, version, updated_ms) SELECT key, version, ms FROM given
        ON CONFLICT (object_key) DO UPDATE SET version = excluded.version, updated_ms = excluded.updated_ms),
      written AS (INSERT INTO location_texts (version, object_key, current) SELECT version, key, text FROM given)
    INSERT INTO old_versions (version, replaced_by) SELECT before, version FROM given WHERE before IS NOT NULL;
  END $$`;

/**
 * Takes a lane and what is due of it, and names that as being sent: if we never see its end, nobody knows. Who withdraws
 * something holds the lane: he sees it named, or it is not there any more when it is read. CDRs are named one by one,
 * when each goes out. Where a sender before vanished, only what that was sending is told, and nothing is taken.
 *
 * Due is what is queued, and of Locations that partners see alike what changed behind the lane's position `told`: all of it,
 * or, where that is too much, what the next versions behind it changed, each as it is now. `upto` is where the position
 * may move when all of it is acknowledged: a partner has of each such Location the newest version up to the position, or a
 * newer one that its row names.
 */
export const takeBatch = `CREATE FUNCTION push_take(take_lane text, take_partner text, take_batch text, now_ms bigint, most int)
    RETURNS TABLE (was_sending text[], upto bigint, failures int, cdr_url text, module text, object_key text, current text, version bigint,
      acknowledged text, acknowledged_version bigint, unclear boolean, queued boolean, queued_at timestamptz, shared boolean,
      refusals int, attempts int, waits int) LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
  #variable_conflict use_column
  DECLARE
    held push_lanes;
    ahead bigint;
    changed text[];
  BEGIN
    SELECT * INTO held FROM push_lanes l WHERE l.lane = take_lane FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    IF held.sending IS NOT NULL THEN
      UPDATE push_lanes l SET batch = take_batch WHERE l.lane = take_lane;
      was_sending := held.sending;
      RETURN NEXT;
      RETURN;
    END IF;
    -- A line that is down is tried with one object: of what changed behind the position, which waited first, else of what is queued.
    IF held.failures > 0 THEN most := 1; END IF;
    LOOP
      ahead := NULL;
      IF take_lane = take_partner THEN
        SELECT array_agg(n.object_key), max(n.version) INTO changed, ahead FROM (SELECT s.object_key, s.version FROM shared_locations s
          WHERE s.version > held.told ORDER BY s.version LIMIT (most - 1) * 8 + 1) n;
        IF cardinality(changed) > (most - 1) * 8 THEN
          SELECT array_agg(DISTINCT n.object_key), max(n.version) INTO changed, ahead FROM (SELECT t.object_key, t.version FROM location_texts t
            WHERE t.version > held.told ORDER BY t.version LIMIT most) n;
        END IF;
      END IF;
      RETURN QUERY WITH taken AS MATERIALIZED (
          (SELECT p.*, s.version AS now, p.acknowledged_version AS had FROM pushed p LEFT JOIN shared_locations s ON p.shared AND s.object_key = p.object_key
            WHERE p.lane = take_lane AND p.queued AND p.due_at <= now_ms ORDER BY p.due_at, p.turn
            LIMIT CASE WHEN held.failures = 0 OR ahead IS NULL THEN most ELSE 0 END)
          UNION ALL
          (SELECT p.*, s.version, greatest(p.acknowledged_version, (SELECT t.version FROM location_texts t
              WHERE t.object_key = s.object_key AND t.version <= held.told ORDER BY t.version DESC LIMIT 1))
            FROM unnest(CASE WHEN ahead IS NOT NULL THEN changed END) AS news (key) JOIN shared_locations s ON s.object_key = news.key
              CROSS JOIN LATERAL (SELECT * FROM pushed h
                WHERE h.partner_id = take_partner AND h.module = 'locations' AND h.object_key = news.key OFFSET 0) p
            WHERE p.shared AND NOT p.queued AND s.version > coalesce(p.acknowledged_version, 0))),
        named AS (UPDATE push_lanes l SET batch = take_batch,
            sending = (SELECT array_agg(t.module || ' ' || t.object_key) FROM taken t WHERE t.module <> 'cdrs')
          WHERE l.lane = take_lane)
        SELECT NULL::text[], ahead, held.failures, held.cdr_url, t.module, t.object_key, CASE WHEN NOT t.shared THEN t.current END, t.now,
          t.acknowledged, t.had, t.unclear, t.queued, t.queued_at, t.shared, t.refusals, t.attempts, t.waits
        FROM taken t ORDER BY NOT t.queued, CASE WHEN t.queued THEN t.due_at ELSE t.now END, t.turn;
      EXIT WHEN FOUND OR ahead IS NULL;
      -- This partner sees none of them so.
      held.told := ahead;
      UPDATE push_lanes l SET told = ahead WHERE l.lane = take_lane;
    END LOOP;
  END $$`;

/**
 * Notes what a partner acknowledged, and the end of the batch. Nothing is open any more where nothing changed since it was
 * read. Of Locations that partners see alike the lane's position says it all, if it may move; what is shared and has changed
 * since stands behind it. NULL, and nothing is noted: the lane is somebody else's now. Else the places of those that somebody
 * queues just now: they are still named.
 * Each row is looked up by its key: of a table that changes so fast the planner knows too little to see that by itself.
 */
export const settleBatch = `CREATE FUNCTION push_settle(settle_lane text, settle_batch text, settle_partner text, settle_upto bigint,
      line_failures int, line_down bigint, line_next bigint,
      modules text[], keys text[], texts text[], versions bigint[], now_ms bigint)
    RETURNS int[] LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
  DECLARE
    open int[];
    noted int[];
    rest int[] := '{}';
  BEGIN
    UPDATE push_lanes SET sending = NULL, told = greatest(told, settle_upto), failures = coalesce(line_failures, failures),
        down_since = CASE WHEN line_failures IS NULL THEN down_since WHEN line_failures > 0 THEN coalesce(down_since, line_down) END,
        next_try = CASE WHEN line_failures IS NULL THEN next_try ELSE line_next END
      WHERE lane = settle_lane AND batch = settle_batch;
    IF NOT FOUND THEN RETURN NULL; END IF;
    open := ARRAY(SELECT place FROM unnest(modules, keys, versions) WITH ORDINALITY AS given (module, key, version, place)
        CROSS JOIN LATERAL (SELECT * FROM pushed h
          WHERE h.partner_id = settle_partner AND h.module = given.module AND h.object_key = given.key OFFSET 0) p
      WHERE NOT (p.shared AND NOT p.queued AND NOT p.unclear AND p.attempts = 0 AND p.parked IS NULL AND given.version <= settle_upto) IS TRUE);
    IF cardinality(open) = 0 THEN RETURN rest; END IF;
    WITH free AS MATERIALIZED (
        SELECT p.module, p.object_key, p.shared, p.queued, p.current, texts[place] AS text, versions[place] AS version, place
        FROM unnest(open) AS place CROSS JOIN LATERAL (SELECT * FROM pushed h
          WHERE h.partner_id = settle_partner AND h.module = modules[place] AND h.object_key = keys[place] FOR UPDATE SKIP LOCKED) p),
      told AS MATERIALIZED (
        SELECT free.*, CASE
            WHEN free.shared THEN free.queued AND (SELECT s.version FROM shared_locations s WHERE s.object_key = free.object_key) IS DISTINCT FROM free.version
          ELSE free.version IS NOT NULL OR free.current IS DISTINCT FROM free.text END AS is_newer
        FROM free),
      done AS (
        UPDATE pushed p SET acknowledged = told.text, acknowledged_version = told.version,
          unclear = false, refusals = 0, attempts = 0, waits = 0, queued = is_newer, parked = NULL, parked_at = NULL,
          turn = CASE WHEN is_newer THEN nextval('push_order') ELSE p.turn END,
          due_at = CASE WHEN is_newer THEN now_ms ELSE p.due_at END,
          queued_at = CASE WHEN is_newer THEN to_timestamp(now_ms / 1000.0) ELSE p.queued_at END
        FROM told WHERE p.partner_id = settle_partner AND p.module = told.module AND p.object_key = told.object_key
        RETURNING told.place)
      SELECT array_agg(place) INTO noted FROM done;
    IF coalesce(cardinality(noted), 0) < cardinality(open) THEN
      rest := ARRAY(SELECT place FROM unnest(open) AS place
        WHERE place <> ALL (coalesce(noted, '{}')) AND EXISTS (SELECT FROM pushed p
          WHERE p.partner_id = settle_partner AND p.module = modules[place] AND p.object_key = keys[place]));
      UPDATE push_lanes SET sending = (SELECT array_agg(modules[place] || ' ' || keys[place]) FROM unnest(rest) AS place)
        WHERE lane = settle_lane;
    END IF;
    RETURN rest;
  END $$`;

/** Of a Location that a partner is told by its lane's position alone. */
export const isAlike = (row: string) => `${row}.module = 'locations' AND ${row}.shared AND NOT ${row}.queued AND NOT ${row}.unclear
  AND ${row}.attempts = 0 AND ${row}.parked IS NULL AND ${row}.acknowledged IS NULL`;

/** In which transactions a row of a Location that its partner was told by its lane's position alone was written: it may not be so any more. */
export const toldOtherwise = [
  `CREATE TABLE told_otherwise (
     partner_id text NOT NULL,
     transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
     at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (partner_id, transaction)
   )`,
  `CREATE FUNCTION push_told_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO told_otherwise (partner_id) VALUES (OLD.partner_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$`,
  `CREATE TRIGGER push_told_otherwise AFTER UPDATE ON pushed FOR EACH ROW
    WHEN (${isAlike('OLD')} AND NOT (${isAlike('NEW')} AND OLD.acknowledged_version IS NOT DISTINCT FROM NEW.acknowledged_version))
    EXECUTE FUNCTION push_told_otherwise()`,
  `CREATE TRIGGER push_told_no_more AFTER DELETE ON pushed FOR EACH ROW WHEN (${isAlike('OLD')}) EXECUTE FUNCTION push_told_otherwise()`,
];

/** By those who remember, real time: longer than that nobody relies on what is noted, which a database that was set back may lack. */
export const KNOWN_FOR_MS = 300_000;

/** Of a partner `held`, since a snapshot. */
export const notSeen = (seen: string) =>
  `EXISTS (SELECT FROM told_otherwise o WHERE o.partner_id = held.partner_id AND NOT pg_visible_in_snapshot(o.transaction, ${seen}))`;

/**
 * Takes a lane for what changed behind its position, all of it seen alike, and names that as being sent. `unknown`: of which that
 * is still to be looked up; of the others it was so when the database was as in `seen`. NULL, and nothing is taken, where
 * anything else is to be sent, or the lane does not stand so.
 */
export const takeChanges = `CREATE FUNCTION push_take_changes(take_lane text, take_batch text, at_told bigint, now_ms bigint,
      seen pg_snapshot, unknown text[], names text[]) RETURNS pg_snapshot LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
  DECLARE
    held push_lanes;
  BEGIN
    SELECT * INTO held FROM push_lanes l WHERE l.lane = take_lane FOR UPDATE;
    IF NOT FOUND OR held.sending IS NOT NULL OR held.failures > 0 OR held.told <> at_told THEN RETURN NULL; END IF;
    seen := coalesce(seen, pg_current_snapshot());
    IF EXISTS (SELECT FROM pushed p WHERE p.lane = take_lane AND p.queued AND p.due_at <= now_ms) OR ${notSeen('seen')}
      OR EXISTS (SELECT FROM unnest(unknown) AS key WHERE (SELECT ${isAlike('p')} AND coalesce(p.acknowledged_version, 0) <= at_told FROM pushed p
        WHERE p.partner_id = held.partner_id AND p.module = 'locations' AND p.object_key = key) IS NOT TRUE) THEN RETURN NULL; END IF;
    UPDATE push_lanes l SET batch = take_batch, sending = names WHERE l.lane = take_lane;
    RETURN seen;
  END $$`;

/** A batch of what is seen alike was acknowledged. NULL: the lane is somebody else's now; false: some of it is not seen alike any more. */
export const endChanges = `CREATE FUNCTION push_end_changes(end_lane text, end_batch text, upto bigint, seen pg_snapshot)
    RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
  DECLARE
    held push_lanes;
  BEGIN
    SELECT * INTO held FROM push_lanes l WHERE l.lane = end_lane AND l.batch = end_batch FOR UPDATE;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF ${notSeen('seen')} THEN RETURN false; END IF;
    UPDATE push_lanes l SET sending = NULL, told = upto WHERE l.lane = end_lane;
    RETURN true;
  END $$`;
