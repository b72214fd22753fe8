import type { MigrationList } from '#postgres';
import { settleBatch, shareLocations, takeBatch } from './pushes/batch-functions.ts';

/** Since what is pushed goes in lanes. */
export const lanes: MigrationList = [
  {
    name: 'ocpi-gateway-push-lanes',
    up: () => [
      `CREATE TABLE shared_locations (     -- a Location as all partners see it who have no view of their own
         object_key text PRIMARY KEY,
         current text NOT NULL,
         updated_ms bigint NOT NULL        -- its last_updated
       )`,
      `CREATE TABLE push_lanes (           -- what is sent one batch after the other
         lane text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         batch text,                       -- of whoever sends now
         sending text[],                   -- its objects, each "module key": if we never see its end, nobody knows
         failures int NOT NULL DEFAULT 0,  -- in a row, of the line and not of one object
         down_since bigint,                -- epoch ms by the platform's clock
         next_try bigint,
         cdr_url text                      -- where the partner keeps its CDRs, {id} for the id, learned from the last
       )`,
      'CREATE INDEX push_lanes_of ON push_lanes (partner_id)',
      // A statement takes one number; the objects that it queues have theirs behind that.
      'CREATE SEQUENCE push_order INCREMENT BY 10000',
      `ALTER TABLE pushed ADD COLUMN shared boolean NOT NULL DEFAULT false,  -- \`current\` is the shared Location
         ADD COLUMN updated_ms bigint,     -- last_updated of \`current\`
         ADD COLUMN lane text,
         ADD COLUMN due_at bigint NOT NULL DEFAULT 0,
         ADD COLUMN turn bigint NOT NULL DEFAULT 0,  -- its place in the lane
         ADD COLUMN waits int NOT NULL DEFAULT 0,    -- for what has to go before it
         DROP COLUMN n`,
      `UPDATE pushed SET turn = nextval('push_order'), lane = partner_id || CASE WHEN module IN ('sessions', 'cdrs')
         THEN ' ' || module || ' ' || coalesce(upper((current::json->'cdr_token'->>'country_code') || '*' || (current::json->'cdr_token'->>'party_id')), '')
         WHEN module = 'chargingprofiles' THEN ' profile ' || lower(object_key) ELSE '' END WHERE queued OR parked IS NOT NULL`,
      'INSERT INTO push_lanes (lane, partner_id) SELECT DISTINCT lane, partner_id FROM pushed WHERE queued',
      `DELETE FROM due WHERE kind IN ('push', 'push-cdr')`,
      `SELECT due_rouse(array_agg('push ' || lane), array_agg(lane), 'push', array_agg(json_build_object('lane', lane, 'partnerId', partner_id)), 0, NULL)
         FROM push_lanes HAVING count(*) > 0`,
      'DROP INDEX pushed_queued',
      'CREATE INDEX pushed_in_lane ON pushed (lane, due_at, turn) WHERE queued',
    ],
  },
  {
    name: 'ocpi-gateway-fetches',
    up: () => [
      `CREATE TABLE quiet_partners (       -- who asked by Retry-After to be left alone
         partner_id text PRIMARY KEY REFERENCES partners ON DELETE CASCADE,
         until timestamptz NOT NULL        -- real time
       )`,
      `CREATE TABLE to_fetch (             -- partners' objects of which a push told that something is missing here
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         module text NOT NULL,
         party text NOT NULL,
         object_key text NOT NULL,
         since timestamptz NOT NULL,       -- the oldest last_updated of those pushes
         n int NOT NULL DEFAULT 1,         -- counts them
         fetched_n int NOT NULL DEFAULT 0, -- so many had come when it was fetched last
         fetched_at timestamptz,           -- platform time
         PRIMARY KEY (partner_id, module, party, object_key)
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-repeats',
    // What a command was answered: one that comes again is answered the same.
    up: () => ['ALTER TABLE taken_commands ADD COLUMN reply json'],
  },
  {
    name: 'ocpi-gateway-quirks',
    up: () => [
      `ALTER TABLE partners ADD COLUMN quirks json NOT NULL DEFAULT '{}'  -- chosen by an operator: name to time`,
      `CREATE TABLE partner_quirks_seen (
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         quirk text NOT NULL,
         times bigint NOT NULL,
         first_at timestamptz NOT NULL,
         last_at timestamptz NOT NULL,
         detail text NOT NULL,             -- of the last
         PRIMARY KEY (partner_id, quirk)
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-location-texts',
    up: () => [
      'CREATE SEQUENCE location_version',
      `CREATE TABLE location_texts (       -- shared Locations as partners have, or are to have, them: each version once for all
         version bigint PRIMARY KEY,
         current text NOT NULL
       )`,
      // Their texts go when no partner has them any more.
      'CREATE TABLE old_versions (version bigint PRIMARY KEY, since timestamptz NOT NULL DEFAULT clock_timestamp())',
      'ALTER TABLE shared_locations ADD COLUMN version bigint',
      `UPDATE shared_locations SET version = nextval('location_version')`,
      'INSERT INTO location_texts (version, current) SELECT version, current FROM shared_locations',
      'ALTER TABLE shared_locations DROP COLUMN current, ALTER COLUMN version SET NOT NULL',
      'ALTER TABLE pushed ADD COLUMN acknowledged_version bigint  -- in place of `acknowledged`, of what is shared',
      'CREATE INDEX pushed_versions ON pushed (acknowledged_version) WHERE acknowledged_version IS NOT NULL',
    ],
  },
  {
    name: 'ocpi-gateway-invited-parties',
    up: () => [
      `ALTER TABLE partners ADD COLUMN invited json NOT NULL DEFAULT '[]'  -- for whom the link is meant: parties, each with its roles`,
      // Who has a link is who an operator linked.
      `UPDATE partners SET invited = (SELECT json_agg(json_build_object('country_code', r->>'country_code', 'party_id', r->>'party_id',
         'roles', json_build_array(r->>'role'))) FROM json_array_elements(roles) r) WHERE state = 'registered' AND json_array_length(roles) > 0`,
    ],
  },
  {
    name: 'ocpi-gateway-push-batches',
    up: () => [],
  },
  {
    name: 'ocpi-gateway-told-positions',
    up: () => [
      // What waits is queued: a lane begins behind all that was there.
      `ALTER TABLE push_lanes ADD COLUMN told bigint NOT NULL DEFAULT 0  -- its position: shared Locations up to this version`,
      'UPDATE push_lanes SET told = (SELECT coalesce(max(version), 0) FROM shared_locations)',
      'CREATE UNIQUE INDEX shared_locations_in_order ON shared_locations (version)',
      'ALTER TABLE location_texts ADD COLUMN object_key text',
      `UPDATE location_texts SET object_key = current::json->>'id'`,
      'ALTER TABLE location_texts ALTER COLUMN object_key SET NOT NULL',
      'CREATE INDEX location_texts_of ON location_texts (object_key, version)',
      'ALTER TABLE old_versions ADD COLUMN replaced_by bigint',
      `UPDATE old_versions o SET replaced_by = (SELECT min(n.version) FROM location_texts t JOIN location_texts n ON n.object_key = t.object_key
        WHERE t.version = o.version AND n.version > o.version)`,
      `UPDATE pushed p SET unclear = true FROM shared_locations s WHERE p.module = 'locations' AND p.shared AND NOT p.queued
        AND s.object_key = p.object_key AND p.acknowledged_version IS DISTINCT FROM s.version`,
      'DROP FUNCTION IF EXISTS push_take(text, text, bigint, int)',
      'DROP FUNCTION IF EXISTS push_settle(text, text, text, int, bigint, bigint, text[], text[], text[], bigint[], bigint)',
      shareLocations,
      takeBatch,
      settleBatch,
    ],
  },
  {
    name: 'ocpi-gateway-tokens-in-order',
    up: () => ['ALTER TABLE partner_tokens ADD COLUMN given bigint GENERATED ALWAYS AS IDENTITY'],
  },
  {
    name: 'ocpi-gateway-current-token-last',
    up: () => [
      // Those that were there were numbered as the table had them.
      `UPDATE partner_tokens t SET given = DEFAULT WHERE kind = 'current'
        AND EXISTS (SELECT FROM partner_tokens o WHERE o.partner_id = t.partner_id AND o.given > t.given)`,
    ],
  },
  {
    name: 'ocpi-gateway-tariffs-turn',
    up: () => [
      // What partners of 2.1.1 were told of Tariffs before there were turns, and the turns of those published by then.
      `SELECT due_add('tariffs turn at an upgrade', 'tariffs turn', 'tariffs-turn', '{}', 0, NULL)`,
    ],
  },
  {
    name: 'ocpi-gateway-links-told',
    // Of links that ended before it was told.
    up: () => [`SELECT due_add('links told at an upgrade', 'links told', 'tell-links', '{}', 0, NULL)`],
  },
  {
    name: 'ocpi-gateway-left-open',
    up: () => [`CREATE INDEX pushed_left_open ON pushed (partner_id) WHERE module = 'sessions' AND NOT queued AND parked IS NULL AND acknowledged IS DISTINCT FROM current`],
  },
  {
    name: 'ocpi-gateway-correlation',
    up: () => ['ALTER TABLE pushed ADD COLUMN correlation_id text  -- of what a hub was told last'],
  },
];
