import { idKey, type Party, partyText } from '#ocpi';
import { type SettledCdr, settledCdr, type Taxed } from '#settlement';
import type { Finding } from '../finding.ts';
import { chargedTime, type PublicCdr } from '../private-part.ts';
import type { Original } from './credits.ts';

/** What a row is made of, of an event that is about a CDR. */
export interface Entry {
  readonly cdr: PublicCdr;
  readonly tokenParty: Party;
  readonly findings: readonly Finding[];
  readonly private: { readonly id: string };
  readonly taxed?: Taxed;
}

export type CdrRow = ReturnType<typeof rowOf>;

/**
 * The row of a CDR, but for its place in the log: of its entry and nothing else, so that it is the same whether it is
 * made as the CDR is recorded (`rows-ahead.ts`) or from the log. What it holds of the CDR is small. Whoever settled the
 * CDR already says how.
 */
export function rowOf(own: boolean, entry: Entry, acknowledged_at?: string, ofCdr: SettledCdr = settledCdr(entry.cdr, entry.taxed)) {
  const { cdr, tokenParty, findings } = entry;
  const { cdr_id, credit, credit_reference_id, location, taxes, remarks, ...settled } = ofCdr;
  return {
    own,
    party: partyText(cdr),
    cdr_key: idKey(cdr_id),
    cdr_id,
    token_party: partyText(tokenParty),
    credit_of: credit ? idKey(credit_reference_id ?? '') : undefined,
    credit_reference_id,
    acknowledged_at,
    ...settled,
    location_id: location.id,
    location_name: location.name,
    taxes: jsonUnlessNone(taxes),
    remarks: jsonUnlessNone(remarks),
    findings: JSON.stringify(findings),
    private_id: entry.private.id,
    charged: chargedOf(cdr),
    /** Whether it says when the token charged. */
    isTimed: chargedTime(cdr) !== undefined,
  };
}

function chargedOf({ id, total_cost, total_energy, currency }: PublicCdr): Original['charged'] {
  return { id, total_cost, total_energy, currency };
}

function jsonUnlessNone(list: readonly unknown[]): string | undefined {
  return list.length === 0 ? undefined : JSON.stringify(list);
}
