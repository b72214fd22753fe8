import { createHash, type Hash } from 'node:crypto';
import { sha256 } from './hashes.ts';
import type { Signed } from './head.ts';
import type { PublicKey } from './keys.ts';

/**
 * A ledger as JSON Lines. First what it is; then the entries in their order, each with its private
 * part unless that was erased; after an entry the signed heads that end with it; now and then a
 * sum; at last the signed end. Every line is JSON for whoever wants to look into it, and the stored
 * texts stand in it byte for byte, so that they are hashed where they lie.
 *
 *   {"roamwatt_ledger_export":1,"ledger":"CA*BCT", … ,"keys":[ … ],"entries":2,"at":"…"}
 *   {"n":1,"bytes":[E,P],"position":"1","recorded_at":"…","leaf":"…","link":"…",
 *     "contract":"…","token_party":"…","token":"…","salt":"…","private":…,"entry":{…}}
 *   {"head":"roamwatt ledger head v1\n…","signature":"…"}
 *   {"sum":"…"}
 *   {"end":"roamwatt ledger export v1\n…","signature":"…"}
 *
 * `bytes` are the lengths of the entry and of the private part (0: erased, or none). A sum covers
 * the sum before it (the first one: the first line) and since then of every entry's line what
 * stands before the stored texts, and the heads: all that the chain itself does not cover. The end
 * signs the last sum.
 */
export interface ExportHeader {
  readonly ledger: string;
  /** What the party is called. */
  readonly name: string;
  readonly timeZone: string;
  readonly tzdb: string;
  /** All that ever signed for it, the present one first. */
  readonly keys: readonly PublicKey[];
  /** How many follow. */
  readonly entries: number;
  readonly at: string;
}

export interface ExportedEntry {
  /** From 1. */
  readonly n: number;
  readonly position: bigint;
  /** When the log took it, RFC 3339. */
  readonly recordedAt: string;
  readonly leaf: Uint8Array;
  readonly link: Uint8Array;
  /** The exact stored text. */
  readonly text: string;
  readonly private: ExportedPrivate | undefined;
}

/** A private part with what it is found and erased by. */
export interface ExportedPrivate {
  readonly contractKey: string;
  readonly tokenParty: string;
  readonly tokenKey: string;
  readonly salt: Uint8Array;
  readonly text: string;
}

export function headerLine({ ledger, name, timeZone, tzdb, keys, entries, at }: ExportHeader): string {
  const said = { ledger, name, time_zone: timeZone, tzdb, keys, entries, at };
  return JSON.stringify({ roamwatt_ledger_export: 1, ...said });
}

/** A line and that part of it which the next sum covers. */
export interface Line {
  readonly line: string;
  readonly details: Buffer;
}

export function entryLine({ n, position, recordedAt, leaf, link, text, private: part }: ExportedEntry): Line {
  const body = part === undefined ? '' : embedded(part.text);
  const lengths = `${Buffer.byteLength(text)},${Buffer.byteLength(body)}`;
  const start =
    `{"n":${n},"bytes":[${lengths}],"position":"${position}","recorded_at":"${recordedAt}"` +
    `,"leaf":"${hex(leaf)}","link":"${hex(link)}"`;
  const details = part === undefined ? `${start},"entry":` : `${start}${privateKeys(part)},"private":`;
  return {
    details: Buffer.from(details),
    line: part === undefined ? `${details}${text}}` : `${details}${body},"entry":${text}}`,
  };
}

function privateKeys({ contractKey, tokenParty, tokenKey, salt }: ExportedPrivate): string {
  const keys = { contract: contractKey, token_party: tokenParty, token: tokenKey, salt: hex(salt) };
  return `,${JSON.stringify(keys).slice(1, -1)}`;
}

/** A JSON object stands as it is, whatever else as a string: a partner's body may have many lines. */
function embedded(text: string): string {
  return text.startsWith('{') && !/[\r\n]/.test(text) ? text : JSON.stringify(text);
}

export function unembedded(body: string): string {
  return body.startsWith('"') ? (JSON.parse(body) as string) : body;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function headLine({ text, signature }: Signed): Line {
  const line = JSON.stringify({ head: text, signature });
  return { line, details: Buffer.from(line) };
}

export function sumLine(sum: Uint8Array): string {
  return JSON.stringify({ sum: hex(sum) });
}

export function endLine({ text, signature }: Signed): string {
  return JSON.stringify({ end: text, signature });
}

/** What the sums run over; begin with the first line. */
export class Summing {
  private hash: Hash | undefined;
  private before: Buffer;
  private readonly gathered = Buffer.allocUnsafe(GATHERED_BYTES);
  private length = 0;

  constructor(before: Uint8Array) {
    this.before = Buffer.from(before);
  }

  static from(headerLine: string | Uint8Array): Summing {
    return new Summing(sha256(Buffer.from(headerLine as string)));
  }

  /** The first so many bytes; by default all. */
  add(details: Buffer, bytes = details.length): void {
    this.hash ??= createHash('sha256').update(this.before);
    if (this.length + bytes > GATHERED_BYTES) this.flush(this.hash);
    if (bytes > GATHERED_BYTES) return void this.hash.update(details.subarray(0, bytes));
    details.copy(this.gathered, this.length, 0, bytes);
    this.length += bytes;
  }

  private flush(hash: Hash): void {
    hash.update(this.gathered.subarray(0, this.length));
    this.length = 0;
  }

  /** The sum of all so far; the next one begins with it. */
  next(): Buffer {
    if (this.hash) {
      this.flush(this.hash);
      this.before = this.hash.digest();
    }
    this.hash = undefined;
    return this.before;
  }

  get last(): Buffer {
    return this.before;
  }

  /** Whether nothing was added since the last sum. */
  get isSummed(): boolean {
    return this.hash === undefined;
  }
}

/** A few hundred bytes each: hashing them one by one would cost several times as much. */
const GATHERED_BYTES = 32 * 1024;
