import { z } from 'zod';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import {
  type Account, type AccountLine, bookPayment, changeAccount, getAccount, getAccountLineProof, getRetail, listAccountLines, listAccounts,
  releaseCharge, type RetailFound,
} from '#contracts/accounts';
import { money } from './charge.ts';
import { CdrId, CountryCode, Currency, Limit, Money, OcpiId, PartyId } from './fields.ts';
import { type Language, languageAsked, ofLanguage } from './language.ts';
import { driverRoute, operatorRoute, type Route } from './route.ts';

const Amount = z.string().regex(/^-?\d{1,9}(\.\d{1,6})?$/, 'an amount as text, such as "20.00"');
const Cursor = z.string().regex(/^\d{0,18}$/, '`next` of the page before').default('');

const Balance = z.object({
  currency: z.string(),
  balance: z.string().meta({ description: 'below zero: owed' }),
  credit_limit: z.string().optional().meta({ description: 'what may be owed; any amount where it is absent' }),
  left: z.string().optional().meta({ description: 'of the limit; charges that run count' }),
});

const AccountView = z.object({
  account_id: z.string().meta({ description: 'what is left to ask by where the contract was erased' }),
  contract_id: z.string(),
  plan: z.object({ id: z.string(), name: z.string(), text: z.string() }),
  credit: z.enum(['there', 'exhausted']),
  balances: z.array(Balance),
  opened_at: z.string(),
}).meta({ id: 'Account' });

const LineView = z.object({
  id: z.string(),
  kind: z.string().meta({ description: 'charge, refund or payment' }),
  at: z.string(),
  currency: z.string(),
  amount: z.string().meta({ description: 'as it changes the balance' }),
  receipt: z.object({ country_code: z.string(), party_id: z.string(), cdr_id: z.string() }).optional(),
  text: z.string(),
}).meta({ id: 'AccountLine' });

const WholeAccount = AccountView.extend({ lines: z.array(LineView), next: z.string().optional() })
  .meta({ id: 'WholeAccount' });

const RetailView = z.object({
  state: z.string().meta({ description: 'booked, held, none (on no account) or not-kept (there are no accounts)' }),
  price: z.object({
    total: Money, plan: z.object({ id: z.string(), name: z.string() }), text: z.string(), steps: z.unknown(),
  }).optional(),
}).meta({ id: 'Retail', description: 'what a CDR costs its driver' });

const paged = z.strictObject({ after: Cursor, limit: Limit(100, 50) });
const ofContract = z.strictObject({ contract_id: OcpiId });

/** Drivers' accounts: their own, and the operator's verbs on all of them. */
export function accountRoutes(bus: Bus): Route[] {
  return [...readingRoutes(bus), ...proofRoutes(bus), ...changingRoutes(bus), ...chargeRoutes(bus)];
}

function readingRoutes(bus: Bus): Route[] {
  return [
    driverRoute({
      method: 'GET', path: '/v1/account', summary: 'Your account: plan, balance, limit, and its lines, newest first',
      query: paged.extend({ language: ofLanguage }), answer: WholeAccount,
      handle: ({ driver, ...asking }) => wholeAccount(bus, driver.contractId, { ...asking.query, language: languageAsked(asking) }),
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/accounts', summary: 'Accounts of all drivers, in the order of their opening',
      query: paged,
      answer: z.object({ accounts: z.array(AccountView), next: z.string().optional() }),
      async handle({ query }) {
        const { accounts, next } = await bus.ask(listAccounts, query);
        return { accounts: accounts.map(viewOf), ...nextOf(next) };
      },
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/accounts/:contract_id', summary: 'A driver\'s account and its lines, newest first',
      params: ofContract, query: paged, answer: WholeAccount,
      handle: ({ params, query }) => wholeAccount(bus, params.contract_id, query),
    }),
  ];
}

function proofRoutes(bus: Bus): Route[] {
  const LineId = z.string().regex(/^\d{1,18}$/, '`id` of a line');
  const proof = z.record(z.string(), z.unknown());
  const proofOf = async (contractId: string, lineId: string, forDriver: boolean) =>
    fromJsonBytes<Record<string, unknown>>((await bus.ask(getAccountLineProof, { contractId, lineId, forDriver })).proofJson);
  return [
    driverRoute({
      method: 'GET', path: '/v1/account/lines/:line_id/proof', params: z.strictObject({ line_id: LineId }), answer: proof,
      summary: 'The proof that a payment, or a charge passed on as it is, is booked on your account, to the newest signed head',
      handle: ({ driver, params }) => proofOf(driver.contractId, params.line_id, true),
    }),
    operatorRoute({
      method: 'GET', path: '/v1/operator/accounts/:contract_id/lines/:line_id/proof',
      params: ofContract.extend({ line_id: LineId }), answer: proof,
      summary: 'The proof that a line is in the ledger of accounts; its entry holds what a charge costs you',
      handle: ({ params }) => proofOf(params.contract_id, params.line_id, false),
    }),
  ];
}

function changingRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'PUT', path: '/v1/operator/accounts/:contract_id', takesKey: true,
      summary: 'Set a driver\'s plan for charges from now on, and what may be owed',
      params: ofContract,
      body: z.strictObject({
        plan: z.string().min(1).max(36).optional(),
        limits: z.array(z.strictObject({ currency: Currency, amount: Amount.nullable() })).max(20).default([])
          .meta({ description: 'amount null: any amount may be owed' }),
      }),
      answer: AccountView,
      async handle({ params: { contract_id: contractId }, body: { plan, limits }, key }) {
        const { account } = await bus.ask(changeAccount, {
          contractId,
          ...(plan === undefined ? {} : { planId: plan }),
          limits: limits.map(({ currency, amount }) => ({ currency, ...(amount === null ? {} : { amount }) })),
        }, key === undefined ? {} : { commandId: key });
        return viewOf(account!);
      },
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/accounts/:contract_id/payments', takesKey: true,
      summary: 'Book what a driver paid or, below zero, was paid out',
      params: ofContract,
      body: z.strictObject({ currency: Currency, amount: Amount }),
      answer: AccountView,
      async handle({ params: { contract_id: contractId }, body, key }) {
        const { account } = await bus.ask(bookPayment, { contractId, ...body }, key === undefined ? {} : { commandId: key });
        return viewOf(account!);
      },
    }),
  ];
}

function chargeRoutes(bus: Bus): Route[] {
  const params = z.strictObject({ country_code: CountryCode, party_id: PartyId, cdr_id: CdrId });
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/cdrs/:country_code/:party_id/:cdr_id/retail', params,
      summary: 'What a CDR costs its driver, step by step',
      answer: RetailView,
      async handle({ params: { country_code: countryCode, party_id: partyId, cdr_id: cdrId } }) {
        return retailOf(await bus.ask(getRetail, { party: { countryCode, partyId }, cdrId }));
      },
    }),
    operatorRoute({
      method: 'POST', path: '/v1/operator/cdrs/:country_code/:party_id/:cdr_id/release', params,
      summary: 'Book a charge that was held back for something wrong with its CDR',
      answer: RetailView,
      async handle({ params: { country_code: countryCode, party_id: partyId, cdr_id: cdrId } }) {
        return retailOf(await bus.ask(releaseCharge, { party: { countryCode, partyId }, cdrId }));
      },
    }),
  ];
}

async function wholeAccount(bus: Bus, contractId: string, page: { after: string; limit: number; language?: Language }) {
  const [{ account }, { lines, next }] = await Promise.all([
    bus.ask(getAccount, { contractId, language: page.language ?? 'en' }), bus.ask(listAccountLines, { contractId, ...page }),
  ]);
  return { ...viewOf(account!), lines: lines.map(lineOf), ...nextOf(next) };
}

const nextOf = (next: string) => (next === '' ? {} : { next });

function viewOf(account: Account): z.infer<typeof AccountView> {
  const { accountId, contractId, planId, planName, planText, exhausted, balances, openedAt } = account;
  return {
    account_id: accountId,
    contract_id: contractId,
    plan: { id: planId, name: planName, text: planText },
    credit: exhausted ? 'exhausted' : 'there',
    balances: balances.map(({ currency, balance, creditLimit, left }) => ({
      currency,
      balance: inCurrency(balance, currency),
      ...(creditLimit === undefined ? {} : { credit_limit: inCurrency(creditLimit, currency) }),
      ...(left === undefined ? {} : { left: inCurrency(left, currency) }),
    })),
    opened_at: openedAt,
  };
}

function lineOf({ id, kind, at, currency, amount, party, cdrId, text }: AccountLine): z.infer<typeof LineView> {
  const receipt = party && cdrId !== undefined
    ? { receipt: { country_code: party.countryCode, party_id: party.partyId, cdr_id: cdrId } } : {};
  return { id, kind, at, currency, amount: inCurrency(amount, currency), text, ...receipt };
}

function retailOf({ state, price }: RetailFound): z.infer<typeof RetailView> {
  if (!price) return { state };
  const { currency, exclVat, inclVat, planId, planName, text, stepsJson } = price;
  const total = money({ excl_vat: exclVat, ...(inclVat === undefined ? {} : { incl_vat: inclVat }) }, currency);
  return { state, price: { total, plan: { id: planId, name: planName }, text, steps: fromJsonBytes(stepsJson) } };
}

const inCurrency = (amount: string, currency: string) => money({ excl_vat: amount }, currency).excl_vat;
