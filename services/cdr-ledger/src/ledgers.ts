import { Rejected } from '#decider';
import { type Party, partyText } from '#ocpi';
import type { OwnParties } from '#settings';

/**
 * A party has two ledgers, each a chain of its own: that of its CDRs, which partners settle by, and
 * that of its drivers' accounts, which is nobody's but ours.
 */
export type LedgerKind = 'cdrs' | 'accounts';

const ACCOUNTS = '/accounts';

function ledgerName(party: Party, kind: LedgerKind): string {
  return kind === 'cdrs' ? partyText(party) : accountsLedger(party);
}

/** Which of our ledgers somebody asks for: that of CDRs unless said otherwise, of our only party. */
export interface MeantLedger {
  readonly kind?: LedgerKind;
  readonly ownParty?: Party | undefined;
}

/** Its name, and what its party is called. Throws Rejected where we are several and none is named. */
export function ledgerMeant(
  parties: OwnParties,
  { kind = 'cdrs', ownParty }: MeantLedger,
): { ledger: string; name: string } {
  const own = parties.chosen(ownParty);
  if (!own.ok) throw new Rejected('invalid-object', own.message);
  return { ledger: ledgerName(own.party, kind), name: own.party.name };
}

/** All of ours: accounts are kept by parties that are eMSPs. */
export function ledgersOf(parties: OwnParties, kinds: readonly LedgerKind[]): string[] {
  const keepers = parties.all.filter((one) => one.roles.includes('EMSP') || one === parties.withRole('EMSP'));
  return kinds.flatMap((kind) =>
    (kind === 'cdrs' ? parties.all : keepers).map((party) => ledgerName(party, kind)),
  );
}

/** Whose ledger a received CDR is in: that of the token's owner; one of nobody's here is our first eMSP's to dispute. */
export function receiverOf(parties: OwnParties, tokenParty: Party): Party {
  return parties.find(tokenParty) ?? parties.withRole('EMSP');
}

export function accountsLedger(party: Party): string {
  return `${partyText(party)}${ACCOUNTS}`;
}

/** The ledger whose CDRs these accounts book; undefined for one of CDRs. */
export function bookedLedger(ledger: string): string | undefined {
  return ledger.endsWith(ACCOUNTS) ? ledger.slice(0, -ACCOUNTS.length) : undefined;
}
