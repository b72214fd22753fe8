import assert from 'node:assert/strict';
import type { Sealed } from '#chain';
import { type Decider, Rejected } from '#decider';
import { idKey, type Party, sameId } from '#ocpi';
import type { Taxed } from '#settlement';
import type { Finding } from './finding.ts';
import type { PricingNote } from './pricing-note.ts';
import type { PublicCdr } from './private-part.ts';

/**
 * All CDRs and Credit CDRs of one session of ours: the stream `cdr-<session>`. The n-th CDR is
 * `<session>-<n>`, its credit `<session>-<n>-C`; n+1 only comes with the credit of n. A correction
 * is both in one append.
 */

/** A CDR of ours entered the ledger. */
export interface CdrIssued {
  readonly type: 'CdrIssued';
  /** The party whose chain it is in: `CA*BCT`. */
  readonly ledger: string;
  readonly sessionId: string;
  /** 1, 2, 3 … */
  readonly number: number;
  /** Who owns the token, and so is billed. */
  readonly tokenParty: Party;
  readonly cdr: PublicCdr;
  readonly pricing: PricingNote;
  /** How it is settled; entries of former releases have none. */
  readonly taxed?: Taxed;
  /** Absent: nothing was found. */
  readonly findings?: readonly Finding[];
  readonly private: Sealed;
}

/** A CDR of ours was credited in full. */
export interface CdrCredited {
  readonly type: 'CdrCredited';
  readonly ledger: string;
  readonly sessionId: string;
  /** Of the CDR that it credits. */
  readonly number: number;
  readonly tokenParty: Party;
  /** The Credit CDR. */
  readonly cdr: PublicCdr;
  readonly taxed?: Taxed;
  readonly commandId: string;
  readonly replaced: boolean;
  readonly private: Sealed;
}

/** The partner has it. */
export interface CdrAcknowledged {
  readonly type: 'CdrAcknowledged';
  readonly ledger: string;
  readonly cdrId: string;
  readonly at: string;
  /** Where the partner says that it keeps it. */
  readonly locationUrl: string;
}

/** Why a session that ended is never billed. */
export type Unbillable = 'session-not-completed' | 'session-without-token' | 'reservation-without-price';

export interface SessionLeftUnbilled {
  readonly type: 'SessionLeftUnbilled';
  readonly ledger: string;
  readonly sessionId: string;
  readonly reason: Unbillable;
  readonly at: string;
}

export type SessionCdrEvent = CdrIssued | CdrCredited | CdrAcknowledged | SessionLeftUnbilled;

export interface IssueCdr {
  readonly type: 'IssueCdr';
  readonly ledger: string;
  readonly sessionId: string;
  readonly tokenParty: Party;
  /** As `<session>-1`. */
  readonly cdr: PublicCdr;
  readonly pricing: PricingNote;
  readonly taxed?: Taxed;
  readonly findings?: readonly Finding[];
  readonly private: Sealed;
}

export interface LeaveUnbilled {
  readonly type: 'LeaveUnbilled';
  readonly ledger: string;
  readonly sessionId: string;
  readonly reason: Unbillable;
  readonly at: string;
}

export interface CorrectCdr {
  readonly type: 'CorrectCdr';
  /** Kept by whoever orders across retries. */
  readonly commandId: string;
  readonly cdrId: string;
  /** The Credit CDR (the reason is in its private part), and what replaces it, if anything does. */
  readonly credit: { readonly cdr: PublicCdr; readonly taxed?: Taxed; readonly private: Sealed };
  readonly replacement?: {
    readonly cdr: PublicCdr;
    readonly pricing: PricingNote;
    readonly taxed?: Taxed;
    readonly findings?: readonly Finding[];
    readonly private: Sealed;
  };
}

export interface AcknowledgeCdr {
  readonly type: 'AcknowledgeCdr';
  readonly cdrId: string;
  readonly at: string;
  readonly locationUrl: string;
}

export type SessionCdrCommand = IssueCdr | LeaveUnbilled | CorrectCdr | AcknowledgeCdr;

export type CdrRefusal = 'unknown-cdr' | 'already-credited';

/** A correction that was made: what a repeat of it is answered with. */
export interface Correction {
  readonly creditCdrId: string;
  readonly replacementCdrId?: string;
}

export interface SessionCdrs {
  readonly unbilled: boolean;
  /** The newest CDR; the older ones are all credited. */
  readonly newest: CdrIssued | undefined;
  readonly credited: boolean;
  /** By command id; a session has few. */
  readonly corrections: Readonly<Record<string, Correction>>;
  readonly acknowledged: readonly string[];
}

export function cdrIdOf(sessionId: string, number: number): string {
  return `${sessionId}-${number}`;
}

