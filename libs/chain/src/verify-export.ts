import { type ChainState, GENESIS } from './chain.ts';
import { readHeading, Seals } from './entry.ts';
import { type Damage, damage, Naming, NamingBefore, seemsToBe, standsElsewhere } from './export-damage.ts';
import { type ExportHeader, Summing, unembedded } from './export-format.ts';
import {
  entryIn, type EntryLine, type ExportLine, hashIn, linesOf, POSITION_DIGITS_MAX, readHeader, readLine, type Span, StrangeLine, textIn,
} from './export-lines.ts';
import { leafOf, Linking, macOf, macWithin } from './hashes.ts';
import { readEnd, readHead, type Signed, wrongSignature } from './head.ts';
import type { PublicKey } from './keys.ts';
import { MerkleEdge } from './merkle.ts';
import { verifyReceipt } from './receipt.ts';

export interface ExportVerdict {
  readonly ledger: string;
  /** Those that verify. */
  readonly entries: number;
  /** Of them, those whose private part was erased: they verify without it. */
  readonly erased: number;
  /** The chain's link and the Merkle root after them; hex. */
  readonly link: string;
  readonly root: string;
  /** Signed heads that verify, and the last day that they close. */
  readonly heads: number;
  readonly newestDay: string | undefined;
  /** The keys that were trusted, and whether the caller gave them or the export itself. */
  readonly keys: readonly PublicKey[];
  readonly keysFrom: 'caller' | 'export';
  /** The first thing that is wrong. */
  readonly damage: Damage | undefined;
}

export interface VerifyOptions {
  /** Who may have signed; without them the export is checked against the keys that it names itself. */
  readonly keys?: readonly PublicKey[];
  /** A `ReceiptProof` that must be of this very ledger. */
  readonly receipt?: unknown;
  /**
   * Which entries' texts are hashed here, by their number; all, unless somebody else has the others
   * verified by `areTextsIntact`.
   */
  readonly hashes?: (n: number) => boolean;
  /** Told of now and then: entries so far, and how many the export announces. */
  readonly onProgress?: (entries: number, of: number) => void;
}

/**
 * Verifies an export from its bytes alone, in one pass and with a memory that does not grow: every
 * entry against the chain, every private part against its entry, every head and the end against
 * keys, chain and Merkle tree.
 */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: VerifyOptions = {},
): Promise<ExportVerdict> {
  const verifier = new ExportVerifier(options);
  let isRead = false;
  const reading = async function* () {
    yield* chunks;
    isRead = true;
  };
  try {
    for await (const lines of linesOf(reading())) {
      // Behind all bytes comes only what no newline ends.
      for (const line of lines) verifier.add(line, isRead);
      verifier.progress();
    }
  } catch (error) {
    if (!(error instanceof StrangeLine)) throw error;
    verifier.endWith(damage('not-an-export', 'the export', error.message));
  }
  return verifier.verdict();
}

class ExportVerifier {
  private header: ExportHeader | undefined;
  private seals = new Seals('');
  private keys: readonly PublicKey[];
  private entries = 0;
  private readonly linking = new Linking(GENESIS);
  private readonly tree = new MerkleEdge();
  private summing: Summing | undefined;
  private summedTo = 0;
  private readonly position = new Position();
  private lines = 0;
  private erased = 0;
  private heads = 0;
  private newestDay: string | undefined;
  private isEnded = false;
  private problem: Damage | undefined;
  /** A sum is wrong: of what the chain does not cover, unless something in the chain shows later. */
  private wrongSum: Damage | undefined;
  private naming: Naming | NamingBefore | undefined;
  /** The line behind the first is a sum of nothing, as only an empty ledger has one. */
  private isSummedEmpty = false;
  private readonly receipt: { readonly entry: number; readonly leaf: string } | undefined;
  private receiptFound = false;

  private readonly options: VerifyOptions;

