import type { MigrationList } from '#postgres';

/** Partners, what is pushed to them and pulled, commands, a hub's objects, charging profiles: as they were at first. */
export const first: MigrationList = [
  {
    name: 'ocpi-gateway-1-partners',
    up: () => [
      `CREATE TABLE partners (
         partner_id text PRIMARY KEY,
         name text NOT NULL,
         state text NOT NULL,              -- invited, registering, registered, unregistered
         version text NOT NULL DEFAULT '',
         versions_url text NOT NULL DEFAULT '',
         roles json NOT NULL DEFAULT '[]',      -- OCPI CredentialsRole
         endpoints json NOT NULL DEFAULT '[]',  -- OCPI Endpoint
         token_out bytea,                  -- what we present, AES-256-GCM
         last_error text NOT NULL DEFAULT '',
         created bigint GENERATED ALWAYS AS IDENTITY
       )`,
      // What partners present, as a keyed hash: a stolen database opens no door.
      `CREATE TABLE partner_tokens (
         hash bytea PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         kind text NOT NULL                -- registration (TOKEN_A), current, old (until current is used)
       )`,
      'CREATE INDEX partner_tokens_of ON partner_tokens (partner_id)',
    ],
  },
  {
    name: 'ocpi-gateway-2-pushed',
    up: () => [
      `CREATE TABLE pushed (
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         module text NOT NULL,
         object_key text NOT NULL,
         current text,                     -- the OCPI object as it is; NULL: withdrawn
         acknowledged text,                -- as the partner last acknowledged it
         unclear boolean NOT NULL DEFAULT false,  -- the last request may have been taken
         queued boolean NOT NULL,          -- an open due row will compare the two
         n int NOT NULL DEFAULT 1,         -- counts those due rows
         refusals int NOT NULL DEFAULT 0,  -- in a row
         parked text,                      -- why it is set aside
         location_url text,                -- of a CDR, by the partner
         PRIMARY KEY (partner_id, module, object_key)
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-3-commands',
    up: () => [
      `CREATE TABLE taken_commands (       -- partners' commands to us
         order_id text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         command text NOT NULL,
         response_url text NOT NULL,
         correlation_id text NOT NULL,
         routing json NOT NULL,            -- of the callback
         response text,                    -- CommandResponseType, once known
         answered boolean NOT NULL DEFAULT false,  -- the response is out
         taken_at timestamptz NOT NULL
       )`,
      `CREATE TABLE sent_commands (        -- ours to partners
         order_id text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         command text NOT NULL,
         sent json                         -- how it ended, once known
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-4-unclaimed',
    up: () => [
      `CREATE TABLE unclaimed_cdrs (       -- of token owners whom no registered partner has yet
         cdr_id text PRIMARY KEY,
         current text NOT NULL
       )`,
    ],
  },
  {
    name: 'ocpi-gateway-letters',
    up: () => [
      `ALTER TABLE pushed ADD COLUMN queued_at timestamptz,  -- since when it waits
         ADD COLUMN attempts int NOT NULL DEFAULT 0,          -- of what waits, that came to nothing
         ADD COLUMN parked_at timestamptz`,
      'CREATE INDEX pushed_parked ON pushed (partner_id, parked_at) WHERE parked IS NOT NULL',
      'CREATE INDEX pushed_queued ON pushed (partner_id, queued_at) WHERE queued',
    ],
  },
  {
    name: 'ocpi-gateway-hub',
    up: () => [
      'ALTER TABLE partners ADD COLUMN heard_at timestamptz',
      `CREATE TABLE client_infos (         -- OCPI ClientInfo: a hub's members, and who is behind a partner that is a hub
         country_code text NOT NULL,
         party_id text NOT NULL,
         role text NOT NULL,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         behind boolean NOT NULL,
         has_own_link boolean NOT NULL DEFAULT false,  -- of one behind: then it is heard there alone
         status text NOT NULL,
         last_updated timestamptz NOT NULL,
         created bigint GENERATED ALWAYS AS IDENTITY,
         PRIMARY KEY (country_code, party_id, role, partner_id)
       )`,
      'CREATE INDEX client_infos_of ON client_infos (partner_id)',
      `CREATE TABLE hub_objects (          -- what was told to everybody; nothing else that passes is kept
         module text NOT NULL,
         country_code text NOT NULL,
         party_id text NOT NULL,
         object_key text NOT NULL,
         object text NOT NULL,
         last_updated timestamptz NOT NULL,
         created bigint GENERATED ALWAYS AS IDENTITY,
         PRIMARY KEY (module, country_code, party_id, object_key)
       )`,
      'CREATE INDEX hub_objects_by_key ON hub_objects (module, object_key)',
      'CREATE INDEX hub_objects_in_order ON hub_objects (module, created)',
      `CREATE TABLE hub_places (           -- whose Session, reservation, Location an id is
         what text NOT NULL,
         id text NOT NULL,
         country_code text NOT NULL,
         party_id text NOT NULL,
         until timestamptz NOT NULL,
         PRIMARY KEY (what, id, country_code, party_id)
       )`,
      `CREATE TABLE crossings (            -- a member's URLs that another calls through the hub
         id text PRIMARY KEY,
         holder text NOT NULL,
         owner text NOT NULL,
         country_code text NOT NULL,
         party_id text NOT NULL,
         url text NOT NULL,
         until timestamptz                 -- NULL: for ever, a CDR's Location
       )`,
      'CREATE INDEX crossings_until ON crossings (until)',
    ],
  },
  {
    name: 'ocpi-gateway-pulls',
    up: () => [
      `CREATE TABLE pulls (
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         module text NOT NULL,
         of_party text NOT NULL,           -- of one party behind a hub; '': of all
         since timestamptz,                -- what changed before is here
         full_at timestamptz,              -- the last whole list
         url text,                         -- of the page under way
         full_run boolean NOT NULL,
         started_at timestamptz NOT NULL,
         ended_at timestamptz,
         objects int NOT NULL DEFAULT 0,
         differences int NOT NULL DEFAULT 0,
         error text NOT NULL DEFAULT '',
         PRIMARY KEY (partner_id, module, of_party)
       )`,
      `CREATE TABLE pull_seen (            -- what whole lists held
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         module text NOT NULL,
         of_party text NOT NULL,
         party text NOT NULL,
         object_key text NOT NULL,
         now boolean NOT NULL,             -- in the one under way, or the last
         PRIMARY KEY (partner_id, module, of_party, party, object_key)
       )`,
      `CREATE TABLE pull_differences (
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         module text NOT NULL,
         object_key text NOT NULL,
         what text NOT NULL,
         detail text NOT NULL,
         at timestamptz NOT NULL,
         created bigint GENERATED ALWAYS AS IDENTITY
       )`,
      'CREATE INDEX pull_differences_of ON pull_differences (partner_id, created)',
    ],
  },
  {
    name: 'ocpi-gateway-versions',
    up: () => [
      `CREATE TABLE not_carried (           -- what a partner's version of OCPI could not say
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         what text NOT NULL,
         first_at timestamptz NOT NULL,
         PRIMARY KEY (partner_id, what)
       )`,
      `CREATE TABLE sent_tokens (           -- in START_SESSIONs of 2.1.1, whose Sessions name the contract alone
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         contract_key text NOT NULL,
         evse_key text NOT NULL,
         uid text NOT NULL,
         type text NOT NULL,
         sent_at timestamptz NOT NULL
       )`,
      'CREATE INDEX sent_tokens_of ON sent_tokens (partner_id, contract_key, sent_at)',
    ],
  },
  {
    name: 'ocpi-gateway-profiles',
    up: () => [
      `CREATE TABLE profile_followers (    -- who set a profile for a session of ours that was obeyed
         session_id text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         routing json NOT NULL             -- of what is pushed
       )`,
      `CREATE TABLE profile_requests (     -- ours to partners, about our drivers' sessions there
         order_id text PRIMARY KEY,
         partner_id text NOT NULL REFERENCES partners ON DELETE CASCADE,
         party text NOT NULL,
         country_code text NOT NULL,
         party_id text NOT NULL,
         session_id text NOT NULL,
         method text NOT NULL,
         requested_at timestamptz NOT NULL,
         sent json,                        -- how it was answered, once known
         result text                       -- OCPI ChargingProfileResultType, once told
       )`,
      'CREATE INDEX profile_requests_of ON profile_requests (party, session_id, requested_at)',
      'CREATE INDEX profile_requests_at ON profile_requests (partner_id, session_id)',
      `CREATE TABLE partner_profiles (     -- of those sessions, as the partner told it last
         party text NOT NULL,
         session_id text NOT NULL,
         active text NOT NULL,             -- OCPI ActiveChargingProfile
         told_at timestamptz NOT NULL,
         PRIMARY KEY (party, session_id)
       )`,
    ],
  },
];
