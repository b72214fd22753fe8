import { randomUUID } from 'node:crypto';
import { Controller, Inject } from '@nestjs/common';
import { type Asked, Answers, each } from '#bus';
import {
  type AnswerDispute,
  answerDispute,
  type GetDispute,
  getDispute,
  type ListDisputes,
  listDisputes,
  type OpenDispute,
  openDispute,
  type WithdrawDispute,
  withdrawDispute,
} from '#contracts/disputes';
import { busParty, ocpiParty } from '#contracts/party';
import { decimal, exactText } from '#money';
import { disputeIdOf, Disputes } from './disputes.ts';
import type { ListedDispute } from './projections/dispute-list.ts';

/** Texts of 2,000 characters, three for each: a page of them fits in one answer. */
const PAGE_MAX = 30;

@Controller()
export class DisputesController {
  constructor(@Inject(Disputes) private readonly disputes: Disputes) {}

  @Answers(openDispute)
  open(requests: OpenDispute[], { commandIds }: Asked) {
    return each(requests, async ({ party, cdrId, reason, findings, amount }, n) =>
      stands(
        await this.disputes.open({
          commandId: commandIds[n] || randomUUID(),
          party: ocpiParty(party!),
          cdrId,
          reason,
          findings,
          amount,
        }),
      ),
    );
  }

  @Answers(answerDispute)
  answer(requests: AnswerDispute[], { commandIds }: Asked) {
    return each(requests, async ({ disputeId, accepted, answer }, n) =>
      stands(
        await this.disputes.answer(disputeId, {
          commandId: commandIds[n] || randomUUID(),
          accepted,
          answer,
        }),
      ),
    );
  }

  @Answers(withdrawDispute)
  withdraw(requests: WithdrawDispute[], { commandIds }: Asked) {
    return each(requests, async ({ disputeId, reason }, n) =>
      stands(
        await this.disputes.withdraw(disputeId, { commandId: commandIds[n] || randomUUID(), reason }),
      ),
    );
  }

  @Answers(getDispute)
  get(requests: GetDispute[]) {
    return each(requests, async ({ disputeId }) => stands(await this.disputes.find(disputeId)));
  }

  @Answers(listDisputes)
  list(requests: ListDisputes[]) {
    return each(requests, async ({ states, partner, offset, limit }) => {
      const { disputes, total } = await this.disputes.page({
        states,
        partner: partner && ocpiParty(partner),
        offset,
        limit: Math.min(limit || PAGE_MAX, PAGE_MAX),
      });
      return { disputes: disputes.map(contractDispute), total };
    });
  }
}

function stands(dispute: ListedDispute) {
  return { dispute: contractDispute(dispute) };
}

function contractDispute(dispute: ListedDispute) {
  const { cdr, number, partner, complainant, state, findings, currency, amount } = dispute;
  const { reason } = textOf(dispute.reasonText);
  const { answer } = textOf(dispute.answerText);
  const { reason: withdrawalReason } = textOf(dispute.withdrawalText);
  return {
    disputeId: disputeIdOf(dispute),
    party: busParty(cdr),
    cdrId: cdr.id,
    number,
    partner: busParty(partner),
    complainant,
    state,
    findings: [...findings],
    currency,
    amount: exactText(decimal(amount), currency),
    openedAt: dispute.openedAt,
    ...given({
      reason,
      accepted: dispute.accepted,
      answer,
      withdrawalReason,
      creditCdrId: dispute.creditCdrId,
      answeredAt: dispute.answeredAt,
      closedAt: dispute.closedAt,
    }),
  };
}

function textOf(text: string | undefined): { reason?: string; answer?: string } {
  return text === undefined ? {} : (JSON.parse(text) as { reason?: string; answer?: string });
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
