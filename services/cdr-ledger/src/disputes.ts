import { randomUUID } from 'node:crypto';
import { Rejected } from '#decider';
import { Decimal, decimal, exactText, max, sum } from '#money';
import { type CdrToken, type Party, partyText } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { settledCdr } from '#settlement';
import type { Clock } from '#time';
import { cdrOf } from './answers.ts';
import {
  type DisputeCommand,
  type DisputedAmount,
  type DisputedCdr,
  disputeBy,
  type DisputeRefusal,
  disputesOfCdr,
  disputeStream,
} from './dispute.ts';
import { isHarmless } from './finding.ts';
import type { Following } from './follow.ts';
import { receiverOf } from './ledgers.ts';
import { privatePart, type PrivatePart, sealOf } from './private-part.ts';
import { creditedSoFar, creditsOf } from './projections/credits.ts';
import { findCdr, type ListedCdr } from './projections/listed-cdr.ts';
import {
  type DisputeWindow,
  findDispute,
  type ListedDispute,
  pageOfDisputes,
} from './projections/dispute-list.ts';
import type { Order, Recorder } from './record.ts';
import { newSalt } from './salt.ts';
import { isWhole } from './taken-back.ts';

export interface DisputesParts {
  readonly db: Database;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly cdrs: Pick<Following, 'caughtUp'>;
  readonly list: Pick<Following, 'caughtUp'>;
}

export interface OpeningDispute {
  /** The same on every retry. */
  readonly commandId: string;
  readonly party: Party;
  readonly cdrId: string;
  readonly reason: string;
  readonly findings: readonly string[];
  readonly amount?: string | undefined;
}

export type DisputesRefusal = DisputeRefusal | 'unknown-cdr' | 'already-credited' | 'invalid-object';

type Ordered = Order<DisputeCommand>;

/** The verbs of disputes. Whoever reads sees all that was recorded before. */
export class Disputes {
  constructor(private readonly parts: DisputesParts) {}

  async open(opening: OpeningDispute): Promise<ListedDispute> {
    const { commandId, party, cdrId } = opening;
    const cdr = nameOf(await this.cdr(party, cdrId));
    const { state } = await this.parts.recorder.record(
      disputeStream(cdr),
      disputesOfCdr,
      async (disputes): Promise<Ordered | undefined> => {
        if (disputeBy(commandId, disputes) !== undefined) return undefined;
        // Read by now: a credit that ended another dispute is among those before.
        return this.opened(opening, await this.cdr(party, cdrId));
      },
    );
    return this.standing(cdr, disputeBy(commandId, state)!);
  }

  /** What the CPO says to it: our answer over a CDR of ours, the partner's over one received. */
  answer(
    disputeId: string,
    { commandId, accepted, answer }: { commandId: string; accepted: boolean; answer: string },
  ): Promise<ListedDispute> {
    return this.carryOut(disputeId, { answer: written('answer', answer) }, (about, sealed) => ({
      type: 'AnswerDispute',
      commandId,
      accepted,
      ...about,
      private: sealed,
    }));
  }

  withdraw(
    disputeId: string,
    { commandId, reason }: { commandId: string; reason: string },
  ): Promise<ListedDispute> {
    return this.carryOut(disputeId, { reason: written('reason', reason) }, (about, sealed) => ({
      type: 'WithdrawDispute',
      commandId,
      ...about,
      private: sealed,
    }));
  }

  async find(disputeId: string): Promise<ListedDispute> {
    const { cdr, number } = readDisputeId(disputeId);
    return this.standing(cdr, number);
  }

  async page(window: DisputeWindow): Promise<{ disputes: ListedDispute[]; total: number }> {
    await this.parts.list.caughtUp();
    return pageOfDisputes(this.parts.db, window);
  }

  private async carryOut(
    disputeId: string,
    text: object,
    command: (about: { number: number; at: string }, sealed: ReturnType<typeof sealOf>) => DisputeCommand,
  ): Promise<ListedDispute> {
    const { cdr, number } = readDisputeId(disputeId);
    const listed = await this.cdr(cdr, cdr.id).catch((error: unknown) => {
      if (!(error instanceof Rejected)) throw error;
      throw refuse('unknown-dispute', disputeId);
    });
    await this.parts.recorder.record(
      disputeStream(cdr),
      disputesOfCdr,
      async (): Promise<Ordered> => {
        const part = partOf(cdrOf(listed), text);
        const about = { number, at: this.parts.clock.iso() };
        return { parts: [part], command: command(about, sealOf(part)) };
      },
    );
    return this.standing(cdr, number);
  }

  /** Throws Rejected where nothing is left to dispute. */
  private async opened(opening: OpeningDispute, listed: ListedCdr): Promise<Ordered> {
    const { commandId, reason, findings, amount } = opening;
    const { creditedBefore, left } = await this.credited(listed);
    const { cdr, own, tokenParty } = listed;
    const part = partOf(cdrOf(listed), { reason: written('reason', reason) });
    return {
      parts: [part],
      command: {
        type: 'OpenDispute',
        ledger: partyText(own ? cdr : receiverOf(this.parts.parties, tokenParty)),
        cdr: nameOf(listed),
        partner: own ? tokenParty : { country_code: cdr.country_code, party_id: cdr.party_id },
        complainant: own ? 'partner' : 'us',
        findings:
          findings.length > 0 ? codes(findings) : reasonsIn(listed),
        amount: doubtful(amount, left),
        ...(creditedBefore.length > 0 ? { creditedBefore } : {}),
        at: this.parts.clock.iso(),
        commandId,
        private: sealOf(part),
      },
    };
  }

