import type { MigrationList } from '#postgres';
import { endChanges, takeChanges, toldOtherwise } from './pushes/batch-functions.ts';

export const later: MigrationList = [
  // A list that stopped before then begins anew.
  { name: 'ocpi-gateway-pulls-anew', up: () => ['ALTER TABLE pulls ADD COLUMN endpoint text, ADD COLUMN unlinked int NOT NULL DEFAULT 0'] },
  {
    name: 'ocpi-gateway-steering',
    up: () => [
      'ALTER TABLE profile_followers DROP CONSTRAINT profile_followers_pkey, ADD PRIMARY KEY (session_id, partner_id)',
      'ALTER TABLE profile_followers ADD COLUMN obeyed boolean NOT NULL DEFAULT true  -- false: set, and not obeyed yet',
      'ALTER TABLE profile_followers ADD COLUMN steered_by text  -- CA*SMC, who set it by a grant',
      'CREATE INDEX profile_followers_of ON profile_followers (partner_id)',
    ],
  },
  {
    name: 'ocpi-gateway-pull-turns',
    up: () => [
      // A turn was a row that waited for its next time, and what an operator wants, or a start, waited behind it for hours.
      `UPDATE due SET at = retry_at, retry_at = NULL WHERE kind = 'pull' AND done_at IS NULL AND retry_at > at`,
      `UPDATE due_lane l SET wake_at = least(wake_at, (SELECT min(at) FROM due d WHERE d.key = l.key AND done_at IS NULL))
        WHERE key LIKE 'pull %'`,
      // Links of before there were turns had none.
      `SELECT due_add('pull ' || partner_id || ' at an upgrade', 'pull ' || partner_id, 'pull',
          json_build_object('partnerId', partner_id, 'turn', (extract(epoch FROM now()) * 1000)::bigint), 0, NULL)
        FROM partners p WHERE state = 'registered'
          AND NOT EXISTS (SELECT FROM due d WHERE d.key = 'pull ' || p.partner_id AND kind = 'pull' AND done_at IS NULL)`,
    ],
  },
  {
    name: 'ocpi-gateway-steered-sessions',
    up: () => [
      `CREATE TABLE steered_sessions (     -- of our drivers at partners, as smart charging service providers know them
         steered_id text PRIMARY KEY,      -- what stands for it, at one of them
         to_country_code text NOT NULL,
         to_party_id text NOT NULL,
         country_code text NOT NULL,       -- the operator's
         party_id text NOT NULL,
         session_id text NOT NULL,
         operator text NOT NULL,           -- ca*bct
         session_key text NOT NULL
       )`,
      'CREATE INDEX steered_sessions_of ON steered_sessions (operator, session_key)',
      'ALTER TABLE profile_requests ADD COLUMN steered_id text  -- by whose wish; none: that of our driver',
      'ALTER TABLE profile_requests ADD COLUMN profile json     -- of a PUT',
      'ALTER TABLE profile_requests ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY',
    ],
  },
  {
    name: 'ocpi-gateway-withdrawn-profiles',
    up: () => ['ALTER TABLE profile_followers ADD COLUMN withdrawn boolean NOT NULL DEFAULT false  -- the grant is over; steered_by: until it is cleared'],
  },
  {
    name: 'ocpi-gateway-hub-rules',
    up: () => [`CREATE TABLE hub_rules (  -- who meets whom, and who is planned, as at the last start
         one boolean PRIMARY KEY DEFAULT true CHECK (one),
         rules json NOT NULL
       )`],
  },
  {
    name: 'ocpi-gateway-letters-again',
    up: () => [
      'ALTER TABLE pushed ADD COLUMN again_at bigint  -- of what was set aside without a clear no: once more then, platform ms',
      'CREATE INDEX pushed_again ON pushed (lane, again_at) WHERE parked IS NOT NULL AND again_at IS NOT NULL AND NOT queued',
    ],
  },
  {
    name: 'ocpi-gateway-never-went',
    up: () => [`CREATE INDEX pushed_never_went ON pushed (partner_id) WHERE module = 'cdrs' AND NOT queued AND parked IS NULL AND acknowledged IS NULL`],
  },
  {
    name: 'ocpi-gateway-unclaimed-owners',
    up: () => [
      `ALTER TABLE unclaimed_cdrs ADD COLUMN owner text NOT NULL  -- of the token, CA*CPK
         GENERATED ALWAYS AS (upper((current::json->'cdr_token'->>'country_code') || '*' || (current::json->'cdr_token'->>'party_id'))) STORED`,
      'CREATE INDEX unclaimed_cdrs_of ON unclaimed_cdrs (owner)',
    ],
  },
  {
    name: 'ocpi-gateway-alike-lanes',
    up: () => [...toldOtherwise, takeChanges, endChanges],
  },
];
