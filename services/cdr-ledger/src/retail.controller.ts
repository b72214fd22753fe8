import { randomUUID } from 'node:crypto';
import { Controller, Inject } from '@nestjs/common';
import { type Asked, Answers, each, withinOneAnswer } from '#bus';
import {
  type BookPayment,
  bookPayment,
  type ChangeAccount,
  changeAccount,
  type GetAccount,
  getAccount,
  type GetAccountStatement,
  getAccountStatement,
  type GetRetail,
  getRetail,
  type ListAccountLines,
  listAccountLines,
  type ListAccounts,
  listAccounts,
  type PriceForDriver,
  priceForDriver,
  type ReleaseCharge,
  releaseCharge,
} from '#contracts/accounts';
import { ocpiParty } from '#contracts/party';
import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { decimal } from '#money';
import type { ExplainLanguage } from '#pricing';
import type { RetailOfCdr, StandingAccount } from './accounts.ts';
import { passesThrough } from './plan.ts';
import { retailText, termsText } from './plan-text.ts';
import { planLanguage } from './plan-words.ts';
import type { AccountLine } from './projections/account-rows.ts';
import { Retail } from './retail.ts';
import type { Priced } from './retail-pricing.ts';

const PAGE_MAX = 200;
const STATEMENT_LINES = 1_000;
const pageOf = (limit: number) => Math.min(limit || PAGE_MAX, PAGE_MAX);

@Controller()
export class RetailController {
  constructor(@Inject(Retail) private readonly retail: Retail) {}

  @Answers(getAccount)
  get(requests: GetAccount[]) {
    return each(requests, async ({ contractId, language }) =>
      stands(await this.retail.accounts.find(contractId), planLanguage(language)));
  }

  @Answers(listAccounts)
  list(requests: ListAccounts[]) {
    return each(requests, async ({ after, limit }) => {
      const most = pageOf(limit);
      const page = await this.retail.accounts.page(positionOf(after, 0n), most);
      const next = page.length < most ? '' : String(page.at(-1)!.position);
      return { accounts: page.map((account) => contractAccount(account)), next };
    });
  }

  @Answers(changeAccount)
  change(requests: ChangeAccount[], { commandIds }: Asked) {
    return each(requests, async ({ contractId, planId, limits }, n) =>
      stands(
        await this.retail.accounts.change(contractId, {
          commandId: commandIds[n] || undefined,
          planId,
          limits,
        }),
      ),
    );
  }

  @Answers(bookPayment)
  pay(requests: BookPayment[], { commandIds }: Asked) {
    return each(requests, async ({ contractId, currency, amount }, n) =>
      stands(
        await this.retail.accounts.pay(contractId, {
          commandId: commandIds[n] || randomUUID(),
          currency,
          amount,
        }),
      ),
    );
  }

  @Answers(listAccountLines)
  lines(requests: ListAccountLines[]) {
    return each(requests, async ({ contractId, after, limit, language }) => {
      const most = pageOf(limit);
      const asked = { before: positionOf(after, AFTER_ALL), limit: most, language: planLanguage(language) };
      const lines = await this.retail.accounts.lines(contractId, asked);
      const sent = withinOneAnswer(lines, ({ text }) => Buffer.from(text));
      const isLast = sent.length === lines.length && lines.length < most;
      return { lines: sent.map(contractLine), next: isLast ? '' : String(sent.at(-1)!.position) };
    });
  }

  @Answers(getAccountStatement)
  statement(requests: GetAccountStatement[]) {
    return each(requests, async ({ contractId, month, after, limit, orAccount }) => {
      const { lines, ...statement } = await this.retail.accounts.statement(contractId, month, { orAccount });
      const since = positionOf(after, 0n);
      const rest = lines.filter(({ id }) => BigInt(id) > since).map((line) => ({ id: line.id, json: toJsonBytes(line) }));
      const page = withinOneAnswer(rest.slice(0, limit || STATEMENT_LINES), ({ json }) => json);
      const next = page.length < rest.length ? page.at(-1)!.id : '';
      return { statementJson: toJsonBytes(statement), linesJson: page.map(({ json }) => json), next };
    });
  }

