import { leafOf, linkOf } from './hashes.ts';
import { same } from './merkle-proof.ts';

/**
 * The hash chain of one party's ledger, as pure functions. An entry is the exact stored text of one
 * event; leaf = SHA-256(0x00‖entry), link = SHA-256(0x01‖previous link‖leaf). The first link follows
 * 32 zero bytes.
 */

export const GENESIS: Uint8Array = new Uint8Array(32);

/** An entry as the log holds it now. */
export interface LogEntry {
  readonly position: bigint;
  readonly id: string;
  /** The exact stored text. */
  readonly data: string;
}

/** What the chain recorded of its n-th entry when it was made. */
export interface ChainRow {
  readonly entry: number;
  readonly position: bigint;
  readonly eventId: string;
  readonly leaf: Uint8Array;
  readonly link: Uint8Array;
}

export interface ChainState {
  readonly entries: number;
  readonly head: Uint8Array;
}

export const EMPTY_CHAIN: ChainState = { entries: 0, head: GENESIS };

/** The next row of the chain; `stateAfter` it the chain goes on. */
export function nextRow(chain: ChainState, { position, id, data }: LogEntry): ChainRow {
  const leaf = leafOf(data);
  return { entry: chain.entries + 1, position, eventId: id, leaf, link: linkOf(chain.head, leaf) };
}

export function stateAfter(row: ChainRow): ChainState {
  return { entries: row.entry, head: row.link };
}

/** Thrown on the first entry that does not verify; the message names it and what is wrong. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain';
}

/**
 * Checks one place of the log against the chain: its event and the chain's row for it, either of
 * which may be absent. Returns the chain after it, or throws BrokenChain. `known` says whether the
 * chain holds the event in some other place: then entries were removed or moved, else one was put
 * in.
 */
export function verifyNext(
  chain: ChainState,
  row: ChainRow | undefined,
  event: LogEntry | undefined,
  known: boolean,
): ChainState {
  const n = chain.entries + 1;
  if (!row)
    throw new BrokenChain(
      `entry ${n}: inserted, the chain knows of no event at the place of ${event?.id}`,
    );
  if (row.entry !== n)
    throw new BrokenChain(
      `entry ${n}: its link is gone, the chain goes on with entry ${row.entry}`,
    );
  if (!event)
    throw new BrokenChain(`entry ${n}: removed, the log has no event ${row.eventId} at its place`);
  if (event.id !== row.eventId) {
    throw new BrokenChain(
      known
        ? `entry ${n}: removed or reordered, the log holds event ${event.id} where ${row.eventId} belongs`
        : `entry ${n}: inserted or replaced, the log holds event ${event.id} where ${row.eventId} belongs`,
    );
  }
  const expected = nextRow(chain, event);
  if (!same(expected.leaf, row.leaf)) {
    throw new BrokenChain(
      `entry ${n}: changed, the stored bytes of event ${event.id} are not those that were chained`,
    );
  }
  if (!same(expected.link, row.link)) {
    throw new BrokenChain(`entry ${n}: its link does not follow from the entry before it`);
  }
  return stateAfter(row);
}
