import { intArray, textArray, type Tx } from '#postgres';
import { isAlike, KNOWN_FOR_MS, notSeen } from './batch-functions.ts';
import type { SharedLocations } from './queue-rows.ts';

/** Locations, by who sees them alike. */
const MOST_KNOWN = 200_000;

/**
 * Which Locations all of a group of partners are told by their lanes' positions alone: nothing has to be looked up, or queued by
 * itself, when such a one changes. Remembered as long as no row says otherwise since (`told_otherwise`).
 */
export class AlikeReceivers {
  private known = new Map<string, Set<string>>();
  private seen: string | undefined;
  private sinceMs = 0;
  private count = 0;

  /** Those of these that are not known to be told so; `learn`, when they are queued, looks up of which that is so by then. */
  async unknown(tx: Tx, groups: readonly SharedLocations[]): Promise<{ unknown: SharedLocations[]; learn: () => Promise<void> }> {
    if (performance.now() - this.sinceMs > KNOWN_FOR_MS || this.count > MOST_KNOWN) this.forget();
    const partnerIds = groups.flatMap((group) => group.partnerIds);
    const { rows: [row] } = await tx.query<{ now: string; otherwise: boolean }>({
      name: 'push-told-otherwise',
      text: `SELECT pg_current_snapshot()::text AS now, EXISTS (SELECT FROM unnest($1::text[]) AS held (partner_id)
        WHERE ${notSeen('$2::pg_snapshot')}) AS otherwise`,
    }, [textArray(partnerIds), this.seen ?? null]);
    if (row!.otherwise) this.forget();
    this.seen ??= row!.now;
    // What is learnt for what was forgotten meanwhile is forgotten, too.
    const { known } = this;
    const unknown = groups
      .map((group) => ({ ...group, objects: group.objects.filter(({ objectKey }) => !known.get(nameOf(group))?.has(objectKey)) }))
      .filter(({ objects }) => objects.length > 0);
    return { unknown, learn: () => this.learn(tx, unknown, known) };
  }

  private async learn(tx: Tx, groups: readonly SharedLocations[], known: Map<string, Set<string>>): Promise<void> {
    if (groups.length === 0) return;
    const given = groups.flatMap(({ objects }, group) => objects.map(({ objectKey }) => ({ objectKey, group })));
    const receivers = groups.flatMap(({ partnerIds }, group) => partnerIds.map((id) => ({ id, group })));
    const { rows } = await tx.query<{ place: bigint }>({
      name: 'push-alike',
      text: `SELECT place FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS given (object_key, "group", place)
        WHERE NOT EXISTS (SELECT FROM unnest($3::text[], $4::int[]) AS receiver (id, "group") WHERE receiver."group" = given."group"
          AND (SELECT ${isAlike('p')} FROM pushed p WHERE p.partner_id = receiver.id AND p.module = 'locations' AND p.object_key = given.object_key) IS NOT TRUE)`,
    }, [
      textArray(given.map(({ objectKey }) => objectKey)), intArray(given.map(({ group }) => group)),
      textArray(receivers.map(({ id }) => id)), intArray(receivers.map(({ group }) => group)),
    ]);
    for (const { place } of rows) {
      const { objectKey, group } = given[Number(place) - 1]!;
      const name = nameOf(groups[group]!);
      known.set(name, (known.get(name) ?? new Set()).add(objectKey));
    }
    this.count += rows.length;
  }

  private forget(): void {
    this.known = new Map();
    this.seen = undefined;
    this.sinceMs = performance.now();
    this.count = 0;
  }
}

function nameOf({ partnerIds }: SharedLocations): string {
  return partnerIds.join(' ');
}
