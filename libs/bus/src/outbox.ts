import { randomUUID } from 'node:crypto';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { byteaArray, type Database, textArray, type Tx } from '#postgres';
import { currentTraceparent } from '#telemetry';
import type { Context, TellContract } from './contract.ts';
import type { Fact } from './fact.ts';
import { kindOf } from './subjects.ts';
import type { TellSource, ToldRow, ToldRows } from './tell-source.ts';

/** A fact about a mirrored row. */
export interface MirroredFact extends Fact {
  /**
   * What the fact is the whole state of, such as an EVSE, or the news of: once a later fact says more
   * of the same, this one may go when the stream has let go of it. Absent: kept for ever.
   */
  readonly about?: string;
}

/** The log of a service that mirrors what others decide. */
export interface Outbox extends TellSource {
  /**
   * Tells in the caller's transaction, in this order. From here to the commit whoever else tells
   * waits, so let it be the transaction's last statement.
   */
  tell(tx: Tx, facts: readonly MirroredFact[]): Promise<void>;
  /**
   * Empties the rows of facts of these contracts that `matches` picks: they are never told again. A
   * row itself stays, since the stream's end is found by it. What JetStream holds goes with its
   * retention.
   */
  forget<F extends DescMessage>(contract: TellContract<F>, matches: (fact: MessageShape<F>) => boolean): Promise<void>;
  /** How many rows `forget` would empty. */
  count<F extends DescMessage>(contract: TellContract<F>, matches: (fact: MessageShape<F>) => boolean): Promise<number>;
}

/** Another process tells its rows itself: they are looked for in case that it was ended before it had. Our own are seen at once. */
const POLL_MS = 1_000;
const PAGE_ROWS = 500;
/** The kind of a row that was emptied; no contract has it. */
const FORGOTTEN = '';

interface OutboxRow {
  position: bigint;
  id: string;
  key: string;
  kind: string;
  fact: Uint8Array;
  trace: string | null;
  at: string;
}

/** A table of the service's schema (`busMigrations`) as the context's log. */
export function outbox(context: Context, db: Database): Outbox {
  /** Of our own commits: a follower that has not looked since looks at once. */
  let commits = 0;
  let wake = () => {};
  const committed = () => {
    commits += 1;
    wake();
  };

  async function readAfter(after: bigint, limit: number): Promise<ToldRows> {
    const { rows } = await db.query<OutboxRow>(
      {
        name: 'outbox-read',
        text: `SELECT position, id, key, kind, fact, trace, at FROM outbox
          WHERE position > $1 ORDER BY position LIMIT $2`,
      },
      [after, limit],
    );
    return {
      rows: rows.filter(({ kind }) => kind !== FORGOTTEN).map(toldRow),
      position: rows.at(-1)?.position ?? after,
      end: rows.length < limit,
    };
  }

  /** Positions of the facts that are picked, a page of rows at a time. */
  async function* pick<F extends DescMessage>(contract: TellContract<F>, matches: (fact: MessageShape<F>) => boolean) {
    for (let after = 0n; ;) {
      const { rows } = await db.query<{ position: bigint; fact: Uint8Array }>(
        'SELECT position, fact FROM outbox WHERE position > $1 AND kind = $2 ORDER BY position LIMIT $3',
        [after, kindOf(contract), PAGE_ROWS],
      );
      yield rows.filter(({ fact }) => matches(fromBinary(contract.fact, fact))).map(({ position }) => position);
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1)!.position;
    }
  }

  return {
    context,
    readAfter,

    async tell(tx, facts) {
      if (facts.length === 0) return;
      const foreign = facts.find((fact) => fact.contract.context !== context);
      if (foreign) {
        throw new TypeError(
          `${foreign.contract.context} ${kindOf(foreign.contract)} is told in the outbox of ${context}`,
        );
      }
      await tx.query({ name: 'outbox-tell', text: 'SELECT outbox_tell($1, $2, $3, $4, $5, $6)' }, [
        textArray(facts.map(() => randomUUID())),
        textArray(facts.map((fact) => fact.key)),
        textArray(facts.map((fact) => kindOf(fact.contract))),
        textArray(facts.map((fact) => fact.about)),
        byteaArray(facts.map((fact) => fact.bytes)),
        currentTraceparent() ?? null,
      ]);
      tx.afterCommit(committed);
    },

    async follow(after, handle, signal) {
      let position = after;
      signal.addEventListener('abort', () => wake());
      while (!signal.aborted) {
        const seen = commits;
        const page = await readAfter(position, PAGE_ROWS);
        position = page.position;
        if (page.rows.length > 0) await handle(page);
        if (!page.end || commits !== seen || signal.aborted) continue;
        // No signal that is aborted: with each commit its error would be made, and the stack looked at.
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, POLL_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },

    async forget(contract, matches) {
      for await (const positions of pick(contract, matches)) {
        if (positions.length === 0) continue;
        await db.query(
          `UPDATE outbox SET kind = $2, key = '', about = NULL, fact = '' WHERE position = ANY ($1::bigint[])`,
          [positions, FORGOTTEN],
        );
      }
    },

    async count(contract, matches) {
      let n = 0;
      for await (const positions of pick(contract, matches)) n += positions.length;
      return n;
    },

    async idAt(position) {
      const { rows } = await db.query<{ id: string }>('SELECT id FROM outbox WHERE position = $1', [
        position,
      ]);
      return rows[0]?.id;
    },

    async positionBefore(time) {
      const { rows } = await db.query<{ position: bigint }>(
        'SELECT coalesce(max(position), 0) AS position FROM outbox WHERE at < $1',
        [time.toISOString()],
      );
      return rows[0]?.position ?? 0n;
    },

    async compact(before) {
      await db.query(
        `DELETE FROM outbox old WHERE at < $1 AND about IS NOT NULL AND EXISTS (
        SELECT FROM outbox newer WHERE newer.about = old.about AND newer.position > old.position)`,
        [before.toISOString()],
      );
    },
  };
}

function toldRow({ fact, trace, ...row }: OutboxRow): ToldRow {
  return { ...row, bytes: fact, trace: trace ?? undefined };
}
