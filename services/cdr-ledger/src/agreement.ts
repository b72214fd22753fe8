import type { Decider } from '#decider';
import { type Party, partyText } from '#ocpi';
import type { AgreementTerms } from '#settlement';
import { instant } from '#time';

/**
 * What was agreed on with a partner, as the ocpi-gateway told it: the stream `agreement-<ours>-<theirs>`.
 * Partners settle by it, so it is in the chain like the CDRs themselves.
 */
export interface AgreementNoted {
  readonly type: 'AgreementNoted';
  /** Our own party, whose chain it is in. */
  readonly ledger: string;
  readonly partner: Party;
  /** 1, 2, 3 … in the order in which they were set, and from 1 again where the gateway lost them; for a month the newest holds. */
  readonly version: number;
  readonly terms: AgreementTerms;
  readonly at: string;
}

export type NoteAgreement = Omit<AgreementNoted, 'type'> & { readonly type: 'NoteAgreement' };

export function agreementStream(ledger: string, partner: Party): string {
  return `agreement-${ledger}-${partyText(partner)}`.replaceAll('*', '-');
}

export interface NotedSoFar {
  readonly version: number;
  /** When the newest was set, epoch ms. */
  readonly atMs: number;
}

export const notedAgreement: Decider<NotedSoFar, NoteAgreement, AgreementNoted> = {
  initial: { version: 0, atMs: -Infinity },
  // Told again, from wherever the telling began anew. A ledger that was restored from its export stands beside a gateway
  // that remembers nothing: what is agreed on then is version 1 again, but was set later.
  decide: (command, { version, atMs }) =>
    command.version <= version && instant(command.at) <= atMs ? [] : [{ ...command, type: 'AgreementNoted' }],
  evolve: ({ atMs }, { version, at }) => ({ version, atMs: Math.max(atMs, instant(at)) }),
};
