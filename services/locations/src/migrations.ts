import { busMigrations } from '#bus';
import { erasureMigrations } from '#erasure';
import type { MigrationList } from '#postgres';

// Ids in keys are lower case, as `idKey` writes them: OCPI compares without case.
const locations: MigrationList = [
  {
    name: 'locations-1-locations',
    up: () => [
      `CREATE TABLE locations (
         party text NOT NULL,         -- ca*bct
         location_id text NOT NULL,
         own boolean NOT NULL,
         last_updated timestamptz NOT NULL,
         location text NOT NULL,      -- the OCPI Location's JSON
         created bigint GENERATED ALWAYS AS IDENTITY,
         PRIMARY KEY (party, location_id)
       )`,
      'CREATE INDEX locations_own_by_creation ON locations (created) WHERE own',
      `CREATE TABLE evses (
         party text NOT NULL,
         location_id text NOT NULL,
         evse_uid text NOT NULL,      -- as the Location writes it
         published boolean NOT NULL,
         status text NOT NULL,
         standards text[] NOT NULL,
         latitude double precision NOT NULL,
         longitude double precision NOT NULL,
         PRIMARY KEY (party, location_id, evse_uid)
       )`,
      'CREATE INDEX evses_by_place ON evses (latitude, longitude)',
    ],
  },
  {
    name: 'locations-2-stations',
    up: () => [
      `CREATE TABLE plugs (
         station_id text NOT NULL,
         station_connector int NOT NULL,
         location_id text NOT NULL,   -- of ours, as the Location writes it; so are the next two
         evse_uid text NOT NULL,
         connector_id text NOT NULL,
         PRIMARY KEY (station_id, station_connector)
       )`,
      'CREATE INDEX plugs_by_evse ON plugs (location_id, evse_uid)',
      `CREATE TABLE stations (
         station_id text PRIMARY KEY,
         connected boolean NOT NULL,
         epoch bigint NOT NULL
       )`,
      `CREATE TABLE plug_states (
         station_id text NOT NULL,
         station_connector int NOT NULL, -- 0 = the whole station
         status text NOT NULL,
         at timestamptz NOT NULL,
         PRIMARY KEY (station_id, station_connector)
       )`,
    ],
  },
  {
    name: 'locations-3-own-by-party',
    up: () => ['CREATE INDEX locations_own_by_party ON locations (party, created) WHERE own'],
  },
  {
    name: 'locations-4-private',
    up: () => [
      `ALTER TABLE locations ADD COLUMN private boolean NOT NULL DEFAULT false`,
      // Of what is not published: publish_allowed_to, as allowed.ts compares it.
      'ALTER TABLE evses ADD COLUMN allowed_to jsonb',
    ],
  },
  {
    name: 'locations-5-own-membership',
    up: () => [
      // Another number whenever one of our own Locations comes, goes, or turns private or back: until then none is counted again.
      'CREATE TABLE own_membership (version bigint NOT NULL)',
      'INSERT INTO own_membership VALUES (0)',
      `CREATE FUNCTION own_membership_changes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
       BEGIN
         IF TG_OP = 'INSERT' THEN
           UPDATE own_membership SET version = version + 1 WHERE EXISTS (SELECT FROM fresh WHERE own);
         ELSE
           UPDATE own_membership SET version = version + 1;
         END IF;
         RETURN NULL;
       END $$`,
      `CREATE TRIGGER own_comes AFTER INSERT ON locations REFERENCING NEW TABLE AS fresh
         FOR EACH STATEMENT EXECUTE FUNCTION own_membership_changes()`,
      `CREATE TRIGGER own_turns AFTER UPDATE ON locations FOR EACH ROW
         WHEN ((OLD.own OR NEW.own) AND (OLD.own, OLD.private, OLD.party, OLD.location_id) <> (NEW.own, NEW.private, NEW.party, NEW.location_id))
         EXECUTE FUNCTION own_membership_changes()`,
      `CREATE TRIGGER own_goes AFTER DELETE ON locations FOR EACH ROW WHEN (OLD.own) EXECUTE FUNCTION own_membership_changes()`,
      `CREATE TRIGGER own_all_go AFTER TRUNCATE ON locations FOR EACH STATEMENT EXECUTE FUNCTION own_membership_changes()`,
    ],
  },
  {
    name: 'locations-6-own-by-update',
    // For lists by date_from and date_to: the last few of 300,000, and how many they are, without passing over all.
    up: () => ['CREATE INDEX locations_own_by_update ON locations (last_updated) WHERE own'],
  },
  {
    name: 'locations-7-compressed-by-lz4',
    // A Location is written anew with each status of its EVSEs: half of what that cost was compressing it. Not every server can.
    up: () => [
      `DO $$ BEGIN
         IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
           ALTER TABLE locations ALTER COLUMN location SET COMPRESSION lz4;
         END IF;
       END $$`,
      // Room in each page for the next status of its rows, which then needs no entry in an index.
      'ALTER TABLE evses SET (fillfactor = 80)',
    ],
  },
  {
    name: 'locations-8-own-by-creation-alone',
    // Whoever asks by an offset of its own has all before it passed over: by the index alone, whether private or not.
    up: () => [
      'DROP INDEX locations_own_by_creation',
      'CREATE INDEX locations_own_by_creation ON locations (created) INCLUDE (private) WHERE own',
    ],
  },
  {
    name: 'locations-9-before',
    up: () => [
      // Our own as they were described until then: a station may tell of a charge long after it began.
      `CREATE TABLE locations_before (
         party text NOT NULL,
         location_id text NOT NULL,
         until timestamptz NOT NULL,
         location text NOT NULL,
         PRIMARY KEY (party, location_id, until)
       )`,
    ],
  },
  {
    name: 'locations-10-status-beside',
    // As its owner wrote it, with the status. Of partners' EVSEs this is newer than the Location's JSON where only the status
    // changed; NULL where the JSON alone says it.
    up: () => ['ALTER TABLE evses ADD COLUMN last_updated text'],
  },
  {
    name: 'locations-11-taken',
    // When it came: a list that was asked for before says nothing of it.
    up: () => ['locations', 'evses'].map((table) => `ALTER TABLE ${table} ADD COLUMN taken_at timestamptz NOT NULL DEFAULT now()`),
  },
  {
    name: 'locations-12-links',
    // Partners' parties whose link has ended, as the ocpi-gateway tells; in lower case.
    up: () => ['CREATE TABLE parties_without_link (party text PRIMARY KEY)'],
  },
];

export const migrations: MigrationList = [...busMigrations, ...erasureMigrations, ...locations];