  constructor(options: VerifyOptions) {
    this.options = options;
    this.keys = options.keys ?? [];
    const given = options.receipt as { entry?: unknown; text?: unknown } | undefined;
    if (typeof given?.entry === 'number' && typeof given.text === 'string')
      this.receipt = { entry: given.entry, leaf: leafOf(given.text).toString('hex') };
  }

  /** `isCut`: no newline ends it. */
  add(line: Buffer, isCut = false): void {
    this.lines += 1;
    if (this.naming) return this.naming.add(line);
    if (this.problem) return;
    if (!this.header) return this.begin(line);
    const isBlank = line[0] !== CURLY && /^\s*$/.test(line.toString('latin1'));
    const behindEnd = this.isEnded ? `${isBlank ? 'an empty line' : 'something'} stands behind the end` : undefined;
    const put = behindEnd ?? (isBlank ? 'it is empty' : undefined);
    if (put) return this.endWith(damage('inserted', `line ${this.lines}`, put));
    let read: ExportLine;
    try {
      read = readLine(line);
    } catch (error) {
      if (!(error instanceof StrangeLine)) throw error;
      return isCut ? this.endWith(this.cut('breaks off in the line')) : this.strange(line, error.message);
    }
    if (this.isSummedEmpty && read.kind !== 'end') this.wrongSum ??= sumOfNothing(2);
    switch (read.kind) {
      case 'entry': {
        const why = this.wrongEntry(read);
        if (why && !this.problem) this.name(line, why);
        return;
      }
      case 'head': {
        this.summing!.add(line);
        return this.checkHead(read.signed);
      }
      case 'sum':
        return this.checkSum(read.sum);
      case 'end':
        return this.checkEnd(read.signed);
    }
  }

  /** An entry, unless it looks like something else, or all entries are there. */
  private strange(line: Buffer, why: string): void {
    const kind = seemsToBe(line);
    if (kind === undefined && this.entries < this.header!.entries) return this.name(line, why);
    this.endWith(damage('changed', `line ${this.lines}`, `${kind ?? 'the end, or what was put in before it,'} is damaged: ${why}`));
  }

  private name(line: Buffer, why: string): void {
    this.naming = new Naming(this.chain(), line, { why, announced: this.header!.entries });
  }

  private chain(): ChainState {
    return { entries: this.entries, head: Buffer.from(this.linking.head) };
  }

  private begin(line: Buffer): void {
    this.header = readHeader(line);
    this.seals = new Seals(this.header.ledger);
    this.summing = Summing.from(line);
    if (!this.options.keys) this.keys = this.header.keys;
  }

  /** What is wrong with an entry as the next one of the chain; without fault it is the chain's newest. */
  private wrongEntry(line: EntryLine): string | undefined {
    const n = this.entries + 1;
    const isHashed = this.options.hashes?.(line.n) ?? true;
    const isLeaf = isHashed
      ? this.linking.offer(line.line, [line.entryAt, line.line.length - 1], line.leafAt)
      : this.linking.trust(line.line, line.leafAt);
    if (!isLeaf) return 'its bytes are not those that were chained';
    if (!this.linking.isLinked(line.line, line.linkAt)) return 'its link does not follow from the entry before it';
    if (line.n !== n) return `its number was changed to ${line.n}`;
    if (!this.position.isBefore(line))
      return `its position ${textIn(line, line.position)} is not behind that of the entry before`;
    const mac = macOfEntry(line, this.seals, this.header!.ledger);
    if (mac === undefined) return this.otherLedger(n);
    this.entries = n;
    this.linking.take();
    this.tree.append(this.linking.leaf);
    this.position.take(line);
    this.summing!.add(line.line, line.textsAt);
    if (n === this.receipt?.entry) this.receiptFound = this.receipt.leaf === hashIn(line, 'leafAt');
    if (line.salt === undefined && mac !== '') this.erased += 1;
    if (isHashed && !isSealed(line, mac)) {
      const detail = 'its private part is not the one that was sealed';
      this.endWith(damage('private-part-changed', `entry ${n}`, detail));
    }
    return undefined;
  }

