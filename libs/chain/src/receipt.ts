import { readHeading, type Heading } from './entry.ts';
import { leafOf, macOf } from './hashes.ts';
import { type Head, readHead, type Signed, wrongSignature } from './head.ts';
import type { PublicKey } from './keys.ts';
import { rootByInclusion } from './merkle-proof.ts';

/**
 * The proof that a CDR stands in the ledger under a signed head, as JSON. It needs nothing else but
 * the public key to be checked.
 */
export interface ReceiptProof {
  readonly roamwatt_receipt: 1;
  readonly ledger: string;
  /** From 1. */
  readonly entry: number;
  /** The exact text of the entry: the public part of the CDR. */
  readonly text: string;
  /** Who charged; absent when it was erased or not asked for. Salt in hex. */
  readonly private?: { readonly salt: string; readonly text: string };
  /** From the leaf to the root; hex. */
  readonly path: readonly string[];
  readonly head: Signed;
}

export type ReceiptReading =
  | { readonly ok: true; readonly head: Head; readonly heading: Heading; readonly leaf: Buffer }
  | { readonly ok: false; readonly problem: string };

/** Whether it proves what it says, by one of these keys; else what is wrong with it. */
export function verifyReceipt(given: unknown, keys: readonly PublicKey[]): ReceiptReading {
  if (!isReceipt(given)) return wrong('this is no receipt of a Roamwatt ledger');
  const head = readHead(given.head.text);
  if (!head) return wrong('head: is no head of a ledger');
  const signature = wrongSignature(given.head, head.key, keys);
  if (signature) return wrong(`head: ${signature}`);
  const heading = readHeading(given.text);
  if (!heading) return wrong('text: is no entry');
  if (head.ledger !== given.ledger || heading.ledger !== given.ledger)
    return wrong(`ledger: the receipt says ${given.ledger}, its head ${head.ledger}, its entry ${heading.ledger}`);
  const leaf = leafOf(given.text);
  const root = rootByInclusion(leaf, {
    index: given.entry - 1,
    leaves: head.entries,
    path: given.path.map((hash) => Buffer.from(hash, 'hex')),
  });
  if (root?.toString('hex') !== head.root)
    return wrong(`text: is not entry ${given.entry} of the ${head.entries} under the head of ${head.day}`);
  const sealed = given.private;
  if (sealed && macOf(Buffer.from(sealed.salt, 'hex'), sealed.text) !== heading.private?.mac)
    return wrong('private: is not what was sealed');
  return { ok: true, head, heading, leaf };
}

function wrong(problem: string): ReceiptReading {
  return { ok: false, problem };
}

/** Whether it is made like one, whatever it proves. */
export function isReceipt(given: unknown): given is ReceiptProof {
  const { roamwatt_receipt, ledger, entry, text, path, head, private: sealed } = (given ?? {}) as Partial<ReceiptProof>;
  const isSealed =
    sealed === undefined ||
    (typeof sealed?.text === 'string' && typeof sealed.salt === 'string' && /^([0-9a-f]{2}){1,64}$/.test(sealed.salt));
  return (
    roamwatt_receipt === 1 &&
    typeof ledger === 'string' &&
    Number.isSafeInteger(entry) &&
    typeof text === 'string' &&
    Array.isArray(path) &&
    path.length <= 64 &&
    path.every((hash) => typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)) &&
    typeof head?.text === 'string' &&
    typeof head.signature === 'string' &&
    isSealed
  );
}
