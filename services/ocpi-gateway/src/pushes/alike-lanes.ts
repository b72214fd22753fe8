import { randomUUID } from 'node:crypto';
import { type Database, textArray } from '#postgres';
import { KNOWN_FOR_MS } from './batch-functions.ts';
import { Changes } from './changes.ts';
import { type Batch, namesOf, type Taken, type Waiting } from './lane-rows.ts';
import type { PushedKey } from './pushed-rows.ts';
import type { LocationTexts } from './text-rows.ts';

/** Of a lane whose batches say only what all partners see alike. */
interface AlikeLane {
  /** Its position. */
  told: bigint;
  /** As the database was when it was looked at first: what was written since is seen by it. */
  seen: string | undefined;
  readonly sinceMs: number;
  /** Locations that it is told by its position alone, and their keys. */
  readonly known: Map<string, PushedKey>;
}

/** In all lanes. */
const MOST_KNOWN = 200_000;

/**
 * The short way for what is pushed most: changes of Locations that partners see alike. What changed is read once for all lanes, and
 * that a lane is told of a Location by its position alone is remembered, as long as no row says otherwise since
 * (`told_otherwise`). A batch is taken and ended by a look at the lane's own row. Whatever is not so goes the long way, by `takeBatch`.
 */
export class AlikeLanes {
  private readonly lanes = new Map<string, AlikeLane>();
  private readonly changes: Changes;
  private known = 0;

  constructor(private readonly db: Database, private readonly texts: LocationTexts) {
    this.changes = new Changes(db);
  }

  /**
   * How a lane stands behind a batch that went the long way. Where that took one object, to see whether the line is up, the lane may
   * have passed by what others were told of and is not there any more: what it was told before only rows say.
   */
  stands({ lane, partnerId, upto: told, failures }: Taken): void {
    if (lane !== partnerId || told === undefined || failures > 0) return this.forget(lane);
    const held = this.lanes.get(lane);
    if (held) held.told = told;
    else this.lanes.set(lane, { told, seen: undefined, sinceMs: performance.now(), known: new Map() });
  }

  /** The next batch of a lane that says only what is seen alike. Undefined: there is none, or it is not known to be one. */
  async take(
    { lane, partnerId, hold }: Pick<Taken, 'lane' | 'partnerId' | 'hold'>, { now, most }: { now: number; most: number },
  ): Promise<Batch | undefined> {
    const held = this.lanes.get(lane);
    if (!held) return undefined;
    if (performance.now() - held.sinceMs > KNOWN_FOR_MS || this.known > MOST_KNOWN) return this.forget(lane);
    // The long way takes all up to (most - 1) * 8, of more the next versions: then this much is left at least, and the same may be so.
    const behind = await this.changes.behind(held.told, (most - 1) * 8 - most);
    if (!behind || behind.changes.length === 0) return undefined;
    const { upto } = behind;
    const otherwise = await this.seenOtherwise(partnerId, behind.changes.map(({ objectKey }) => objectKey).filter((key) => !held.known.has(key)));
    const changes = behind.changes.filter(({ objectKey }) => !otherwise.has(objectKey));
    if (changes.length === 0) return undefined;
    const unknown = changes.filter(({ objectKey }) => !held.known.has(objectKey)).map(({ objectKey }) => objectKey);
    const batch = randomUUID();
    const keys = changes.map(({ objectKey }) => held.known.get(objectKey) ?? { partnerId, module: 'locations' as const, objectKey });
    const { rows: [row] } = await this.db.query<{ seen: string | null }>(
      { name: 'lane-take-changes', text: 'SELECT push_take_changes($1, $2, $3, $4, $5, $6, $7) AS seen' },
      [lane, batch, String(held.told), Math.floor(now), held.seen ?? null, textArray(unknown), textArray(namesOf(keys)!)],
    );
    if (row!.seen === null) return this.forget(lane);
    held.seen ??= row!.seen;
    for (const key of keys) held.known.set(key.objectKey, key);
    this.known += unknown.length;
    const had = changes.map((change) => this.changes.toldBefore(change, held.told));
    const older = await this.texts.of(had.filter((version) => version !== undefined).filter((version) => this.changes.textOf(version) === undefined));
    const waiting = changes.map(({ version, text }, n): Waiting => {
      const acknowledged = had[n] === undefined ? undefined : this.changes.textOf(had[n]) ?? older.get(had[n]);
      return {
        key: keys[n]!, version, current: text, shared: true, queued: false, refusals: 0, attempts: 0, waits: 0, queuedMs: 0, acknowledged,
        // What it was told is not known any more.
        unclear: had[n] !== undefined && acknowledged === undefined,
      };
    });
    return { taken: { lane, partnerId, batch, hold, failures: 0, cdrUrl: undefined, upto, isAlike: true }, waiting };
  }

  /**
   * Those of these Locations that a partner does not see as others do, or is told of by themselves: their changes are passed by. One that
   * is seen so from now on is queued by itself, and what is said then is no older.
   */
  private async seenOtherwise(partnerId: string, objectKeys: readonly string[]): Promise<ReadonlySet<string>> {
    if (objectKeys.length === 0) return new Set();
    const { rows } = await this.db.query<{ key: string }>({
      name: 'lane-seen-otherwise',
      text: `SELECT key FROM unnest($2::text[]) AS key WHERE (SELECT p.shared AND NOT p.queued FROM pushed p
        WHERE p.partner_id = $1 AND p.module = 'locations' AND p.object_key = key) IS NOT TRUE`,
    }, [partnerId, textArray(objectKeys)]);
    return new Set(rows.map(({ key }) => key));
  }

  /** A batch was acknowledged as a whole: 'ended', or 'lost' to somebody else, or to be noted row by row. */
  async end({ lane, batch, upto }: Taken): Promise<'ended' | 'lost' | undefined> {
    const held = this.lanes.get(lane);
    if (!held) return undefined;
    const { rows: [row] } = await this.db.query<{ ended: boolean | null }>(
      { name: 'lane-end-changes', text: 'SELECT push_end_changes($1, $2, $3, $4) AS ended' }, [lane, batch, String(upto), held.seen],
    );
    if (row!.ended) {
      held.told = upto!;
      return 'ended';
    }
    this.forget(lane);
    return row!.ended === null ? 'lost' : undefined;
  }

  /** It is not known any more how a lane stands. */
  forget(lane: string): undefined {
    this.known -= this.lanes.get(lane)?.known.size ?? 0;
    this.lanes.delete(lane);
  }
}