  private otherLedger(n: number): string {
    const detail = `it is no entry of the ledger ${this.header!.ledger}`;
    if (n === 1) this.endWith(damage('changed', 'the first line', `${detail.replace('it', 'entry 1')} that it names`));
    return detail;
  }

  private checkHead(signed: Signed): void {
    const head = readHead(signed.text);
    if (!head) return this.endWith(damage('head-not-signed', `line ${this.lines}`, 'it is no head of a ledger'));
    const at = `head of ${head.day}`;
    const signature = wrongSignature(signed, head.key, this.keys);
    if (signature) return this.endWith(damage('head-not-signed', at, `it ${signature}`));
    if (head.ledger !== this.header!.ledger && this.entries + this.heads === 0) {
      const detail = `the one says ${this.header!.ledger}, the other ${head.ledger}`;
      return this.endWith(damage('head-inconsistent', `the first line or the ${at}`, detail));
    }
    if (head.entries > this.entries) return void (this.naming = new NamingBefore(this.chain(), { at, entries: head.entries }));
    const says = this.inconsistency(head) ?? (head.day > (this.newestDay ?? '') ? undefined : 'is not of a later day');
    if (says) return this.endWith(damage('head-inconsistent', at, `it ${says}`));
    this.heads += 1;
    this.newestDay = head.day;
  }

  private inconsistency(said: { ledger: string; entries: number; link: string; root: string }): string | undefined {
    const { entries } = this;
    if (said.ledger !== this.header!.ledger) return `is of the ledger ${said.ledger}`;
    if (said.entries !== entries) return standsElsewhere(said.entries, entries);
    if (said.link !== this.linking.head.toString('hex')) return 'has another link than these entries';
    return said.root === this.tree.root().toString('hex') ? undefined : 'has another Merkle root than these entries';
  }

  private checkSum(said: string): void {
    const from = this.summedTo;
    const to = this.entries;
    this.summedTo = to;
    if (this.summing!.isSummed && this.lines > 2) this.wrongSum ??= sumOfNothing(this.lines);
    this.isSummedEmpty = this.lines === 2;
    if (this.summing!.next().toString('hex') === said) return;
    const detail = 'a position, a time, what a private part is found by, or a head was changed, removed or put in';
    const at = to > from + 1 ? `entries ${from + 1} to ${to}` : `entry ${to}`;
    this.wrongSum ??= damage('details-changed', from === 0 ? `the first line or ${at}` : at, detail);
  }

  private checkEnd(signed: Signed): void {
    const end = readEnd(signed.text);
    const wrong = (detail: string) => this.endWith(damage('head-not-signed', 'the end', detail));
    if (!end) return wrong('it is not the end of an export');
    const signature = wrongSignature(signed, end.key, this.keys);
    if (signature) return wrong(`it ${signature}`);
    if (end.entries > this.entries)
      return void (this.naming = new NamingBefore(this.chain(), { at: 'the end', entries: end.entries }));
    const says = this.inconsistency(end);
    if (says) return this.endWith(damage('head-inconsistent', 'the end', `it ${says}`));
    if (!this.summing!.isSummed || end.sum !== this.summing!.last.toString('hex'))
      this.wrongSum ??= damage('details-changed', 'the export', 'what the chain does not cover was changed, and its sums with it');
    this.isEnded = true;
  }

  endWith(problem: Damage): void {
    this.problem ??= problem;
  }

  progress(): void {
    this.options.onProgress?.(this.entries, this.header?.entries ?? 0);
  }

  verdict(): ExportVerdict {
    const { entries } = this;
    return {
      ledger: this.header?.ledger ?? '',
      entries,
      erased: this.erased,
      link: this.linking.head.toString('hex'),
      root: this.tree.root().toString('hex'),
      heads: this.heads,
      newestDay: this.newestDay,
      keys: this.keys,
      keysFrom: this.options.keys ? 'caller' : 'export',
      damage: this.naming?.damage() ?? this.problem ?? this.wrongSum ?? this.missing() ?? this.wrongReceipt(),
    };
  }

