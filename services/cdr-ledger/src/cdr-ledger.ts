import type { EventStore } from '#event-store';
import { type Cdr, type Party, partyText } from '#ocpi';
import { settledCdr, taxedOf } from '#settlement';
import type { Marks } from '#erasure';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import type { Clock } from '#time';
import { readInstant } from './answers.ts';
import { billOf, type EndedSession, whyUnbillable } from './bill.ts';
import {
  readCdrId,
  type SessionCdrCommand,
  sessionCdrs,
  sessionStream,
} from './cdr.ts';
import { correct, type OrderedCorrection, sealed } from './correcting.ts';
import { type Finding, meterFindings } from './finding.ts';
import { type Following, NotCaughtUp } from './follow.ts';
import { receiverOf } from './ledgers.ts';
import { creditedId, knownId, namesNone } from './meant.ts';
import type { MeterKeyOf } from './meters.ts';
import type { Pace } from './pace.ts';
import { privateParts, type PrivateParts } from './private-parts.ts';
import {
  cdrsOfToken,
  findCdr,
  openCdrOfSession,
  type ListedCdr,
} from './projections/listed-cdr.ts';
import { type ListWindow, pageOfCdrs } from './projections/cdr-pages.ts';
import { rowOf } from './projections/cdr-row.ts';
import { creditedSoFar } from './projections/credits.ts';
import { receivedCdrs, type ReceivedWindow } from './projections/received-cdrs.ts';
import type { RowsAhead } from './projections/rows-ahead.ts';
import { type CdrReceived, meantCdr, receivedStream } from './received-cdr.ts';
import { type ReceivedBody, readBody, receive } from './receiving.ts';
import { type Order, Recorder } from './record.ts';
import type { PublishedOf } from './published.ts';
import { reviewSigned } from './review-signed.ts';
import type { ZoneOf } from './places.ts';

export interface CdrLedgerParts {
  readonly db: Database;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly zoneOf: ZoneOf;
  readonly publishedOf: PublishedOf;
  readonly meterKeyOf: MeterKeyOf;
  /** The follower of the log that lists CDRs. */
  readonly list: Following;
  /** Who was erased. */
  readonly marks?: Marks;
  /** Of recording; without it nothing is waited for. */
  readonly pace?: Pace;
  /** What the list needs not make again. */
  readonly ahead?: RowsAhead;
}

interface Received {
  readonly isNew: boolean;
  readonly cdr: Cdr;
  readonly findings: readonly Finding[];
  readonly recordedAt: string;
}

type Ordered = Promise<Order<SessionCdrCommand> | undefined>;

/** The service's verbs. Whoever reads sees all that was recorded before. */
export class CdrLedger {
  private readonly recorder: Recorder;
  private readonly privateParts: PrivateParts;
  /** Of each CDR that is being recorded or credited, the last one that is about it. */
  private readonly inTurn = new Map<string, Promise<unknown>>();

  constructor(private readonly parts: CdrLedgerParts) {
    this.privateParts = privateParts(parts.db, parts.marks);
    this.recorder = new Recorder(parts.store, this.privateParts, parts.pace, parts.ahead);
  }

  /** Bills a session that ended; told again, it does nothing. */
  async issue(ended: EndedSession): Promise<void> {
    const { session, token } = ended;
    await this.recorder.record(
      sessionStream(session.id),
      sessionCdrs,
      async ({ newest, unbilled }): Ordered => {
        if (newest || unbilled) return undefined;
        const at = this.parts.clock.iso();
        const about = { ledger: partyText(session), sessionId: session.id };
        const reason = whyUnbillable(ended);
        if (reason) return { parts: [], command: { type: 'LeaveUnbilled', ...about, reason, at } };
        const { cdr, pricing } = billOf(ended, at);
        const findings = [...meterFindings(ended), ...reviewSigned(cdr, this.parts.meterKeyOf(cdr))];
        const { part, entry } = sealed(cdr);
        const settled = settledCdr(entry.cdr);
        const tokenParty = { country_code: token.country_code, party_id: token.party_id };
        return {
          parts: [part],
          command: {
            type: 'IssueCdr',
            ...about,
            tokenParty,
            ...entry,
            pricing,
            taxed: taxedOf(settled),
            ...(findings.length > 0 ? { findings } : {}),
          },
          row: rowOf(true, { ...entry, tokenParty, findings }, undefined, settled),
        };
      },
      { isLikelyNew: true },
    );
  }

  correct(ordered: OrderedCorrection): ReturnType<typeof correct> {
    const { clock, meterKeyOf } = this.parts;
    return correct({ recorder: this.recorder, privateParts: this.privateParts, clock, meterKeyOf }, ordered);
  }

