import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import type { Tx } from '#postgres';
import { inSpan, type Tracer, withTraceparent } from '#telemetry';
import type { TellContract } from './contract.ts';
import { kindOf } from './subjects.ts';
import type { ToldRow } from './tell-source.ts';

/** What comes with a fact, beside it. */
export interface Heard {
  /**
   * The transaction in which the position moves: rows written here are written once. It begins at
   * its first statement; a handler that appends through a decider leaves it alone.
   */
  readonly tx: Tx;
  readonly id: string;
  readonly key: string;
  readonly position: bigint;
  /** RFC 3339 UTC by the wall clock: when it was told; never for decisions. */
  readonly at: string;
  /**
   * Runs `fn` behind all handlers of the batch, in its transaction: what others lock as well is then
   * locked once, in one order.
   */
  beforeCommit(fn: () => Promise<void>): void;
  /** Runs `fn` once the transaction is committed: a wake-up, never work that must happen. */
  afterCommit(fn: () => void): void;
}

/** What handlers of one batch share. */
export type HeardTogether = Pick<Heard, 'tx' | 'beforeCommit' | 'afterCommit'>;

/** One of the facts of a batch. */
export interface Told<Fact extends DescMessage> extends Pick<
  Heard,
  'id' | 'key' | 'position' | 'at'
> {
  readonly fact: MessageShape<Fact>;
  /** W3C traceparent of what told it: the handler of many runs under the first one's. */
  readonly trace?: string | undefined;
}

export type HearsHandler<Fact extends DescMessage> = (
  fact: MessageShape<Fact>,
  heard: Heard,
) => void | Promise<void>;

export type HearsManyHandler<Fact extends DescMessage> = (
  facts: Told<Fact>[],
  heard: HeardTogether,
) => void | Promise<void>;

/** A handler of one kind of fact: of one at a time, or of as many as come in a row. */
export type Hearing<Fact extends DescMessage = DescMessage> =
  | { readonly contract: TellContract<Fact>; readonly one: HearsHandler<Fact> }
  | { readonly contract: TellContract<Fact>; readonly many: HearsManyHandler<Fact> };

export function hears<F extends DescMessage>(
  contract: TellContract<F>,
  one: HearsHandler<F>,
): Hearing {
  return { contract, one } as unknown as Hearing;
}

export function hearsMany<F extends DescMessage>(
  contract: TellContract<F>,
  many: HearsManyHandler<F>,
): Hearing {
  return { contract, many } as unknown as Hearing;
}

/** A fact that its contract does not let through: trying again is of no use. */
export class MalformedFact extends Error {
  override readonly name = 'MalformedFact';
}

/**
 * Calls the handlers for facts in order, those of one kind in a row together where a handler takes
 * many.
 */
export async function hearInOrder(
  hearings: ReadonlyMap<string, Hearing>,
  rows: readonly ToldRow[],
  { tracer, ...heard }: HeardTogether & { readonly tracer: Tracer },
): Promise<void> {
  for (let index = 0; index < rows.length;) {
    const row = rows[index] as ToldRow;
    const hearing = hearings.get(row.kind);
    const name = `hear ${hearing?.contract.context} ${row.kind}`;
    if (!hearing) {
      index += 1;
    } else if ('one' in hearing) {
      const { id, key, position, at } = row;
      const fact = parse(hearing.contract, row);
      await withTraceparent(row.trace, () =>
        inSpan(tracer, name, { position: String(position) }, async () =>
          hearing.one(fact, { ...heard, id, key, position, at }),
        ),
      );
      index += 1;
    } else {
      let end = index + 1;
      while (rows[end]?.kind === row.kind) end += 1;
      const facts = rows.slice(index, end).map((each) => {
        const { id, key, position, at, trace } = each;
        return { fact: parse(hearing.contract, each), id, key, position, at, trace };
      });
      await withTraceparent(row.trace, () =>
        inSpan(tracer, name, { facts: facts.length }, async () => hearing.many(facts, heard)),
      );
      index = end;
    }
  }
}

function parse(contract: TellContract, row: ToldRow) {
  const name = `${contract.context} ${kindOf(contract)}`;
  let fact;
  try {
    fact = fromBinary(contract.fact, row.bytes);
  } catch (error) {
    throw new MalformedFact(
      `not a ${contract.fact.typeName}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const wrong = contract.check(fact);
  if (wrong !== undefined) throw new MalformedFact(`${name}: ${wrong}`);
  return fact;
}
