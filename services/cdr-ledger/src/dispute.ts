import type { Sealed } from '#chain';
import { type Decider, Rejected } from '#decider';
import { idKey, type Party } from '#ocpi';

/**
 * The disputes over one CDR, ours or a partner's, one after the other: opened → answered → credited
 * or withdrawn. OCPI has no message for it, so both sides keep their own: over a CDR received we are
 * the one who disputes, over one issued the partner is, who told us by other means. A Credit CDR for
 * the CDR that was not there yet ends it by itself; over what that left there may be another. What people write lies in
 * private parts, under the contract's key.
 */

/** The CDR that is disputed. */
export interface DisputedCdr extends Party {
  readonly id: string;
}

/** What is in doubt, decimal text as it is payable: incl. VAT where the CDR has it. */
export interface DisputedAmount {
  readonly currency: string;
  readonly payable: string;
}

/** Who says that the CDR is wrong. */
export type Complainant = 'us' | 'partner';

export interface DisputeOpened {
  readonly type: 'DisputeOpened';
  /** Our own party, whose chain it is in. */
  readonly ledger: string;
  readonly cdr: DisputedCdr;
  /** 1, 2, 3 … of this CDR. */
  readonly number: number;
  /** Whom it is with: the issuer of a CDR received, the token's owner of one issued. */
  readonly partner: Party;
  readonly complainant: Complainant;
  /** Codes of what was found. */
  readonly findings: readonly string[];
  readonly amount: DisputedAmount;
  /** Credit CDRs that took back a part of it before. */
  readonly creditedBefore?: readonly string[];
  readonly at: string;
  readonly commandId: string;
  /** Of the reason. */
  readonly private: Sealed;
}

interface OfDispute {
  readonly ledger: string;
  readonly cdr: DisputedCdr;
  readonly number: number;
  readonly at: string;
}

export interface DisputeAnswered extends OfDispute {
  readonly type: 'DisputeAnswered';
  /** The CPO agrees that the CDR is wrong; it is settled by its Credit CDR only. */
  readonly accepted: boolean;
  readonly commandId: string;
  /** Of the answer. */
  readonly private: Sealed;
}

export interface DisputeWithdrawn extends OfDispute {
  readonly type: 'DisputeWithdrawn';
  readonly commandId: string;
  /** Of the reason. */
  readonly private: Sealed;
}

export interface DisputeCredited extends OfDispute {
  readonly type: 'DisputeCredited';
  readonly creditCdrId: string;
}

export type DisputeEvent = DisputeOpened | DisputeAnswered | DisputeWithdrawn | DisputeCredited;

export type OpenDispute = Omit<DisputeOpened, 'type' | 'number'> & { readonly type: 'OpenDispute' };

export interface AnswerDispute {
  readonly type: 'AnswerDispute';
  readonly commandId: string;
  readonly number: number;
  readonly accepted: boolean;
  readonly at: string;
  readonly private: Sealed;
}

export interface WithdrawDispute {
  readonly type: 'WithdrawDispute';
  readonly commandId: string;
  readonly number: number;
  readonly at: string;
  readonly private: Sealed;
}

/** A Credit CDR for the CDR is in the ledger. */
export interface NoteCredit {
  readonly type: 'NoteCredit';
  readonly creditCdrId: string;
  readonly at: string;
}

export type DisputeCommand = OpenDispute | AnswerDispute | WithdrawDispute | NoteCredit;

export type DisputeRefusal =
  | 'unknown-dispute'
  | 'dispute-is-open'
  | 'dispute-is-closed'
  | 'dispute-was-answered';

export type DisputeState = 'opened' | 'answered' | 'credited' | 'withdrawn';

export interface DisputesOfCdr {
  /** The newest; those before it have all ended. */
  readonly newest: Pick<DisputeOpened, 'ledger' | 'cdr' | 'number'> | undefined;
  readonly state: DisputeState | undefined;
  /** Credit CDRs that ended one, or were there before. */
  readonly credits: readonly string[];
  /** Which dispute a command was about, by its id; a CDR has few. */
  readonly done: Readonly<Record<string, number>>;
}

