import { type Fact, told } from '#bus';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import type { StoredEvent } from '#event-store';
import type { AgreementSet } from './agreement.ts';
import { toBus } from './partner.ts';

/** Every version of an agreement is told as it is. */
export function agreementTells({ data }: StoredEvent): Fact {
  const { partner, version, terms, at } = JSON.parse(data) as AgreementSet;
  return told(agreementChanged, { partner: toBus(partner), version, agreement: agreementOf(terms), at });
}
