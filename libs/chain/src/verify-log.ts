import {
  BrokenChain,
  type ChainRow,
  type ChainState,
  EMPTY_CHAIN,
  type LogEntry,
  verifyNext,
} from './chain.ts';
import { readHeading } from './entry.ts';
import { macOf } from './hashes.ts';
import { type Head, readHead, type Signed, wrongSignature } from './head.ts';
import type { PublicKey } from './keys.ts';
import { type KeptNode, MerkleEdge, RADIX } from './merkle.ts';

/** A row of the chain of one ledger. */
export type LedgerRow = ChainRow & { readonly ledger: string };

/** An event of the log with its private part, unless that was erased. */
export interface StoredEntry extends LogEntry {
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly private: { readonly salt: Uint8Array; readonly text: string } | undefined;
}

/** A signed head, and what it is found by. */
export interface StoredHead extends Signed {
  readonly lies?: Pick<Head, 'ledger' | 'day' | 'entries'>;
}

export type Pages<T> = AsyncIterable<readonly T[]>;

/** What a ledger holds beside its log, and who may have signed. */
export interface Beside {
  /** In the order of their positions, page by page. */
  readonly rows: Pages<LedgerRow>;
  /** Of all ledgers, in the order of their days. */
  readonly heads: readonly StoredHead[];
  readonly keys: readonly PublicKey[];
  isChained(eventId: string): Promise<boolean>;
  /** The first of these nodes that is not kept just so. */
  wrongNode(ledger: string, nodes: readonly KeptNode[]): Promise<KeptNode | undefined>;
}

/** What verifying one chain came to. */
export interface Verdict {
  readonly ledger: string;
  /** Those that verify, and the newest link after them. */
  readonly chain: ChainState;
  /** Entries whose private part was erased; they verify without it. */
  readonly erased: number;
  /** Signed heads that verify, and the last day that they close. */
  readonly heads: number;
  readonly newestDay: string | undefined;
  /** The first entry that does not verify, and why. */
  readonly problem: string | undefined;
}

/**
 * Recomputes every chain from the log's stored bytes and the private parts. `events` come in the
 * order of their positions, page by page; `ownLedger` has a verdict also when it is empty. A chain that is broken
 * is not followed further: the first problem is its verdict.
 */
export async function verifyLog(
  events: Pages<StoredEntry>,
  beside: Beside,
  ownLedger: string,
): Promise<Verdict[]> {
  const ledgers = new Map<string, LedgerCheck>();
  const checkOf = (ledger: string) => {
    const check = ledgers.get(ledger) ?? new LedgerCheck(ledger, beside);
    ledgers.set(ledger, check);
    return check;
  };
  checkOf(ownLedger);
  for (const { text } of beside.heads) checkOf(readHead(text)?.ledger ?? ownLedger);
  const [log, chained] = [new Reading(events), new Reading(beside.rows)];
  for (;;) {
    // Seldom: nothing is waited for within a page.
    if (log.isAtEndOfPage) await log.turn();
    if (chained.isAtEndOfPage) await chained.turn();
    const [position, other] = [log.here?.position, chained.here?.position];
    if (position === undefined && other === undefined) break;
    // What the log and the chain hold at the first position that either of them has.
    const event = other === undefined || position! <= other ? log.take() : undefined;
    const row = position === undefined || other! <= position ? chained.take() : undefined;
    const check = checkOf(row?.ledger ?? ownLedger);
    if (check.isBroken) continue;
    const elsewhere =
      event !== undefined && row?.eventId !== event.id && (await beside.isChained(event.id));
    check.next(row, event, elsewhere);
    if (check.hasNodes) await check.checkNodes();
  }
  return Promise.all([...ledgers.values()].map((check) => check.verdict()));
}

/** Nodes compared at once. */
const NODES = 500;

class LedgerCheck {
  private chain: ChainState = EMPTY_CHAIN;
  private readonly tree = new MerkleEdge();
  private readonly heads: readonly StoredHead[];
  private erased = 0;
  private verified = 0;
  private newestDay: string | undefined;
  private problem: string | undefined;
  private nodes: KeptNode[] = [];

  private readonly ledger: string;
  private readonly beside: Beside;

  constructor(ledger: string, beside: Beside) {
    this.ledger = ledger;
    this.beside = beside;
    this.heads = beside.heads.filter(({ text }) => (readHead(text)?.ledger ?? ledger) === ledger);
    this.checking(() => this.checkHeads());
  }

  get isBroken(): boolean {
    return this.problem !== undefined;
  }

  /** Enough of them to be compared at once. */
  get hasNodes(): boolean {
    return this.nodes.length >= NODES;
  }

