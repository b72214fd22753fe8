import { bigintArray, type Database, textArray, type Tx } from '#postgres';

interface Shared {
  readonly objectKey: string;
  readonly text: string;
  /** Epoch ms. */
  readonly updatedMs: number;
}

/** What Locations are now for all who see them alike: see `shareLocations`. */
export async function shareTexts(tx: Tx, locations: readonly Shared[]): Promise<void> {
  await tx.query({ name: 'push-share', text: 'SELECT push_share($1, $2, $3)' }, [
    textArray(locations.map(({ objectKey }) => objectKey)), textArray(locations.map(({ text }) => text)),
    bigintArray(locations.map(({ updatedMs }) => BigInt(updatedMs))),
  ]);
}

const MOST_KNOWN = 5_000;

/** Texts of shared Locations by their version, which never changes: what all partners are told is read once. */
export class LocationTexts {
  private readonly known = new Map<bigint, string>();

  constructor(private readonly db: Database) {}

  /** At least these; what is not there any more is left out. To be read at once: what it is may go. */
  async of(versions: readonly bigint[]): Promise<ReadonlyMap<bigint, string>> {
    const { known, db } = this;
    const missing = [...new Set(versions.filter((version) => !known.has(version)))];
    if (missing.length === 0) return known;
    // What is known now may be forgotten before the others are read.
    const texts = new Map(versions.filter((version) => known.has(version)).map((version) => [version, known.get(version)!]));
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

/**
 * Texts that are replaced and that no partner has any more: by its lane's position (of one that is sending, any behind
 * it), or by its row. What replaced one may have gone before it, where nobody had that: a position may have passed that by.
 */
export async function sweepTexts(db: Database): Promise<void> {
  await db.query(
    `WITH lanes AS MATERIALIZED (SELECT told, sending IS NOT NULL AS is_sending FROM push_lanes WHERE lane = partner_id),
      old AS MATERIALIZED (SELECT version, (SELECT min(n.version) FROM location_texts n WHERE n.object_key = t.object_key AND n.version > t.version) AS next
        FROM old_versions JOIN location_texts t USING (version) WHERE since < clock_timestamp() - $1::int * interval '1 s'),
      gone AS (DELETE FROM old_versions o USING old WHERE o.version = old.version
        AND NOT EXISTS (SELECT FROM lanes WHERE told < old.next AND (told >= old.version OR is_sending))
        AND NOT EXISTS (SELECT FROM pushed p WHERE p.acknowledged_version = old.version) RETURNING o.version)
      DELETE FROM location_texts t USING gone WHERE t.version = gone.version`, [KEPT_S],
  );
  // Whoever has not seen what goes sees in its place, by no clock, that something went.
  await db.query(
    `WITH gone AS (DELETE FROM told_otherwise WHERE at < clock_timestamp() - interval '10 min' RETURNING partner_id)
      INSERT INTO told_otherwise (partner_id) SELECT DISTINCT partner_id FROM gone`,
  );
}
