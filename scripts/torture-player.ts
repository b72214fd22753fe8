import { Refused, told } from '#bus';
import { bookPayment } from '#contracts/accounts';
import { correctCdr, type CdrCorrected, type CdrIssued, receiveCdr } from '#contracts/cdr-ledger';
import { answerDispute, openDispute, withdrawDispute } from '#contracts/disputes';
import { rebuildProjection } from '#contracts/ledger';
import { cdrDelivered } from '#contracts/ocpi-gateway';
import type { Cdr, Party } from '#ocpi';
import { badInput } from './torture-bad.ts';
import type { Bill, Book, Findings } from './torture-book.ts';
import { chargeEnded, driverOf } from './torture-charge.ts';
import { Draw } from './torture-draw.ts';
import type { Neighbour } from './torture-neighbour.ts';
import type { SideNumber, Step } from './torture-steps.ts';

export interface Playing {
  readonly seed: number;
  readonly neighbours: readonly [Neighbour, Neighbour];
  readonly books: readonly [Book, Book];
  readonly findings: Findings;
  /** Has something done so many steps later, beside what else is done then. */
  later(steps: number, what: string, work: () => Promise<void>): void;
}

type Doing<K extends Step['do']> = Extract<Step, { do: K }>;

/** Refusals that the order of things explains: of what is not there yet, or not any more. */
const IN_THIS_ORDER = {
  correct: ['unknown-cdr', 'already-credited'],
  dispute: ['unknown-cdr', 'dispute-is-open', 'already-credited'],
  answer: ['unknown-dispute', 'dispute-was-answered', 'dispute-is-closed'],
  withdraw: ['unknown-dispute', 'dispute-is-closed'],
  pay: ['unknown-account'],
} as const;

/** Does the steps: each copy of a message at its time, and notes what the ledgers answered. */
export class Player {
  private readonly by: Playing;

  constructor(by: Playing) {
    this.by = by;
  }

  play(step: Exclude<Step, { do: 'fault' }>): void {
    this.by.findings.count(step.do);
    switch (step.do) {
      case 'charge':
        return this.charge(step);
      case 'correct':
        return this.repeat(step, () => this.correct(step));
      case 'dispute':
        return this.repeat(step, () => this.dispute(step));
      case 'answer':
      case 'withdraw':
        return this.repeat(step, () => this.settleDispute(step));
      case 'pay':
        return this.pay(step);
      case 'send-bad':
        return this.by.later(0, step.input, () => this.sendBad(step));
      case 'rebuild':
        return this.by.later(0, 'rebuild', async () => {
          this.outcome(await this.neighbour(step.side).ask(rebuildProjection, { name: step.projection }), []);
        });
    }
  }

  /** A ledger told of a CDR: it goes to the other one, once or more, soon or late. */
  issued(side: SideNumber, { cdrId, cdrJson }: CdrIssued): void {
    const { bills } = this.book(side);
    const known = bills.get(cdrId);
    if (known) {
      if (Buffer.compare(known.bytes, cdrJson) !== 0) this.by.findings.wrong(`CDR ${cdrId} was told with two contents`);
      return;
    }
    const bill: Bill = { id: cdrId, bytes: cdrJson, cdr: JSON.parse(Buffer.from(cdrJson).toString()) as Cdr };
    bills.set(cdrId, bill);
    const draw = new Draw(`${this.by.seed} push ${side} ${cdrId}`);
    for (const delay of draw.delays(3)) {
      const how = { respelled: draw.chance(0.2), isAnswerLost: draw.chance(0.25), ackDelays: draw.delays(2) };
      this.by.later(delay, `push ${cdrId}`, () => this.push(side, bill, how));
    }
  }

  /** Sends a CDR to the other ledger, and its acknowledgement back, unless that is lost. */
  async push(
    side: SideNumber,
    bill: Bill,
    { respelled = false, isAnswerLost = false, ackDelays = [0] as readonly number[] } = {},
  ): Promise<void> {
    const bodyJson = respelled ? spelledOtherwise(bill.cdr) : bill.bytes;
    const answer = this.outcome(await this.neighbour(other(side)).ask(receiveCdr, { bodyJson }), []);
    if (!answer) return;
    this.by.findings.count('receipts');
    const { recordedAt } = answer;
    if (bill.recordedAt !== undefined && bill.recordedAt !== recordedAt)
      this.by.findings.wrong(`CDR ${bill.id} was recorded at ${bill.recordedAt} and at ${recordedAt}`);
    bill.recordedAt = recordedAt;
    if (isAnswerLost) return;
    for (const delay of ackDelays)
      this.by.later(delay, `delivered ${bill.id}`, () => this.delivered(side, bill.id, recordedAt));
  }

  delivered(side: SideNumber, cdrId: string, at: string): Promise<void> {
    const { country_code, party_id } = this.party(other(side));
    const tokenParty = { countryCode: country_code, partyId: party_id };
    return this.neighbour(side).tell('ocpi-gateway', told(cdrDelivered, { cdrId, tokenParty, at, locationUrl: '' }));
  }

