import type { Database, Tx } from '#postgres';

interface Shared {
  readonly objectKey: string;
  readonly text: string;
  /** Epoch ms. */
  readonly updatedMs: number;
}

/** What Locations are now for all who see them alike, each but where a newer one is there. */
export async function shareTexts(tx: Tx, locations: readonly Shared[]): Promise<void> {
  const keys = locations.map(({ objectKey }) => objectKey);
  const { rows: old } = await tx.query<{ object_key: string; version: bigint }>({
    name: 'push-share-lock', text: 'SELECT object_key, version FROM shared_locations WHERE object_key = ANY ($1) ORDER BY object_key FOR UPDATE',
  }, [keys]);
  const { rows: made } = await tx.query<{ object_key: string }>({
    name: 'push-share',
    text: `WITH given AS (SELECT key, text, ms, nextval('location_version') AS version FROM unnest($1::text[], $2::text[], $3::bigint[]) AS one (key, text, ms)),
        newest AS (INSERT INTO shared_locations AS held (object_key, version, updated_ms) SELECT key, version, ms FROM given ORDER BY key
          ON CONFLICT (object_key) DO UPDATE SET version = excluded.version, updated_ms = excluded.updated_ms
          WHERE held.updated_ms <= excluded.updated_ms RETURNING object_key, version),
        texts AS (INSERT INTO location_texts (version, current) SELECT version, text FROM given JOIN newest USING (version))
      SELECT object_key FROM newest`,
  }, [keys, locations.map(({ text }) => text), locations.map(({ updatedMs }) => updatedMs)]);
  const renewed = new Set(made.map(({ object_key: key }) => key));
  const replaced = old.filter(({ object_key: key }) => renewed.has(key)).map(({ version }) => String(version));
  if (replaced.length === 0) return;
  await tx.query({ name: 'push-share-old', text: 'INSERT INTO old_versions (version) SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING' }, [replaced]);
}

const MOST_KNOWN = 5_000;

/** Texts of shared Locations by their version, which never changes: what all partners are told is read once. */
export class LocationTexts {
  private readonly known = new Map<bigint, string>();

  constructor(private readonly db: Database) {}

  /** What is not there any more is left out. */
  async of(versions: readonly bigint[]): Promise<ReadonlyMap<bigint, string>> {
    const { known, db } = this;
    const texts = new Map<bigint, string>();
    for (const version of versions) if (known.has(version)) texts.set(version, known.get(version)!);
    const missing = [...new Set(versions)].filter((version) => !texts.has(version));
    if (missing.length === 0) return texts;
    const { rows } = await db.query<{ version: bigint; current: string }>({
      name: 'push-texts', text: 'SELECT version, current FROM location_texts WHERE version = ANY ($1::bigint[])',
    }, [missing.map(String)]);
    for (const { version, current } of rows) {
      if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!);
      known.set(version, current);
      texts.set(version, current);
    }
    return texts;
  }
}

/** Whoever reads one that was just replaced still finds it. */
const KEPT_S = 60;

/** Texts that are replaced and that no partner has any more. */
export async function sweepTexts(db: Database): Promise<void> {
  await db.query(
    `WITH gone AS (DELETE FROM old_versions o WHERE since < clock_timestamp() - $1::int * interval '1 s'
        AND NOT EXISTS (SELECT FROM pushed p WHERE p.acknowledged_version = o.version) RETURNING version)
      DELETE FROM location_texts t USING gone WHERE t.version = gone.version`, [KEPT_S],
  );
}