  next(row: LedgerRow | undefined, event: StoredEntry | undefined, known: boolean): void {
    this.checking(() => {
      const chain = verifyNext(this.chain, row, event, known);
      this.erased += verifyEntry(chain.entries, this.ledger, event!);
      this.chain = chain;
      this.nodes.push(...this.tree.append(row!.leaf));
      this.checkHeads();
    });
  }

  private checking(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof BrokenChain)) throw error;
      this.problem ??= error.message;
    }
  }

  /** Those that end with the newest entry. */
  private checkHeads(): void {
    for (let signed = this.heads[this.verified]; signed; signed = this.heads[this.verified]) {
      const head = readHead(signed.text);
      if (head && head.entries > this.chain.entries) return;
      const wrong = head
        ? (wrongSignature(signed, head.key, this.beside.keys) ?? this.inconsistency(head) ?? misplaced(signed, head))
        : 'is no head';
      if (wrong) throw new BrokenChain(`head of ${head?.day ?? 'an unknown day'}: ${wrong}`);
      this.verified += 1;
      this.newestDay = head!.day;
    }
  }

  private inconsistency({ entries, link, root }: { entries: number; link: string; root: string }): string | undefined {
    if (entries < this.chain.entries) return `is over ${entries} entries, fewer than the head before it`;
    if (link !== Buffer.from(this.chain.head).toString('hex')) return 'was signed over other entries: its link is another';
    return root === this.tree.root().toString('hex') ? undefined : 'was signed over other entries: its root is another';
  }

  async checkNodes(): Promise<void> {
    const nodes = this.nodes.splice(0);
    const wrong = nodes.length > 0 && (await this.beside.wrongNode(this.ledger, nodes));
    if (!wrong) return;
    const covers = RADIX ** wrong.level;
    const entries = `${wrong.index * covers + 1} to ${(wrong.index + 1) * covers}`;
    this.problem ??= `entries ${entries}: the node of the Merkle tree over them is gone or another`;
  }

  async verdict(): Promise<Verdict> {
    if (!this.isBroken) await this.checkNodes();
    const unmet = readHead(this.heads[this.verified]?.text ?? '');
    if (!this.isBroken && unmet)
      this.problem = `entry ${this.chain.entries + 1}: removed, the head of ${unmet.day} was signed over ${unmet.entries} entries`;
    const { ledger, chain, erased, verified: heads, newestDay, problem } = this;
    return { ledger, chain, erased, heads, newestDay, problem };
  }
}

/** It would be proven by, and exported, as another. */
function misplaced({ lies }: StoredHead, { ledger, day, entries }: Head): string | undefined {
  if (!lies || (lies.ledger === ledger && lies.day === day && lies.entries === entries)) return undefined;
  if (lies.ledger !== ledger) return `lies in ledger ${lies.ledger}`;
  return lies.day === day ? `lies over ${lies.entries} entries` : `lies as the head of ${lies.day}`;
}

/**
 * What lies beside the chained bytes: the columns they are found by, and the private part. 1 =
 * erased.
 */
function verifyEntry(n: number, ledger: string, entry: StoredEntry): number {
  const heading = readHeading(entry.data);
  if (!heading) throw new BrokenChain(`entry ${n}: the text of event ${entry.id} does not begin as an entry does`);
  const { place, type, private: sealed } = heading;
  const isThere =
    place.id === entry.id &&
    place.stream === entry.stream &&
    place.version === entry.version &&
    type === entry.type &&
    heading.ledger === ledger;
  if (!isThere) {
    throw new BrokenChain(
      `entry ${n}: moved, event ${entry.id} lies in stream ${entry.stream} at ${entry.version} as ${entry.type}`,
    );
  }
  if (!sealed) return 0;
  if (entry.private === undefined) return 1;
  if (macOf(entry.private.salt, entry.private.text) !== sealed.mac) {
    throw new BrokenChain(
      `entry ${n}: the private part of event ${entry.id} is not the one that was sealed`,
    );
  }
  return 0;
}

/** Where somebody is who reads pages one item after the other. */
class Reading<T> {
  private page: readonly T[] = [];
  private n = 0;
  private isDone = false;
  private readonly pages: AsyncIterator<readonly T[]>;

  constructor(pages: Pages<T>) {
    this.pages = pages[Symbol.asyncIterator]();
  }

  get isAtEndOfPage(): boolean {
    return this.n === this.page.length && !this.isDone;
  }

  /** On to the next page that holds anything, if there is one. */
  async turn(): Promise<void> {
    while (this.isAtEndOfPage) {
      const { done, value } = await this.pages.next();
      this.isDone = done === true;
      this.page = this.isDone ? [] : (value as readonly T[]);
      this.n = 0;
    }
  }

  get here(): T | undefined {
    return this.page[this.n];
  }

  take(): T | undefined {
    return this.page[this.n++];
  }
}
