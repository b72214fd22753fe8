import {
  consistencyProof,
  inclusionProof,
  type NodeSource,
  type PublicKey,
  type ReceiptProof,
  readHeading,
  type Signed,
  type Verdict,
  verifyLog,
  verifyReceipt,
} from '#chain';
import { Rejected } from '#decider';
import type { EventStore } from '#event-store';
import { type Party, partyText } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { type Following, NotCaughtUp } from './follow.ts';
import { ledgerMeant, type MeantLedger } from './ledgers.ts';
import { allHeads, headsAfter, newestHead, type SignedHead } from './heads.ts';
import { chainUpTo, entriesUpTo, isChained } from './ledger-pages.ts';
import { keptNodes, NodeGone, wrongNode } from './merkle-nodes.ts';
import { findPrivateParts } from './private-parts.ts';
import { findCdr } from './projections/listed-cdr.ts';

export interface ProofsParts {
  readonly db: Database;
  readonly store: EventStore;
  readonly parties: OwnParties;
  /** Who signs, the present key first. */
  readonly keys: readonly PublicKey[];
  readonly chain: Pick<Following, 'caughtUp' | 'position'>;
  readonly list: Pick<Following, 'caughtUp'>;
}

export type ProofRefusal = 'unknown-cdr' | 'not-signed-yet' | 'unknown-head' | 'ledger-damaged';

const HEADS_MAX = 500;

/** What proves the ledger: verifying it, its signed heads, and the way from a receipt to a head. */
export class Proofs {
  constructor(private readonly parts: ProofsParts) {}

  get keys(): readonly PublicKey[] {
    return this.parts.keys;
  }

  /** Recomputes every chain from the log and the private parts, and checks what was signed. */
  async verify(): Promise<Verdict[]> {
    const { db, store, chain, keys } = this.parts;
    const isBehind = await chain.caughtUp().then(
      () => false,
      (error: unknown) => error instanceof NotCaughtUp,
    );
    // Before the end is looked up: what is signed later is over entries that come later.
    const heads = await allHeads(db);
    // What comes in while we look is chained later; but a chain that cannot follow its log is
    // broken.
    const end = isBehind ? undefined : await chain.position();
    const beside = {
      rows: chainUpTo(db, end),
      heads,
      keys,
      isChained: (eventId: string) => isChained(db, eventId),
      wrongNode: (ledger: string, nodes: Parameters<typeof wrongNode>[2]) => wrongNode(db, ledger, nodes),
    };
    return verifyLog(entriesUpTo(db, store, end), beside, partyText(this.parts.parties.first));
  }

  /** The signed heads behind a day, or all of them; at most 500. Throws Rejected. */
  async heads(day = '', meant: MeantLedger = {}): Promise<SignedHead[]> {
    const { ledger } = ledgerMeant(this.parts.parties, meant);
    return headsAfter(this.parts.db, ledger, { day, limit: HEADS_MAX });
  }

  /**
   * The proof that a CDR is in the ledger, to the newest head, which covers it. Throws Rejected.
   * With its private part it can also be shown whose it is.
   */
  async receipt(party: Party, cdrId: string, withPrivate: boolean): Promise<ReceiptProof> {
    const { db, list } = this.parts;
    await list.caughtUp();
    const listed = await findCdr(db, party, cdrId);
    if (!listed) throw refuse('unknown-cdr', `${partyText(party)} has no CDR ${cdrId} here`);
    return this.entryAt(listed.position, { about: `CDR ${cdrId}`, withPrivate });
  }

  /**
   * The proof that what stands at a position of the log is in its ledger, to the newest head of that.
   * Throws Rejected.
   */
  async entryAt(
    position: bigint,
    { about, withPrivate = false }: { about: string; withPrivate?: boolean },
  ): Promise<ReceiptProof> {
    const { db, keys } = this.parts;
    const place = await this.placeOf(position);
    const newest = place && (await newestHead(db, place.ledger));
    if (!newest || !place || place.entry > newest.head.entries)
      throw refuse('not-signed-yet', `${about}: its day has not ended; ask again tomorrow`);
    const { ledger, entry, text } = place;
    const path = await this.proven(ledger, (nodes) => inclusionProof(nodes, entry - 1, newest.head.entries));
    const sealed = withPrivate ? await this.privatePart(text) : undefined;
    const { signed } = newest;
    const said = { roamwatt_receipt: 1, ledger, entry, text } as const;
    const proof = { ...said, ...(sealed && { private: sealed }), path: path.map(hex), head: signed };
    const read = verifyReceipt(proof, keys);
    if (!read.ok) throw refuse('ledger-damaged', `${read.problem}: verify the ledger`);
    return proof;
  }

  /** The proof that the ledger at one head only added to what it was at an earlier one. */
  async consistency(
    older: string,
    newer: string,
    meant: MeantLedger = {},
  ): Promise<{ older: Signed; newer: Signed; path: string[] }> {
    const { ledger } = ledgerMeant(this.parts.parties, meant);
    const [before, after] = await Promise.all([this.headOf(ledger, older), this.headOf(ledger, newer)]);
    if (before.head.entries > after.head.entries)
      throw refuse('unknown-head', `the head of ${newer} is older than that of ${older}`);
    const path = await this.proven(ledger, (nodes) =>
      consistencyProof(nodes, before.head.entries, after.head.entries),
    );
    return { older: before.signed, newer: after.signed, path: path.map(hex) };
  }

  private async headOf(ledger: string, day: string): Promise<SignedHead> {
    const { rows } = await this.parts.db.query<{ before: string | null }>(
      'SELECT max(day) AS before FROM heads WHERE ledger = $1 AND day < $2',
      [ledger, day],
    );
    const [found] = await headsAfter(this.parts.db, ledger, { day: rows[0]?.before ?? '', limit: 1 });
    if (found?.head.day !== day) throw refuse('unknown-head', `no head was signed for ${day}`);
    return found;
  }

  private async placeOf(position: bigint): Promise<{ ledger: string; entry: number; text: string } | undefined> {
    const { rows } = await this.parts.db.query<{ ledger: string; entry: number; text: string }>(
      `SELECT c.ledger, c.entry, e.data AS text FROM chain c JOIN events e ON e."position" = c."position"
       WHERE c."position" = $1`,
      [position],
    );
    return rows[0];
  }

  private async privatePart(entry: string): Promise<ReceiptProof['private']> {
    const id = readHeading(entry)?.private?.id;
    const part = id === undefined ? undefined : (await findPrivateParts(this.parts.db, [id])).get(id);
    return part && { salt: hex(part.salt), text: part.text };
  }

  private async proven(ledger: string, prove: (nodes: NodeSource) => Promise<Buffer[]>): Promise<Buffer[]> {
    try {
      return await prove(keptNodes(this.parts.db, ledger));
    } catch (error) {
      if (!(error instanceof NodeGone)) throw error;
      throw refuse('ledger-damaged', `${error.message}: verify the ledger`);
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function refuse(code: ProofRefusal, detail: string): Rejected<ProofRefusal> {
  return new Rejected(code, detail);
}
