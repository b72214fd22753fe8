import type { Database } from '#postgres';

/** A version of a shared Location. */
export interface Change {
  readonly version: bigint;
  readonly objectKey: string;
  readonly text: string;
  /** The version that it replaced. */
  readonly before: bigint | undefined;
}

/** What changed behind a lane's position. */
export interface Changed {
  /** Each Location once, as it is now, in the order of versions. */
  readonly changes: readonly Change[];
  /** Where the position may move when all of it is acknowledged. */
  readonly upto: bigint;
}

/** Kept in memory: the newest. */
const MOST_KNOWN = 5_000;
/** Read at once. */
const PAGE = 1_000;

/** Shared Locations' newest versions in their order, read once for all lanes: who has seen one has seen all before it. */
export class Changes {
  private order: Change[] = [];
  private readonly known = new Map<bigint, Change>();
  /** All that came after it is known. */
  private from: bigint | undefined;
  private reading: Promise<void> | undefined;

  constructor(private readonly db: Database) {}

  /**
   * What changed behind a position. Undefined where that is more than `most` Locations, or so long ago that it is not known here: what
   * a lane was told in part is for rows to say.
   */
  async behind(told: bigint, most: number): Promise<Changed | undefined> {
    // Who comes while it is read may need what was committed since.
    await this.reading;
    await (this.reading ??= this.read(told).finally(() => (this.reading = undefined)));
    if (told < this.from!) return undefined;
    const behind = this.order.slice(this.placeAfter(told));
    const newest = new Map(behind.map((one) => [one.objectKey, one]));
    if (newest.size > most) return undefined;
    const changes = behind.filter((one) => newest.get(one.objectKey) === one);
    return { changes, upto: behind.at(-1)?.version ?? told };
  }

  /** The version of which a partner was told before whose lane is there: the newest up to it. */
  toldBefore({ before }: Change, told: bigint): bigint | undefined {
    let had = before;
    while (had !== undefined && had > told) had = this.known.get(had)?.before;
    return had;
  }

  textOf(version: bigint): string | undefined {
    return this.known.get(version)?.text;
  }

  private async read(told: bigint): Promise<void> {
    this.from ??= told;
    for (let more = true; more;) {
      const { rows } = await this.db.query<{ version: bigint; object_key: string; current: string; before: bigint | null }>({
        name: 'push-changes',
        text: `SELECT t.version, t.object_key, t.current, (SELECT v.version FROM location_texts v
            WHERE v.object_key = t.object_key AND v.version < t.version ORDER BY v.version DESC LIMIT 1) AS before
          FROM location_texts t WHERE t.version > $1 ORDER BY t.version LIMIT ${PAGE}`,
      }, [String(this.order.at(-1)?.version ?? this.from)]);
      for (const { version, object_key: objectKey, current: text, before } of rows) {
        const change = { version, objectKey, text, before: before ?? undefined };
        this.order.push(change);
        this.known.set(version, change);
      }
      more = rows.length === PAGE;
      if (more) await this.leap();
    }
    if (this.order.length > MOST_KNOWN) this.forget(this.order.length - MOST_KNOWN / 2);
  }

  /** To the newest, where those between would be read only to be forgotten. */
  private async leap(): Promise<void> {
    const { rows: [last] } = await this.db.query<{ newest: bigint }>('SELECT max(version) AS newest FROM location_texts');
    if (last!.newest - this.order.at(-1)!.version <= BigInt(MOST_KNOWN)) return;
    this.forget(this.order.length);
    this.from = last!.newest - BigInt(MOST_KNOWN / 2);
  }

  private forget(count: number): void {
    const gone = this.order.splice(0, count);
    for (const { version } of gone) this.known.delete(version);
    this.from = gone.at(-1)!.version;
  }

  private placeAfter(told: bigint): number {
    let [low, high] = [0, this.order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.order[middle]!.version <= told) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