  private async credited({ cdr, creditedBy }: ListedCdr): Promise<{ creditedBefore: string[]; left: Payable }> {
    const { currency, incl_tax } = settledCdr(cdr);
    const payable = decimal(incl_tax);
    if (creditedBy === undefined) return { creditedBefore: [], left: { currency, payable: payable.abs() } };
    const [creditedBefore, soFar] = await Promise.all([
      creditsOf(this.parts.db, cdr, cdr.id), creditedSoFar(this.parts.db, cdr, cdr.id),
    ]);
    const credits = soFar!.before.filter((credit) => credit.currency === currency);
    if (isWhole(soFar!.original, credits)) throw refuse('already-credited', `CDR ${cdr.id} by ${creditedBefore.join(', ')}`);
    const back = sum(credits.map((credit) => decimal(credit.incl_tax)));
    return { creditedBefore, left: { currency, payable: max(payable.abs().sub(back.abs()), Decimal.zero) } };
  }

  private async cdr(party: Party, cdrId: string): Promise<ListedCdr> {
    await this.parts.cdrs.caughtUp();
    const listed = await findCdr(this.parts.db, party, cdrId);
    if (!listed) throw refuse('unknown-cdr', `${partyText(party)} has no CDR ${cdrId} here`);
    return listed;
  }

  private async standing(cdr: DisputedCdr, number: number): Promise<ListedDispute> {
    await this.parts.list.caughtUp();
    const dispute = await findDispute(this.parts.db, cdr, number);
    if (!dispute) throw refuse('unknown-dispute', disputeIdOf({ cdr, number }));
    return dispute;
  }
}

/** `<country>*<party>*<cdr id>*<number>`. */
export function disputeIdOf({ cdr, number }: Pick<ListedDispute, 'cdr' | 'number'>): string {
  return `${partyText(cdr)}*${cdr.id}*${number}`;
}

function readDisputeId(disputeId: string): { cdr: DisputedCdr; number: number } {
  const match = /^([A-Za-z]{2})\*([A-Za-z0-9]{3})\*(.{1,39})\*([1-9]\d{0,5})$/.exec(disputeId);
  if (!match) throw refuse('unknown-dispute', `${disputeId.slice(0, 60)} is no id of a dispute`);
  const [, country_code = '', party_id = '', id = '', number] = match;
  return { cdr: { country_code, party_id, id }, number: Number(number) };
}

function nameOf({ cdr: { country_code, party_id, id } }: Pick<ListedCdr, 'cdr'>): DisputedCdr {
  return { country_code, party_id, id };
}

/** Beside the CDR's own, under the key of the same contract. */
function partOf({ cdr_token }: { readonly cdr_token: CdrToken }, text: object): PrivatePart {
  return privatePart(cdr_token, JSON.stringify(text), { id: randomUUID(), salt: newSalt() });
}

const TEXT_MAX = 2_000;

function written(field: string, text: string): string {
  if (text.length > TEXT_MAX) throw refuse('invalid-object', `${field}: has more than ${TEXT_MAX} characters`);
  return text;
}

/** What was found may say nothing against the CDR; where it is all there is, it is named. */
function reasonsIn({ findings }: ListedCdr): readonly string[] {
  const against = findings.filter((finding) => !isHarmless(finding));
  return [...new Set((against.length > 0 ? against : findings).map(({ code }) => code))];
}

function codes(findings: readonly string[]): readonly string[] {
  const odd = findings.find((code) => !/^[a-z][a-z-]{0,59}$/.test(code));
  if (odd !== undefined)
    throw refuse('invalid-object', `findings: "${odd.slice(0, 60)}" is no code such as price-differs`);
  if (findings.length > 50) throw refuse('invalid-object', 'findings: are more than 50');
  return [...new Set(findings)];
}

/** Of a CDR, as it is settled, but for what was credited. */
interface Payable {
  readonly currency: string;
  readonly payable: Decimal;
}

/** What is in doubt: at most all that is payable, which is what it is unless said otherwise. */
function doubtful(amount: string | undefined, { currency, payable }: Payable): DisputedAmount {
  if (amount === undefined) return { currency, payable: payable.toString() };
  const given = readAmount(amount);
  if (given === undefined || given.isNegative() || given.compare(payable) > 0)
    throw refuse('invalid-object', `amount: ${amount.slice(0, 40)} is not between 0 and the ${exactText(payable, currency)} ${currency} of the CDR that are not credited`);
  return { currency, payable: given.toString() };
}

function readAmount(text: string): Decimal | undefined {
  try {
    return decimal(text);
  } catch {
    return undefined;
  }
}

function refuse(code: DisputesRefusal, detail: string): Rejected<DisputesRefusal> {
  return new Rejected(code, detail);
}
