import { type Fact, told } from '#bus';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import type { StoredEvent } from '#event-store';
import type { AgreementSet } from './agreement.ts';
import { toBus } from './partner.ts';

/** Every version of an agreement is told as it is. */
export function agreementTells({ type, data }: StoredEvent): Fact | undefined {
  if (type !== 'AgreementSet') return undefined;
  const { partner, version, terms, at } = JSON.parse(data) as AgreementSet;
  return told(agreementChanged, { partner: toBus(partner), version, agreement: agreementOf(terms), at });
}
