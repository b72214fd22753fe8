import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  AccountCreditChangedSchema,
  AccountLineProvenSchema,
  AccountLinesSchema,
  AccountListSchema,
  AccountStandsSchema,
  AccountStatementSchema,
  BookPaymentSchema,
  ChangeAccountSchema,
  GetAccountLineProofSchema,
  GetAccountSchema,
  GetAccountStatementSchema,
  GetRetailSchema,
  ListAccountLinesSchema,
  ListAccountsSchema,
  PricedForDriverSchema,
  PriceForDriverSchema,
  ReleaseChargeSchema,
  RetailFoundSchema,
} from './gen/roamwatt/cdr_ledger/v1/accounts_pb.ts';

export {
  type Account,
  type AccountBalance,
  type AccountCreditChanged,
  AccountCreditChangedSchema,
  type AccountLine,
  type AccountLineProven,
  AccountLineProvenSchema,
  type AccountLines,
  AccountLinesSchema,
  type AccountList,
  AccountListSchema,
  AccountSchema,
  type AccountStands,
  AccountStandsSchema,
  type AccountStatement,
  AccountStatementSchema,
  type BookPayment,
  BookPaymentSchema,
  type ChangeAccount,
  ChangeAccountSchema,
  type GetAccount,
  type GetAccountLineProof,
  GetAccountLineProofSchema,
  GetAccountSchema,
  type GetAccountStatement,
  GetAccountStatementSchema,
  type GetRetail,
  GetRetailSchema,
  type ListAccountLines,
  ListAccountLinesSchema,
  type ListAccounts,
  ListAccountsSchema,
  type PricedForDriver,
  PricedForDriverSchema,
  type PriceForDriver,
  PriceForDriverSchema,
  type ReleaseCharge,
  ReleaseChargeSchema,
  type RetailFound,
  RetailFoundSchema,
  type RetailPrice,
  RetailPriceSchema,
  type TaxWithin,
} from './gen/roamwatt/cdr_ledger/v1/accounts_pb.ts';

const context = 'cdr-ledger';

export const getAccount = ask({
  context,
  verb: 'get-account',
  request: GetAccountSchema,
  answer: AccountStandsSchema,
  check: filled('contractId'),
});

export const listAccounts = ask({
  context,
  verb: 'list-accounts',
  request: ListAccountsSchema,
  answer: AccountListSchema,
  check: filled(),
});

export const changeAccount = ask({
  context,
  verb: 'change-account',
  request: ChangeAccountSchema,
  answer: AccountStandsSchema,
  check: filled('contractId'),
});

export const bookPayment = ask({
  context,
  verb: 'book-payment',
  request: BookPaymentSchema,
  answer: AccountStandsSchema,
  check: filled('contractId', 'currency', 'amount'),
});

export const listAccountLines = ask({
  context,
  verb: 'list-account-lines',
  request: ListAccountLinesSchema,
  answer: AccountLinesSchema,
  check: filled('contractId'),
});

export const getAccountStatement = ask({
  context,
  verb: 'get-account-statement',
  request: GetAccountStatementSchema,
  answer: AccountStatementSchema,
  check: filled('contractId', 'month'),
});

export const getAccountLineProof = ask({
  context,
  verb: 'get-account-line-proof',
  request: GetAccountLineProofSchema,
  answer: AccountLineProvenSchema,
  check: filled('contractId', 'lineId'),
});

export const getRetail = ask({
  context,
  verb: 'get-retail',
  request: GetRetailSchema,
  answer: RetailFoundSchema,
  check: filled('party', 'cdrId'),
});

export const priceForDriver = ask({
  context,
  verb: 'price-for-driver',
  request: PriceForDriverSchema,
  answer: PricedForDriverSchema,
  check: filled('tokenUid', 'party', 'currency', 'exclVat', 'energyKwh', 'hours', 'startedAt'),
});

export const releaseCharge = ask({
  context,
  verb: 'release-charge',
  request: ReleaseChargeSchema,
  answer: RetailFoundSchema,
  check: filled('party', 'cdrId'),
});

export const accountCreditChanged = tell({
  context,
  thing: 'account',
  happened: 'credit-changed',
  fact: AccountCreditChangedSchema,
  key: (fact) => fact.accountId,
  check: filled('accountId', 'contractKey', 'at'),
});
