import type { Executor } from '#event-store';
import { type Party, partyText } from '#ocpi';
import type { AgreementTerms } from '#settlement';
import type { Clock } from '#time';
import { type AgreementSet, type AgreementState, holdingVersions, type SetAgreement } from './agreement.ts';

export interface AgreementParts {
  readonly log: Executor<AgreementState, SetAgreement, AgreementSet>;
  readonly party: Party;
  readonly clock: Clock;
}

/** What was agreed on with each partner, by its party. */
export class Agreements {
  constructor(private readonly parts: AgreementParts) {}

  /** The version that now holds from the month of these terms. Throws Rejected. */
  async set(commandId: string, partner: Party, terms: AgreementTerms): Promise<AgreementSet> {
    const { log, party: own, clock } = this.parts;
    const command: SetAgreement = { type: 'SetAgreement', commandId, own, partner, terms, now: clock.now() };
    const { state, events } = await log.execute(partyText(partner), commandId, command);
    return events[0] ?? state.holding[terms.valid_from]!;
  }

  async of(partner: Party): Promise<AgreementSet[]> {
    return holdingVersions((await this.parts.log.load(partyText(partner))).state);
  }
}

/** The stream of the agreement with a party. */
export function agreementStream(party: string): string {
  return `agreement-${party.replace('*', '-')}`;
}
