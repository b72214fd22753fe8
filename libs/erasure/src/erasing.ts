import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, each, Refused } from '#bus';
import {
  type Forgetter, getErasureHolder, type Hindrance, type Kept, noteForgotten, previewErasure,
  type PreviewErasure,
} from '#contracts/erasure';
import type { Database } from '#postgres';
import type { Log } from '#telemetry';
import { type Holder, holderOf } from './holder.ts';
import { Marks } from './marks.ts';

/** What a service holds of somebody. */
export interface Held {
  /** In a person's words, such as "charging sessions", and how many; nothing where there are none. */
  readonly kept: Readonly<Record<string, number>>;
  readonly hindrances?: readonly Pick<Hindrance, 'code' | 'detail'>[];
  /** Sessions at our own stations that are over: the ledger says whether it has billed them. */
  readonly sessionIds?: readonly string[];
}

/** How a service forgets. Both are called again and again, at any time and by many processes. */
export interface Forgetting {
  look(holder: Holder, sessionIds: readonly string[]): Promise<Held>;
  /** Every token of the contract that the service knows, for it may know more than tokens-auth. */
  tokenUids(holder: Holder): Promise<readonly string[]>;
  /** Deletes or blanks what is held; gives what has to come before, if that is not yet there. */
  forget(holder: Holder): Promise<string | undefined>;
  /** Empties what this process holds in memory of anybody who was erased, here or elsewhere. */
  emptyCaches?(): void;
}

export interface ErasingParts {
  readonly service: Forgetter;
  readonly bus: Bus;
  readonly db: Database;
  readonly log: Log;
  /** Of the platform's secret: `settings.key('erasures')`. */
  readonly key: Buffer;
}

/** How often a process looks for what is to be forgotten, here or by others. Real time. */
const LOOK_EVERY_MS = 500;
/**
 * Between the first time and the second: a process that had not heard of the erasure may have written
 * what came late until its next look.
 */
const SETTLES_MS = 2_000;

/** What an erasure asks of one service: docs/adr/0016. */
export class Erasing {
  readonly marks: Marks;
  private readonly closing = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private sweeps = -1;
  /** By erasure, between its sweeps: the first takes away what tells the tokens. */
  private readonly tokensFound = new Map<string, readonly string[]>();
  private forgetting: Forgetting | undefined;

  private constructor(private readonly parts: ErasingParts) {
    this.marks = new Marks(parts.db, parts.key);
  }

  /** Knows who was erased: before the service hears or is asked anything. */
  static async open(parts: ErasingParts): Promise<Erasing> {
    const erasing = new Erasing(parts);
    await erasing.seeOthers();
    return erasing;
  }

  async start(forgetting: Forgetting): Promise<void> {
    const { bus, service } = this.parts;
    this.forgetting = forgetting;
    const answering = await bus.answer(previewErasure(service), (requests) =>
      each(requests, (request) => this.preview(request, forgetting)));
    this.running = this.run(forgetting).finally(() => answering.stop());
  }

