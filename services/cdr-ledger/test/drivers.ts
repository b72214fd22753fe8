import { expect } from 'vitest';
import { type Account, getAccount, getRetail, listAccountLines } from '#contracts/accounts';
import { receiveCdr } from '#contracts/cdr-ledger';
import { toJsonBytes } from '#contracts';
import type { Cdr, Session, Token } from '#ocpi';
import { cdr, session, token as blake } from './charge.ts';
import type { RetailPlatform } from './retail-platform.ts';

/** Drivers of an eMSP that keeps accounts, what they charge, and how their accounts stand. */

export const bct = { countryCode: 'CA', partyId: 'BCT' };

/** A driver with a token and a contract, and the account that they get. */
export async function newDriver(on: RetailPlatform, name: string): Promise<{ token: Token; contractId: string }> {
  const token = { ...blake, uid: `CARD-${name}`, contract_id: `CA-CPK-${name}` };
  await on.issue(token);
  await expect.poll(() => on.bus.ask(getAccount, { contractId: token.contract_id }).catch(() => undefined))
    .toBeDefined();
  return { token, contractId: token.contract_id };
}

export const tokenOf = ({ country_code, party_id, uid, type, contract_id }: Token) =>
  ({ country_code, party_id, uid, type, contract_id });

export const cdrOf = (token: Token, id: string, more: Partial<Cdr> = {}): Cdr =>
  ({ ...cdr, id, session_id: `S-${id}`, cdr_token: tokenOf(token), ...more });

export function running(token: Token, id: string, exclVat: number, at: string): Session {
  const { end_date_time: _, ...rest } = session;
  return {
    ...rest, id, cdr_token: tokenOf(token), status: 'ACTIVE', last_updated: at,
    kwh: exclVat, total_cost: { excl_vat: exclVat, incl_vat: exclVat * 1.05 },
  };
}

export const pushCdr = (on: RetailPlatform, body: unknown) => on.bus.ask(receiveCdr, { bodyJson: toJsonBytes(body) });

export const retailOfCdr = (on: RetailPlatform, cdrId: string) => on.bus.ask(getRetail, { party: bct, cdrId });

export const standingOf = async (on: RetailPlatform, contractId: string): Promise<Account> =>
  (await on.bus.ask(getAccount, { contractId })).account!;

export const balanceOf = async (on: RetailPlatform, contractId: string) =>
  (await standingOf(on, contractId)).balances.find(({ currency }) => currency === 'CAD')!;

export const linesOf = async (on: RetailPlatform, contractId: string) =>
  (await on.bus.ask(listAccountLines, { contractId })).lines;

/** What was told of a driver's credit: true where it was exhausted. */
export const creditOf = (on: RetailPlatform, contractId: string) =>
  on.credits.filter(({ contractKey }) => contractKey === contractId.toLowerCase()).map(({ exhausted }) => exhausted);