  /** The partner has a CDR of ours. One that is none of ours is of no interest. */
  async acknowledge(delivered: { cdrId: string; at: string; locationUrl: string }): Promise<void> {
    const id = readCdrId(delivered.cdrId);
    if (!id) return;
    await this.recorder.record(sessionStream(id.sessionId), sessionCdrs, async (): Ordered => ({
      parts: [],
      command: { type: 'AcknowledgeCdr', ...delivered },
    }));
  }

  /**
   * Records a partner's CDR, one and its credits one after the other: each credit takes back what those before it left.
   * `isNew` is false for one that was recorded before. Throws Rejected.
   */
  async receive(bytes: Uint8Array): Promise<Received> {
    const body = readBody(bytes, this.parts.parties);
    const { country_code, party_id, id } = body.cdr;
    const credited = creditedId(body.cdr, namesNone(body.cdr) ? await this.openOriginal(body.cdr) : undefined);
    const about = receivedStream({ country_code, party_id, id: credited ?? id });
    const before = this.inTurn.get(about);
    const turn = Promise.allSettled([before]).then(() =>
      credited === undefined ? this.receiveNow(body) : this.receiveCredit(about, body));
    this.inTurn.set(about, turn);
    try {
      return await turn;
    } finally {
      if (this.inTurn.get(about) === turn) this.inTurn.delete(about);
    }
  }

  /** Another process may be at another credit of the same CDR. */
  private receiveCredit(about: string, body: ReceivedBody): Promise<Received> {
    return this.parts.db.tx(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [about]);
      return this.receiveNow(body);
    }, { durable: false, asksBeside: true });
  }

  private async receiveNow(body: ReceivedBody): Promise<Received> {
    const { db, parties, clock, zoneOf, publishedOf, meterKeyOf } = this.parts;
    const ownParty = receiverOf(parties, body.cdr.cdr_token);
    const { event, recordedAt } = await receive(
      {
        recorder: this.recorder,
        privateParts: this.privateParts,
        clock,
        ownParty,
        zoneOf,
        publishedOf,
        meterKeyOf,
        // Found again, in turn: another credit of it may have come before.
        originalOf: (cdr) => this.openOriginal(cdr),
        creditedSoFar: async (issuer, cdrId) => {
          await this.listCaughtUp();
          return creditedSoFar(db, issuer, cdrId);
        },
      },
      body,
    );
    const cdr = { ...body.cdr, id: knownId(body.cdr) };
    // What the list finds beside it, such as an overlap, nobody waits for.
    const isFinal = event !== undefined && meantCdr(event).credit !== true;
    const findings = isFinal ? event.findings : await this.findingsOf(cdr, event);
    return { isNew: event !== undefined, cdr, findings, recordedAt };
  }

  private async openOriginal(cdr: Cdr): Promise<string | undefined> {
    await this.listCaughtUp();
    return openCdrOfSession(this.parts.db, cdr);
  }

  /** What the list finds about a credit and its original comes after the record. */
  private async findingsOf(cdr: Cdr, event: CdrReceived | undefined): Promise<readonly Finding[]> {
    await this.listCaughtUp();
    return (await findCdr(this.parts.db, cdr, cdr.id))?.findings ?? event?.findings ?? [];
  }

  /** As far as may be: a list that lags must not make the partner send again. */
  private async listCaughtUp(): Promise<void> {
    await this.parts.list.caughtUp().catch((error: unknown) => {
      if (!(error instanceof NotCaughtUp)) throw error;
    });
  }

  async find(party: Party, cdrId: string): Promise<ListedCdr | undefined> {
    await this.parts.list.caughtUp();
    return findCdr(this.parts.db, party, cdrId);
  }

  /** Ours, or those of one of our parties, for tokens of these parties, in the order of their creation. */
  async page(
    tokenParties: readonly Party[] | 'anybody',
    window: ListWindow,
    issuer?: Party,
  ): Promise<{ cdrs: ListedCdr[]; total: number }> {
    await this.parts.list.caughtUp();
    const read = { ...window, from: readInstant(window.from), to: readInstant(window.to) };
    return pageOfCdrs(this.parts.db, tokenParties, read, issuer);
  }

  /** Those that partners sent, behind a position. */
  async received(window: ReceivedWindow): Promise<ListedCdr[]> {
    await this.parts.list.caughtUp();
    return receivedCdrs(this.parts.db, { ...window, from: readInstant(window.from), to: readInstant(window.to) });
  }

  async ofToken(tokenParty: Party, uid: string, limit: number): Promise<ListedCdr[]> {
    await this.parts.list.caughtUp();
    return cdrsOfToken(this.parts.db, tokenParty, uid, limit);
  }
}
