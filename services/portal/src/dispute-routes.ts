import { z } from 'zod';
import type { Bus } from '#bus';
import {
  answerDispute, type Dispute, type DisputeStands, getDispute, listDisputes, openDispute, withdrawDispute,
} from '#contracts/disputes';
import { CdrId, CountryCode, Limit, numberText, PartyId } from './fields.ts';
import { Problem } from './problem.ts';
import { operatorRoute, type Route } from './route.ts';

const DisputeId = z.string().regex(/^[\x20-\x7e]{9,60}$/, '<country>*<party>*<cdr id>*<number>');
const Text = z.string().trim().min(1).max(2_000).refine((text) => !text.includes('\0'), 'holds a NUL');
const Code = z.string().regex(/^[a-z][a-z-]{0,59}$/, 'the code of a finding, such as price-differs');
const Amount = z.string().regex(/^\d{1,12}(\.\d{1,6})?$/, 'a decimal number, such as "3.09"');
const states = ['opened', 'answered', 'credited', 'withdrawn'] as const;

const DisputeView = z.object({
  dispute_id: z.string(),
  country_code: z.string(),
  party_id: z.string(),
  cdr_id: z.string(),
  partner: z.object({ country_code: z.string(), party_id: z.string() }),
  complainant: z.string().meta({ description: 'us over a CDR received, partner over one issued' }),
  state: z.string().meta({ description: states.join(', ') }),
  findings: z.array(z.string()),
  amount: z.string().meta({ description: 'what is in doubt, as it is payable, in the digits of its currency: 3.10' }),
  currency: z.string(),
  reason: z.string().optional().meta({ description: 'absent where the contract was erased' }),
  opened_at: z.string(),
  answer: z.string().optional(),
  accepted: z.boolean().optional(),
  answered_at: z.string().optional(),
  withdrawal_reason: z.string().optional(),
  credit_cdr_id: z.string().optional(),
  closed_at: z.string().optional(),
}).meta({ id: 'Dispute' });

/** Disputes over CDRs: ours over those received, and what partners told us of those issued. */
export function disputeRoutes(bus: Bus): Route[] {
  return [...readingRoutes(bus), ...changingRoutes(bus)];
}

function readingRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/disputes', summary: 'Disputes, the newest first',
      query: z.strictObject({
        state: z.enum(states).optional(),
        country_code: CountryCode.optional(),
        party_id: PartyId.optional(),
        offset: numberText(z.int().min(0).max(1_000_000).default(0)),
        limit: Limit(30, 20),
      }),
      answer: z.object({ disputes: z.array(DisputeView), total: z.int() }),
      async handle({ query: { state, country_code: countryCode, party_id: partyId, ...page } }) {
        if ((countryCode === undefined) !== (partyId === undefined)) {
          throw new Problem(400, 'invalid-request', 'query: country_code and party_id name a partner together');
        }
        const { disputes, total } = await bus.ask(listDisputes, {
          states: state === undefined ? [] : [state],
          ...(countryCode === undefined || partyId === undefined ? {} : { partner: { countryCode, partyId } }),
          ...page,
        });
        return { disputes: disputes.map(disputeOf), total };
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/disputes/:dispute_id', summary: 'A dispute as it stands',
      params: z.strictObject({ dispute_id: DisputeId }), answer: DisputeView,
      handle: async ({ params }) => standing(await bus.ask(getDispute, { disputeId: params.dispute_id })),
    }),
  ];
}

function changingRoutes(bus: Bus): Route[] {
  const by = (key: string | undefined) => (key === undefined ? {} : { commandId: key });
  return [
    operatorRoute({
      method: 'POST', path: '/v1/operator/disputes', status: 201, takesKey: true,
      summary: 'Dispute a CDR: one that we received, or one that we issued and a partner complained about',
      body: z.strictObject({
        country_code: CountryCode,
        party_id: PartyId,
        cdr_id: CdrId,
        reason: Text.meta({
          description: 'erased with the contract that charged; over a CDR whose contract is erased already, with contract_id ERASED of its party',
        }),
        findings: z.array(Code).max(50).default([]).meta({ description: 'those of the CDR when there are none' }),
        amount: Amount.optional().meta({ description: 'what is in doubt; all that is payable when absent' }),
      }),
      answer: DisputeView,
      async handle({ body, key }) {
        const { country_code: countryCode, party_id: partyId, cdr_id: cdrId, reason, findings, amount } = body;
        const wish = { party: { countryCode, partyId }, cdrId, reason, findings, ...(amount === undefined ? {} : { amount }) };
        return standing(await bus.ask(openDispute, wish, by(key)));
      },
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/disputes/:dispute_id/answer', takesKey: true,
      summary: 'Keep the CPO\'s answer: ours over a CDR of ours, the partner\'s over one received',
      params: z.strictObject({ dispute_id: DisputeId }),
      body: z.strictObject({ accepted: z.boolean(), answer: Text }),
      answer: DisputeView,
      handle: async ({ params: { dispute_id: disputeId }, body, key }) =>
        standing(await bus.ask(answerDispute, { disputeId, ...body }, by(key))),
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/disputes/:dispute_id/withdraw', takesKey: true,
      summary: 'Withdraw a dispute', params: z.strictObject({ dispute_id: DisputeId }),
      body: z.strictObject({ reason: Text }),
      answer: DisputeView,
      handle: async ({ params: { dispute_id: disputeId }, body, key }) =>
        standing(await bus.ask(withdrawDispute, { disputeId, ...body }, by(key))),
    }),
  ];
}

function standing({ dispute }: DisputeStands): z.infer<typeof DisputeView> {
  return disputeOf(dispute!);
}

function disputeOf(dispute: Dispute): z.infer<typeof DisputeView> {
  const { disputeId, party, cdrId, partner, complainant, state, findings, amount, currency, openedAt } = dispute;
  const known = {
    reason: dispute.reason, answer: dispute.answer, accepted: dispute.accepted, answered_at: dispute.answeredAt,
    withdrawal_reason: dispute.withdrawalReason, credit_cdr_id: dispute.creditCdrId, closed_at: dispute.closedAt,
  };
  return {
    dispute_id: disputeId,
    country_code: party?.countryCode ?? '',
    party_id: party?.partyId ?? '',
    cdr_id: cdrId,
    partner: { country_code: partner?.countryCode ?? '', party_id: partner?.partyId ?? '' },
    complainant, state, findings, amount, currency,
    opened_at: openedAt,
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
}
