import { type Party, partyText } from '#ocpi';

/**
 * A party has two ledgers, each a chain of its own: that of its CDRs, which partners settle by, and
 * that of its drivers' accounts, which is nobody's but ours.
 */
export type LedgerKind = 'cdrs' | 'accounts';

const ACCOUNTS = '/accounts';

export function ledgerName(party: Party, kind: LedgerKind): string {
  return kind === 'cdrs' ? partyText(party) : accountsLedger(party);
}

export function accountsLedger(party: Party): string {
  return `${partyText(party)}${ACCOUNTS}`;
}

/** The ledger whose CDRs these accounts book; undefined for one of CDRs. */
export function bookedLedger(ledger: string): string | undefined {
  return ledger.endsWith(ACCOUNTS) ? ledger.slice(0, -ACCOUNTS.length) : undefined;
}