  @Answers(getRetail)
  retailOf(requests: GetRetail[]) {
    return each(requests, async ({ party, cdrId, language }) =>
      this.retail.accountsIfKept
        ? found(await this.retail.accounts.retailOf(ocpiParty(party!), cdrId), planLanguage(language))
        : { state: 'not-kept' },
    );
  }

  @Answers(releaseCharge)
  release(requests: ReleaseCharge[]) {
    return each(requests, async ({ party, cdrId }) =>
      found(await this.retail.accounts.release(ocpiParty(party!), cdrId)),
    );
  }

  @Answers(priceForDriver)
  price(requests: PriceForDriver[]) {
    return each(requests, async ({ tokenUid, contractId, party, inclVat, sessionId, language, ...asked }) => {
      const accounts = this.retail.accountsIfKept;
      if (!accounts) return { limitReached: false, kept: false };
      const where = ocpiParty(party!);
      const priced = await accounts.priceFor({ tokenUid, contractId }, {
        party: where,
        currency: asked.currency,
        exclVat: decimal(asked.exclVat),
        inclVat: inclVat === undefined ? undefined : decimal(inclVat),
        energyKwh: decimal(asked.energyKwh),
        hours: decimal(asked.hours),
        startedAt: asked.startedAt,
        locationId: asked.locationId,
      });
      const limitReached = sessionId !== undefined && (await accounts.wasStopped(where, sessionId));
      const price = priced === undefined ? {} : { price: contractPrice(priced, planLanguage(language)) };
      return { ...price, limitReached, kept: true };
    });
  }
}

const AFTER_ALL = 2n ** 62n;

function positionOf(cursor: string, otherwise: bigint): bigint {
  if (cursor === '') return otherwise;
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor);
  throw new Rejected('invalid-object', 'after: is no cursor of this list');
}

function stands(account: StandingAccount, language?: ExplainLanguage) {
  return { account: contractAccount(account, language) };
}

function contractAccount({ accountId, contractId, plan, exhausted, balances, openedAt }: StandingAccount, language?: ExplainLanguage) {
  return {
    accountId,
    contractId,
    planId: plan.planId,
    planName: plan.name,
    planText: termsText(plan.terms, undefined, language),
    exhausted,
    openedAt,
    balances: balances.map(({ currency, balance, creditLimit, left }) => ({
      currency,
      balance: balance.toString(),
      ...(creditLimit === undefined ? {} : { creditLimit: creditLimit.toString() }),
      ...(left === undefined ? {} : { left: left.toString() }),
    })),
  };
}

function contractLine({ position, kind, at, currency, amount, party, cdrId, text }: AccountLine) {
  const [countryCode = '', partyId = ''] = party?.split('*') ?? [];
  return {
    id: String(position),
    kind,
    at,
    currency,
    amount: amount.toString(),
    text,
    ...(party === null ? {} : { party: { countryCode, partyId } }),
    ...(cdrId === null ? {} : { cdrId }),
  };
}

function found(retail: RetailOfCdr | undefined, language?: ExplainLanguage) {
  return retail === undefined
    ? { state: 'none' }
    : { state: retail.state, price: contractPrice(retail, language) };
}

function contractPrice({ plan, price, taxes }: Priced & Pick<RetailOfCdr, 'taxes'>, language: ExplainLanguage = 'en') {
  const { currency, exclVat, inclVat, steps } = price;
  return {
    currency,
    exclVat,
    ...(inclVat === undefined ? {} : { inclVat }),
    planId: plan.planId,
    planName: plan.name,
    passesThrough: passesThrough(plan.terms, price),
    text: retailText(price, plan, language),
    stepsJson: toJsonBytes(steps),
    ...(taxes && { taxes: { taxes: taxes.map(({ code, rate, amount }) => ({ code, rate, amount })) } }),
  };
}
