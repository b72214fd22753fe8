import type { ChainState } from './chain.ts';
import { entryIn, type EntryLine, hashIn, readLine, StrangeLine } from './export-lines.ts';
import { leafOf, linkOf } from './hashes.ts';

export type DamageKind =
  | 'not-an-export'
  | 'changed'
  | 'removed'
  | 'reordered'
  | 'inserted'
  | 'truncated'
  | 'head-not-signed'
  | 'head-inconsistent'
  | 'private-part-changed'
  | 'details-changed'
  | 'receipt-not-of-this-ledger';

/** The first thing that is wrong. */
export interface Damage {
  readonly kind: DamageKind;
  /** `entry 5`, `head of 2022-02-01`, `line 3`, `the end` … */
  readonly at: string;
  readonly detail: string;
}

export function damage(kind: DamageKind, at: string, detail: string): Damage {
  return { kind, at, detail };
}

/**
 * Names what happened at the first line that is not the entry that belongs there, by looking for
 * that entry, and for this line, in the rest of the file; remembers no more than that.
 */
export class Naming {
  private readonly n: number;
  private readonly leaf: string | undefined;
  private readonly found: { readonly n: number; readonly link: string } | undefined;
  /** The number of the line further on that has the entry which belongs here. */
  private later: number | undefined;
  /** What stands here stands further on as well. */
  private isAgain = false;

  private readonly chain: ChainState;
  private readonly why: string;
  private readonly announced: number;

  /** `announced`: how many entries the export says that it has. */
  constructor(chain: ChainState, line: Buffer, { why, announced }: { readonly why: string; readonly announced: number }) {
    this.chain = chain;
    this.why = why;
    this.announced = announced;
    this.n = chain.entries + 1;
    const found = entryOf(line);
    this.found = found && { n: found.n, link: hashIn(found, 'linkAt') };
    this.leaf = found && leafOf(entryIn(found)).toString('hex');
  }

  add(line: Buffer): void {
    if (this.later !== undefined && this.isAgain) return;
    const entry = entryOf(line);
    if (!entry) return;
    const leaf = leafOf(entryIn(entry));
    const link = linkOf(this.chain.head, leaf).toString('hex');
    if (link === hashIn(entry, 'linkAt') || link === this.found?.link) this.later ??= entry.n;
    this.isAgain ||= leaf.toString('hex') === this.leaf;
  }

  damage(): Damage {
    const { n, found, why } = this;
    const at = `entry ${n}`;
    if (this.later !== undefined) {
      if (!found) return damage('inserted', at, 'a line that is no entry stands before it');
      const what = this.isAgain ? 'a copy of' : 'what says that it is';
      if (this.isAgain || found.n < n) return damage('inserted', at, `${what} entry ${found.n} stands before it`);
      if (found.n === n && this.later === n) return damage('inserted', at, 'what the chain does not know stands before it');
      const place = found.n === n ? `where entry ${this.later} belongs` : `behind entry ${found.n}, which is in its place`;
      return damage('reordered', at, `what belongs here stands further on, ${place}`);
    }
    if (!found) return damage('changed', at, `its line is damaged: ${why}`);
    const isGenuine = linkOf(this.chain.head, Buffer.from(this.leaf!, 'hex')).toString('hex') === found.link;
    if (isGenuine) return damage('changed', at, why);
    if (found.n > n) return removed(n, found.n);
    if (found.n < n && n > this.announced) return damage('inserted', `behind entry ${n - 1}`, `entry ${found.n} stands a second time`);
    if (found.n < n) return damage('inserted', at, `entry ${found.n} stands a second time, and entry ${n} is gone`);
    return damage('changed', at, why);
  }
}

/** A head, or the end: what it is called, and over how many entries it is signed. */
export interface SignedOver {
  readonly at: string;
  readonly entries: number;
}

/** Names what a head, or the end, shows that is signed over entries which do not stand before it. */
export class NamingBefore {
  private next: { readonly n: number; readonly isInPlace: boolean } | undefined;

  private readonly chain: ChainState;
  private readonly signed: SignedOver;

  constructor(chain: ChainState, signed: SignedOver) {
    this.chain = chain;
    this.signed = signed;
  }

  add(line: Buffer): void {
    if (this.next) return;
    const entry = entryOf(line);
    if (!entry) return;
    const link = linkOf(this.chain.head, leafOf(entryIn(entry))).toString('hex');
    this.next = { n: entry.n, isInPlace: link === hashIn(entry, 'linkAt') };
  }

  damage(): Damage {
    const { next, signed } = this;
    const { entries } = this.chain;
    if (!next || next.n <= entries) return goneBehind(entries, signed.entries);
    if (!next.isInPlace) return removed(entries + 1, next.n);
    return damage('head-inconsistent', signed.at, `it ${standsElsewhere(signed.entries, entries)}`);
  }
}

/** Of a head or the end: where it stands against what it is signed over. */
export function standsElsewhere(signed: number, entries: number): string {
  return `is over ${signed} entries, and stands behind entry ${entries}`;
}

/** The last ones, as far as something was signed over them. */
function goneBehind(entries: number, signed: number): Damage {
  return damage('removed', `entry ${entries + 1}`, `${signed} entries were signed, and after entry ${entries} none is left of them`);
}

function removed(from: number, next: number): Damage {
  const gone = next - 1 > from ? `entries ${from} to ${next - 1} are gone` : 'it is gone';
  return damage('removed', `entry ${from}`, `${gone}, the export goes on with entry ${next}`);
}

/** What a line behind the first that cannot be read seems to be. */
export function seemsToBe(line: Buffer): string | undefined {
  const start = line.toString('latin1', 0, 8);
  if (start.startsWith('{"head":')) return 'a head';
  if (start.startsWith('{"sum":')) return 'a sum';
  return start.startsWith('{"end":') ? 'the end' : undefined;
}

function entryOf(line: Buffer): EntryLine | undefined {
  try {
    const read = readLine(line);
    return read.kind === 'entry' ? read : undefined;
  } catch (error) {
    if (error instanceof StrangeLine) return undefined;
    throw error;
  }
}