  private missing(): Damage | undefined {
    if (!this.header) return damage('not-an-export', 'the export', 'it is empty');
    if (this.isEnded) return undefined;
    return this.cut('stops');
  }

  private cut(how: string): Damage {
    return damage('truncated', 'the end', `it ${how} behind entry ${this.entries} of ${this.header!.entries}, without its end`);
  }

  private wrongReceipt(): Damage | undefined {
    if (this.options.receipt === undefined) return undefined;
    const read = verifyReceipt(this.options.receipt, this.keys);
    if (!read.ok) return damage('receipt-not-of-this-ledger', 'the receipt', read.problem);
    if (read.head.ledger === this.header?.ledger && this.receiptFound) return undefined;
    return damage('receipt-not-of-this-ledger', 'the receipt', `entry ${this.receipt?.entry} of this export is another`);
  }
}

const CURLY = '{'.charCodeAt(0);

/** Put in anywhere, it would change no other sum. */
const sumOfNothing = (line: number) => damage('inserted', `line ${line}`, 'a sum of nothing');

/**
 * Whether the texts of these entries are those that their lines say: the leaf, and the private part.
 * For a second processor, beside `verifyExport` for all the rest; what exactly is wrong, and where,
 * says `verifyExport` over all of it. Throws StrangeLine.
 */
export async function areTextsIntact(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isMine: (n: number) => boolean,
): Promise<boolean> {
  const linking = new Linking(GENESIS);
  let ledger: string | undefined;
  let seals = new Seals('');
  for await (const lines of linesOf(chunks)) {
    for (const line of lines) {
      if (ledger === undefined) {
        ({ ledger } = readHeader(line));
        seals = new Seals(ledger);
        continue;
      }
      const read = readLine(line);
      if (read.kind !== 'entry' || !isMine(read.n)) continue;
      if (!linking.offer(line, [read.entryAt, line.length - 1], read.leafAt)) return false;
      const mac = macOfEntry(read, seals, ledger);
      if (mac === undefined || !isSealed(read, mac)) return false;
    }
  }
  return true;
}

/** What an entry says of its private part, '' without one; undefined when it is no entry of this ledger. */
function macOfEntry(read: EntryLine, seals: Seals, ledger: string): string | undefined {
  const mac = seals.macIn(read.line, read.entryAt, read.line.length - 1);
  if (mac !== undefined) return mac;
  const heading = readHeading(entryIn(read));
  return heading?.ledger === ledger ? (heading.private?.mac ?? '') : undefined;
}

/** True also for one that was erased. */
function isSealed(read: EntryLine, mac: string): boolean {
  return read.salt === undefined || macOfPrivate(read, read.salt) === mac;
}

function macOfPrivate({ line, textsAt, privateTo }: EntryLine, salt: Span): string | undefined {
  if (line[textsAt] !== 0x22) return macWithin(line, salt, [textsAt, privateTo]);
  try {
    const text = unembedded(line.toString('utf8', textsAt, privateTo));
    // In its one spelling: what is no UTF-8 reads as U+FFFD, as an escape may be of what needs none.
    const isSpelled = Buffer.from(JSON.stringify(text)).equals(line.subarray(textsAt, privateTo));
    return isSpelled ? macOf(Buffer.from(line.toString('latin1', ...salt), 'hex'), text) : undefined;
  } catch {
    return undefined;
  }
}

/** The position of the entry before, in the digits of its line. */
class Position {
  private readonly digits = Buffer.alloc(POSITION_DIGITS_MAX);
  private length = 0;

  isBefore({ line, position: [from, to] }: EntryLine): boolean {
    if (to - from !== this.length) return to - from > this.length;
    for (let n = 0; n < this.length; n += 1) if (line[from + n] !== this.digits[n]) return line[from + n]! > this.digits[n]!;
    return false;
  }

  take({ line, position: [from, to] }: EntryLine): void {
    this.length = to - from;
    for (let n = 0; n < this.length; n += 1) this.digits[n] = line[from + n]!;
  }
}
