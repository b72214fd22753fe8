import type { Decider } from '#decider';
import { type Party, partyText } from '#ocpi';
import type { AgreementTerms } from '#settlement';

/**
 * What was agreed on with a partner, as the ocpi-gateway told it: the stream `agreement-<ours>-<theirs>`.
 * Partners settle by it, so it is in the chain like the CDRs themselves.
 */
export interface AgreementNoted {
  readonly type: 'AgreementNoted';
  /** Our own party, whose chain it is in. */
  readonly ledger: string;
  readonly partner: Party;
  /** 1, 2, 3 … in the order in which they were set; for the same month the newest holds. */
  readonly version: number;
  readonly terms: AgreementTerms;
  readonly at: string;
}

export type NoteAgreement = Omit<AgreementNoted, 'type'> & { readonly type: 'NoteAgreement' };

export function agreementStream(ledger: string, partner: Party): string {
  return `agreement-${ledger}-${partyText(partner)}`.replaceAll('*', '-');
}

export const notedAgreement: Decider<{ readonly version: number }, NoteAgreement, AgreementNoted> = {
  initial: { version: 0 },
  // Told again, from wherever the telling began anew.
  decide: (command, { version }) =>
    command.version <= version ? [] : [{ ...command, type: 'AgreementNoted' }],
  evolve: (_, { version }) => ({ version }),
};