/** The session and number of one of our ids; undefined for an id that is none of ours. */
export function readCdrId(
  cdrId: string,
): { sessionId: string; number: number; credit: boolean } | undefined {
  const match = /^(.+)-([1-9]\d{0,5})(-C)?$/i.exec(cdrId);
  return match
    ? { sessionId: match[1]!, number: Number(match[2]), credit: match[3] !== undefined }
    : undefined;
}

export function sessionStream(sessionId: string): string {
  return `cdr-${idKey(sessionId)}`;
}

export const sessionCdrs: Decider<SessionCdrs, SessionCdrCommand, SessionCdrEvent> = {
  initial: {
    unbilled: false,
    newest: undefined,
    credited: false,
    corrections: {},
    acknowledged: [],
  },

  decide(command, cdrs) {
    switch (command.type) {
      case 'IssueCdr': {
        // Told again, or ordered again, whatever it would cost by now.
        if (cdrs.newest || cdrs.unbilled) return [];
        assert.equal(command.cdr.id, cdrIdOf(command.sessionId, 1));
        return [{ ...command, type: 'CdrIssued', number: 1 }];
      }
      case 'LeaveUnbilled':
        return cdrs.newest || cdrs.unbilled ? [] : [{ ...command, type: 'SessionLeftUnbilled' }];
      case 'CorrectCdr':
        return correct(command, cdrs);
      case 'AcknowledgeCdr': {
        if (!cdrs.newest || !wasIssued(command.cdrId, cdrs.newest, cdrs.credited))
          throw refuse('unknown-cdr', command.cdrId);
        if (cdrs.acknowledged.includes(command.cdrId)) return [];
        return [{ ...command, type: 'CdrAcknowledged', ledger: cdrs.newest.ledger }];
      }
    }
  },

  evolve(cdrs, event) {
    switch (event.type) {
      case 'CdrIssued':
        return { ...cdrs, newest: event, credited: false };
      case 'CdrCredited': {
        const { number, sessionId, replaced, commandId } = event;
        const correction: Correction = {
          creditCdrId: event.cdr.id,
          ...(replaced ? { replacementCdrId: cdrIdOf(sessionId, number + 1) } : {}),
        };
        return {
          ...cdrs,
          credited: true,
          corrections: { ...cdrs.corrections, [commandId]: correction },
        };
      }
      case 'CdrAcknowledged':
        return { ...cdrs, acknowledged: [...cdrs.acknowledged, event.cdrId] };
      case 'SessionLeftUnbilled':
        return { ...cdrs, unbilled: true };
    }
  },
};

function correct(command: CorrectCdr, cdrs: SessionCdrs): readonly SessionCdrEvent[] {
  const { commandId, cdrId, credit, replacement } = command;
  if (correctionBy(commandId, cdrs)) return [];
  const standing = standingCdr(cdrId, cdrs);
  const { ledger, sessionId, number, tokenParty } = standing;
  assert.equal(credit.cdr.credit_reference_id, standing.cdr.id);
  const credited: CdrCredited = {
    type: 'CdrCredited',
    ledger,
    sessionId,
    number,
    tokenParty,
    cdr: credit.cdr,
    ...(credit.taxed && { taxed: credit.taxed }),
    commandId,
    replaced: replacement !== undefined,
    private: credit.private,
  };
  if (!replacement) return [credited];
  assert.equal(replacement.cdr.id, cdrIdOf(sessionId, number + 1));
  return [
    credited,
    { type: 'CdrIssued', ledger, sessionId, number: number + 1, tokenParty, ...replacement },
  ];
}

/** The correction that a command made, if it was carried out. */
export function correctionBy(commandId: string, { corrections }: SessionCdrs) {
  return Object.hasOwn(corrections, commandId) ? corrections[commandId] : undefined;
}

/** The CDR that can be credited under this id. Throws Rejected. */
export function standingCdr(cdrId: string, { newest, credited }: SessionCdrs): CdrIssued {
  const id = readCdrId(cdrId);
  if (!newest || !id || id.number > newest.number) throw refuse('unknown-cdr', `cdr_id: there is no CDR ${cdrId} of ours`);
  if (id.credit) throw refuse('unknown-cdr', `${cdrId} is a Credit CDR, which is never credited`);
  if (id.number < newest.number || credited) throw refuse('already-credited', `cdr_id: CDR ${cdrId} has been credited already`);
  return newest;
}

function wasIssued(cdrId: string, newest: CdrIssued, credited: boolean): boolean {
  const id = readCdrId(cdrId);
  if (!id || !sameId(id.sessionId, newest.sessionId)) return false;
  return id.number < newest.number || (id.number === newest.number && (!id.credit || credited));
}

function refuse(code: CdrRefusal, detail: string): Rejected<CdrRefusal> {
  return new Rejected(code, detail);
}
