import type { Sealed } from '#chain';
import { type Decider, Rejected } from '#decider';
import { idKey, type Party, partyText } from '#ocpi';
import type { Taxed } from '#settlement';
import type { Finding } from './finding.ts';
import { asMeant, type Meant } from './meant.ts';
import type { PricingNote } from './pricing-note.ts';
import type { PublicCdr } from './private-part.ts';

/**
 * A CDR that a partner sent: one stream per (country, party, id), with one event. It is recorded as
 * it came, whatever was found wrong with it; another content under the same id is refused.
 */
export interface CdrReceived {
  readonly type: 'CdrReceived';
  /** Our own party, whose chain it is in: `CA*CPK`. */
  readonly ledger: string;
  readonly tokenParty: Party;
  /** As it came. */
  readonly cdr: PublicCdr;
  /** Present for a credit that is not written as OCPI has it: `meantCdr` is what it is taken for. */
  readonly meant?: Meant;
  /** Of our own pricing of it; absent where it cannot be priced. */
  readonly pricing?: PricingNote;
  /** How it is settled; entries of former releases have none. */
  readonly taxed?: Taxed;
  /** What was found at once; what concerns other CDRs is found by the list. */
  readonly findings: readonly Finding[];
  readonly receivedAt: string;
  readonly private: Sealed;
}

export type RecordCdr = Omit<CdrReceived, 'type'> & { readonly type: 'RecordCdr' };

export type ReceivedCdr =
  | { readonly status: 'absent' }
  | {
      readonly status: 'recorded';
      readonly cdr: PublicCdr;
      readonly receivedAt: string;
      readonly private: Sealed;
    };

/** What a received CDR is taken for: its own words, but for a sloppy credit. */
export function meantCdr({ cdr, meant }: Pick<CdrReceived, 'cdr' | 'meant'>): PublicCdr {
  return asMeant(cdr, meant);
}

export function receivedStream(cdr: Party & { readonly id: string }): string {
  return (
    `received-${cdr.country_code}-${cdr.party_id}`.toUpperCase().replace('RECEIVED', 'received') +
    `-${idKey(cdr.id)}`
  );
}

export const receivedCdr: Decider<ReceivedCdr, RecordCdr, CdrReceived> = {
  initial: { status: 'absent' },

  decide(command, cdr) {
    if (cdr.status === 'absent') return [{ ...command, type: 'CdrReceived' }];
    // A redelivered push is not news.
    if (cdr.private.mac === command.private.mac) return [];
    throw new Rejected(
      'cdr-differs-from-recorded',
      `CDR ${command.cdr.id} of ${partyText(command.cdr)} was recorded with another content: credit it instead`,
    );
  },

  evolve: (_, { cdr, receivedAt, private: sealed }) => ({
    status: 'recorded',
    cdr,
    receivedAt,
    private: sealed,
  }),
};