  async stop(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  /** Nothing is done yet but to know of it: that is durable with the listener's position. */
  async hear(tx: Pick<Database, 'query'>, erasureId: string, at: string): Promise<void> {
    await tx.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING', [erasureId, at]);
  }

  private async preview({ holder: told, sessionIds }: PreviewErasure, forgetting: Forgetting) {
    const { service } = this.parts;
    const holder = holderOf(told!);
    const held = await forgetting.look(holder, sessionIds);
    const parked = await this.parkedOf(holder, await forgetting.tokenUids(holder));
    const kept = Object.entries(held.kept)
      .filter(([, count]) => count > 0)
      .map(([what, count]): Pick<Kept, 'service' | 'what' | 'count'> => ({ service, what, count: BigInt(count) }));
    return {
      kept,
      hindrances: [...held.hindrances ?? [], ...parked].map((one) => ({ ...one, service })),
      sessionIds: [...held.sessionIds ?? []],
    };
  }

  /** Facts that were set aside say what they say until they are replayed. */
  private async parkedOf({ contractId }: Holder, tokenUids: readonly string[]) {
    const { db, service } = this.parts;
    const { rows } = await db.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM parked WHERE EXISTS (
         SELECT FROM unnest($1::text[]) AS id WHERE position(convert_to(id, 'UTF8') IN fact) > 0)`,
      [[contractId, ...tokenUids]],
    );
    const { n } = rows[0]!;
    if (n === 0) return [];
    return [{ code: 'facts-set-aside', detail: `${n} facts that ${service} set aside name the contract: have them replayed first` }];
  }

  private async run(forgetting: Forgetting): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        if (await this.seeOthers()) await this.sweepAll(forgetting);
      } catch (error) {
        if (!signal.aborted) this.parts.log.warn('an erasure waits', { error: error as Error });
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** What any process of the service forgot is forgotten by this one, too. Answers whether there is something to be forgotten. */
  private async seeOthers(): Promise<boolean> {
    const { rows } = await this.parts.db.query<{ sweeps: number; open: boolean }>({
      name: 'erasures_swept',
      text: `SELECT coalesce(sum(sweeps), 0)::int AS sweeps, coalesce(bool_or(done_at IS NULL), false) AS open FROM erasures`,
    });
    const { sweeps, open } = rows[0]!;
    if (sweeps === this.sweeps) return open;
    await this.marks.load();
    this.forgetting?.emptyCaches?.();
    this.sweeps = sweeps;
    return open;
  }

  private async sweepAll(forgetting: Forgetting): Promise<void> {
    const { rows } = await this.parts.db.query<OpenErasure>({
      name: 'erasures_open',
      text: `SELECT erasure_id AS "erasureId", swept_at IS NOT NULL AS swept,
         coalesce(swept_at > clock_timestamp() - $1 * interval '1 millisecond', false) AS settling
       FROM erasures WHERE done_at IS NULL ORDER BY erasure_id`,
    }, [SETTLES_MS]);
    for (const erasure of rows) if (!erasure.settling) await this.sweep(erasure, forgetting);
  }

  private async sweep({ erasureId, swept }: OpenErasure, forgetting: Forgetting): Promise<void> {
    const { bus, db, log, service } = this.parts;
    const holder = await this.holder(erasureId);
    if (holder) {
      const before = [...holder.tokenUids, ...this.tokensFound.get(erasureId) ?? []];
      const tokenUids = [...new Set([...before, ...await forgetting.tokenUids(holder)])];
      this.tokensFound.set(erasureId, tokenUids);
      await this.marks.note(holder, tokenUids);
      const waitsFor = await forgetting.forget({ ...holder, tokenUids });
      forgetting.emptyCaches?.();
      if (waitsFor !== undefined) await bus.ask(noteForgotten, { erasureId, service, waitsFor });
      if (!swept || waitsFor !== undefined) {
        await db.query(
          'UPDATE erasures SET sweeps = sweeps + 1, swept_at = clock_timestamp() WHERE erasure_id = $1', [erasureId]);
        return;
      }
      await takeStatistics(db, log);
      await bus.ask(noteForgotten, { erasureId, service });
      this.tokensFound.delete(erasureId);
      log.info('a contract is forgotten', { erasure: erasureId });
    }
    await db.query(
      'UPDATE erasures SET sweeps = sweeps + 1, done_at = clock_timestamp() WHERE erasure_id = $1', [erasureId]);
  }

  /** Undefined: all have forgotten, and nobody knows any more whom. */
  private async holder(erasureId: string): Promise<Holder | undefined> {
    try {
      const { holder } = await this.parts.bus.ask(getErasureHolder, { erasureId });
      return holder && holderOf(holder);
    } catch (error) {
      // A platform whose tokens-auth was put back to before the erasure.
      if (error instanceof Refused && error.code === 'unknown-erasure') return undefined;
      throw error;
    }
  }
}

/**
 * PostgreSQL keeps samples of columns for its planner (`pg_stats`): the cards used most, whole Sessions. They outlive
 * their rows until a table has changed by a tenth. What a log says of persons is sealed.
 */
async function takeStatistics(db: Database, log: Log): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT DISTINCT format('%I.%I', schemaname, tablename) AS name FROM pg_stats
     WHERE schemaname = current_schema() AND tablename <> 'events'
       AND coalesce(most_common_vals::text, histogram_bounds::text) IS NOT NULL`,
  );
  for (const { name } of rows) {
    try {
      await db.query('SELECT take_statistics($1::regclass)', [name]);
    } catch (error) {
      // All else is done: whoever runs the database can do this as well.
      log.warn('a table keeps statistics of before an erasure: ANALYZE it', { table: name, error: error as Error });
    }
  }
}

interface OpenErasure {
  readonly erasureId: string;
  readonly swept: boolean;
  readonly settling: boolean;
}
