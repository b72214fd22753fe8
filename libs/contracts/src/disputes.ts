import { ask } from '#bus';
import { filled } from './filled.ts';
import {
  AnswerDisputeSchema,
  DisputeListSchema,
  DisputeStandsSchema,
  GetDisputeSchema,
  ListDisputesSchema,
  OpenDisputeSchema,
  WithdrawDisputeSchema,
} from './gen/roamwatt/cdr_ledger/v1/disputes_pb.ts';

export {
  type AnswerDispute,
  AnswerDisputeSchema,
  type Dispute,
  type DisputeList,
  DisputeListSchema,
  DisputeSchema,
  type DisputeStands,
  DisputeStandsSchema,
  type GetDispute,
  GetDisputeSchema,
  type ListDisputes,
  ListDisputesSchema,
  type OpenDispute,
  OpenDisputeSchema,
  type WithdrawDispute,
  WithdrawDisputeSchema,
} from './gen/roamwatt/cdr_ledger/v1/disputes_pb.ts';

const context = 'cdr-ledger';

export const openDispute = ask({
  context,
  verb: 'open-dispute',
  request: OpenDisputeSchema,
  answer: DisputeStandsSchema,
  check: filled('party', 'cdrId', 'reason'),
});

export const answerDispute = ask({
  context,
  verb: 'answer-dispute',
  request: AnswerDisputeSchema,
  answer: DisputeStandsSchema,
  check: filled('disputeId', 'answer'),
});

export const withdrawDispute = ask({
  context,
  verb: 'withdraw-dispute',
  request: WithdrawDisputeSchema,
  answer: DisputeStandsSchema,
  check: filled('disputeId', 'reason'),
});

export const getDispute = ask({
  context,
  verb: 'get-dispute',
  request: GetDisputeSchema,
  answer: DisputeStandsSchema,
  check: filled('disputeId'),
});

export const listDisputes = ask({
  context,
  verb: 'list-disputes',
  request: ListDisputesSchema,
  answer: DisputeListSchema,
  check: filled(),
});