  private charge({ side, session, energyWh, place, delays }: Doing<'charge'>): void {
    const [issuer, receiver] = [this.party(side), this.party(other(side))];
    const fact = chargeEnded({ issuer, receiver, session, energyWh, place });
    for (const delay of delays) {
      this.by.later(delay, `session ${session}`, async () => {
        await this.neighbour(side).tell('sessions', fact);
        this.book(side).sessions.set(session, fact);
      });
    }
  }

  private async correct({ side, commandId, cdrId, energyWh, withoutReplacement }: Doing<'correct'>): Promise<void> {
    const request = { cdrId, reason: 'The meter was wrong', energyWh, withoutReplacement };
    const answer = this.outcome(await this.neighbour(side).ask(correctCdr, request, commandId), IN_THIS_ORDER.correct);
    if (answer) this.noted(this.book(side).corrections, commandId, correctionOf(answer));
  }

  /** The driver of our party pays, or is paid out. */
  private pay({ side, commandId, amount, delays }: Doing<'pay'>): void {
    const { contract_id: contractId } = driverOf(this.party(side));
    for (const delay of delays) {
      this.by.later(delay, `pay ${commandId}`, async () => {
        const answer = await this.neighbour(side).ask(bookPayment, { contractId, currency: 'CAD', amount }, commandId);
        if (this.outcome(answer, IN_THIS_ORDER.pay)) this.noted(this.book(side).payments, commandId, amount);
      });
    }
  }

  private async dispute({ side, commandId, issuer, cdrId }: Doing<'dispute'>): Promise<void> {
    const { country_code, party_id } = this.party(issuer);
    const request = { party: { countryCode: country_code, partyId: party_id }, cdrId, reason: 'The car never charged' };
    const answer = this.outcome(await this.neighbour(side).ask(openDispute, request, commandId), IN_THIS_ORDER.dispute);
    if (answer) this.noted(this.book(side).disputes, commandId, answer.dispute!.disputeId);
  }

  private async settleDispute(step: Doing<'answer' | 'withdraw'>): Promise<void> {
    const { side, commandId, issuer, cdrId, number } = step;
    const { country_code, party_id } = this.party(issuer);
    const disputeId = `${country_code}*${party_id}*${cdrId}*${number}`;
    const neighbour = this.neighbour(side);
    const answered = step.do === 'answer'
      ? await neighbour.ask(answerDispute, { disputeId, accepted: true, answer: 'So it is' }, commandId)
      : await neighbour.ask(withdrawDispute, { disputeId, reason: 'It did charge' }, commandId);
    if (this.outcome(answered, IN_THIS_ORDER[step.do])) this.noted(this.book(side).answers, commandId, disputeId);
  }

  private async sendBad({ side, input, mark }: Doing<'send-bad'>): Promise<void> {
    const { code, bytes } = badInput(input, mark, { receiver: this.party(side), issuer: this.party(other(side)) });
    this.book(side).marks.push(mark);
    const answer = await this.neighbour(side).ask(receiveCdr, { bodyJson: bytes });
    if (answer instanceof Refused && answer.code === code) this.by.findings.count(`refused: ${input}`);
    else this.by.findings.wrong(`a CDR ${input} (${mark}): ${answer instanceof Refused ? answer.message : 'was taken'}`);
  }

  private repeat({ delays, ...step }: Doing<'correct' | 'dispute' | 'answer' | 'withdraw'>, work: () => Promise<void>): void {
    for (const delay of delays) this.by.later(delay, `${step.do} ${step.cdrId}`, work);
  }

  /** A repeat of a command must be answered as it was the first time. */
  private noted<T>(answers: Map<string, T>, commandId: string, answer: T): void {
    const before = answers.get(commandId);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(answer))
      this.by.findings.wrong(`${commandId} was answered by ${JSON.stringify(before)} and by ${JSON.stringify(answer)}`);
    answers.set(commandId, answer);
  }

  private outcome<T>(answer: T | Refused, expected: readonly string[]): T | undefined {
    if (!(answer instanceof Refused)) return answer;
    if (expected.includes(answer.code)) this.by.findings.count(`refused: ${answer.code}`);
    else this.by.findings.wrong(`refused: ${answer.message}`);
    return undefined;
  }

  private neighbour(side: SideNumber): Neighbour {
    return this.by.neighbours[side];
  }

  private book(side: SideNumber): Book {
    return this.by.books[side];
  }

  private party(side: SideNumber): Party {
    return this.neighbour(side).side.party;
  }
}

export function other(side: SideNumber): SideNumber {
  return side === 0 ? 1 : 0;
}

function correctionOf({ creditCdrId, replacementCdrId }: CdrCorrected) {
  return { creditCdrId, replacementCdrId };
}

/** The same content, with its members in another order and on lines of their own. */
function spelledOtherwise(cdr: Cdr): Uint8Array {
  return Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(cdr).toReversed()), undefined, 2));
}