export function disputeStream({ country_code, party_id, id }: DisputedCdr): string {
  return `dispute-${country_code.toUpperCase()}-${party_id.toUpperCase()}-${idKey(id)}`;
}

export const disputesOfCdr: Decider<DisputesOfCdr, DisputeCommand, DisputeEvent> = {
  initial: { newest: undefined, state: undefined, credits: [], done: {} },

  decide(command, disputes) {
    if ('commandId' in command && disputeBy(command.commandId, disputes) !== undefined) return [];
    switch (command.type) {
      case 'OpenDispute':
        return [
          { ...command, type: 'DisputeOpened', number: nextNumber(command.cdr.id, disputes) },
        ];
      case 'AnswerDispute': {
        const { ledger, cdr } = standing(command.number, disputes);
        if (disputes.state === 'answered')
          throw refuse('dispute-was-answered', `dispute ${command.number} of CDR ${cdr.id} has its answer: withdraw it, or credit the CDR`);
        return [{ ...command, type: 'DisputeAnswered', ledger, cdr }];
      }
      case 'WithdrawDispute': {
        // Ordered twice under two ids: it is withdrawn.
        const { newest, state } = disputes;
        if (newest?.number === command.number && state === 'withdrawn') return [];
        const { ledger, cdr } = standing(command.number, disputes);
        return [{ ...command, type: 'DisputeWithdrawn', ledger, cdr }];
      }
      case 'NoteCredit': {
        const { newest } = disputes;
        if (!newest || !isOpen(disputes) || disputes.credits.includes(command.creditCdrId)) return [];
        const { ledger, cdr, number } = newest;
        return [{ ...command, type: 'DisputeCredited', ledger, cdr, number }];
      }
    }
  },

  evolve(disputes, event) {
    const done =
      'commandId' in event ? { ...disputes.done, [event.commandId]: event.number } : disputes.done;
    switch (event.type) {
      case 'DisputeOpened': {
        const { ledger, cdr, number, creditedBefore = [] } = event;
        return { newest: { ledger, cdr, number }, state: 'opened', credits: [...disputes.credits, ...creditedBefore], done };
      }
      case 'DisputeAnswered':
        return { ...disputes, state: 'answered', done };
      case 'DisputeWithdrawn':
        return { ...disputes, state: 'withdrawn', done };
      case 'DisputeCredited':
        return { ...disputes, state: 'credited', credits: [...disputes.credits, event.creditCdrId] };
    }
  },
};

/** The number of the dispute that a command was carried out on, if it was. */
export function disputeBy(commandId: string, { done }: DisputesOfCdr): number | undefined {
  return Object.hasOwn(done, commandId) ? done[commandId] : undefined;
}

function isOpen({ state }: DisputesOfCdr): boolean {
  return state === 'opened' || state === 'answered';
}

function nextNumber(cdrId: string, disputes: DisputesOfCdr): number {
  const number = disputes.newest?.number ?? 0;
  if (isOpen(disputes))
    throw refuse('dispute-is-open', `dispute ${number} of CDR ${cdrId} is open: end it first`);
  return number + 1;
}

function standing(number: number, disputes: DisputesOfCdr) {
  const { newest, state } = disputes;
  if (!newest) throw refuse('unknown-dispute', 'the CDR was never disputed');
  if (number > newest.number)
    throw refuse('unknown-dispute', `CDR ${newest.cdr.id} has no dispute ${number}, the newest is ${newest.number}`);
  if (number < newest.number || !isOpen(disputes)) {
    const ended = number < newest.number ? 'has ended' : `was ${state}`;
    throw refuse('dispute-is-closed', `dispute ${number} of CDR ${newest.cdr.id} ${ended}`);
  }
  return newest;
}

function refuse(code: DisputeRefusal, detail: string): Rejected<DisputeRefusal> {
  return new Rejected(code, detail);
}
