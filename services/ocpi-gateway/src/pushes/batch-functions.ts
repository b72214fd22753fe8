/*
 * The two ends of a batch, each in one statement: pushes are many, and each statement is a way to PostgreSQL and back
 * and a commit. Each of their own statements sees what was committed when it began.
 */

/**
 * Takes a lane and what is due of it, and names that as being sent: if we never see its end, nobody knows. Who withdraws
 * something holds the lane: he sees it named, or it is not there any more when it is read. CDRs are named one by one,
 * when each goes out. Where a sender before vanished, only what that was sending is told, and nothing is taken.
 */
export const takeBatch = `CREATE FUNCTION push_take(take_lane text, take_batch text, now_ms bigint, most int)
    RETURNS TABLE (was_sending text[], failures int, cdr_url text, module text, object_key text, current text, version bigint,
      acknowledged text, acknowledged_version bigint, unclear boolean, queued boolean, queued_at timestamptz, shared boolean,
      refusals int, attempts int, waits int) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE held push_lanes;
  BEGIN
    SELECT * INTO held FROM push_lanes l WHERE l.lane = take_lane FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    IF held.sending IS NOT NULL THEN
      UPDATE push_lanes l SET batch = take_batch WHERE l.lane = take_lane;
      was_sending := held.sending;
      RETURN NEXT;
      RETURN;
    END IF;
    RETURN QUERY WITH taken AS MATERIALIZED (
        SELECT p.*, s.version AS now FROM pushed p LEFT JOIN shared_locations s ON p.shared AND s.object_key = p.object_key
        WHERE p.lane = take_lane AND p.queued AND p.due_at <= now_ms
        ORDER BY p.due_at, p.turn LIMIT CASE WHEN held.failures > 0 THEN 1 ELSE most END),
      named AS (UPDATE push_lanes l SET batch = take_batch,
          sending = (SELECT array_agg(t.module || ' ' || t.object_key) FROM taken t WHERE t.module <> 'cdrs')
        WHERE l.lane = take_lane)
      SELECT NULL::text[], held.failures, held.cdr_url, t.module, t.object_key, CASE WHEN NOT t.shared THEN t.current END, t.now,
        t.acknowledged, t.acknowledged_version, t.unclear, t.queued, t.queued_at, t.shared, t.refusals, t.attempts, t.waits
      FROM taken t ORDER BY t.due_at, t.turn;
  END $$`;

/**
 * Notes what a partner acknowledged, and the end of the batch. Nothing is open any more where nothing changed since it
 * was read; a shared Location that somebody is just changing stays queued, and is looked at again. NULL, and nothing is
 * noted: the lane is somebody else's now. Else the places of those that somebody queues just now: they are still named.
 * Each row is looked up by its key: of a table that changes so fast the planner knows too little to see that by itself.
 */
export const settleBatch = `CREATE FUNCTION push_settle(settle_lane text, settle_batch text, settle_partner text,
      line_failures int, line_down bigint, line_next bigint,
      modules text[], keys text[], texts text[], versions bigint[], now_ms bigint)
    RETURNS int[] LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  DECLARE
    steady text[];
    noted int[];
    rest int[] := '{}';
  BEGIN
    UPDATE push_lanes SET sending = NULL, failures = coalesce(line_failures, failures),
        down_since = CASE WHEN line_failures IS NULL THEN down_since WHEN line_failures > 0 THEN coalesce(down_since, line_down) END,
        next_try = CASE WHEN line_failures IS NULL THEN next_try ELSE line_next END
      WHERE lane = settle_lane AND batch = settle_batch;
    IF NOT FOUND THEN RETURN NULL; END IF;
    steady := ARRAY(SELECT object_key FROM shared_locations WHERE object_key = ANY (keys) FOR SHARE SKIP LOCKED);
    WITH free AS MATERIALIZED (
        SELECT p.module, p.object_key, p.shared, p.current, given.text, given.version, given.place
        FROM unnest(modules, keys, texts, versions) WITH ORDINALITY AS given (module, key, text, version, place)
          CROSS JOIN LATERAL (SELECT * FROM pushed h
            WHERE h.partner_id = settle_partner AND h.module = given.module AND h.object_key = given.key FOR UPDATE SKIP LOCKED) p),
      told AS MATERIALIZED (
        SELECT free.*, CASE WHEN free.shared THEN free.object_key <> ALL (steady)
            OR (SELECT s.version FROM shared_locations s WHERE s.object_key = free.object_key) IS DISTINCT FROM free.version
          ELSE free.version IS NOT NULL OR free.current IS DISTINCT FROM free.text END AS is_newer
        FROM free),
      done AS (
        UPDATE pushed p SET acknowledged = told.text, acknowledged_version = told.version,
          unclear = false, refusals = 0, attempts = 0, waits = 0, queued = is_newer,
          turn = CASE WHEN is_newer THEN nextval('push_order') ELSE p.turn END,
          due_at = CASE WHEN is_newer THEN now_ms ELSE p.due_at END,
          queued_at = CASE WHEN is_newer THEN to_timestamp(now_ms / 1000.0) ELSE p.queued_at END
        FROM told WHERE p.partner_id = settle_partner AND p.module = told.module AND p.object_key = told.object_key
        RETURNING told.place)
      SELECT array_agg(place) INTO noted FROM done;
    IF coalesce(cardinality(noted), 0) < cardinality(keys) THEN
      rest := ARRAY(SELECT place FROM unnest(modules, keys) WITH ORDINALITY AS given (module, key, place)
        WHERE place <> ALL (coalesce(noted, '{}')) AND EXISTS (SELECT FROM pushed p
          WHERE p.partner_id = settle_partner AND p.module = given.module AND p.object_key = given.key));
      UPDATE push_lanes SET sending = (SELECT array_agg(modules[place] || ' ' || keys[place]) FROM unnest(rest) AS place)
        WHERE lane = settle_lane;
    END IF;
    RETURN rest;
  END $$`;
