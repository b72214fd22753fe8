import { randomUUID } from 'node:crypto';
import type { Executor } from '#event-store';
import { Rejected } from '#decider';
import { type Party, partyText, sameParty } from '#ocpi';
import type { OwnParties } from '#settings';
import type { AgreementTerms } from '#settlement';
import type { Clock } from '#time';
import {
  type AgreementEvent, type AgreementRefusal, type AgreementSet, type AgreementState, holdingVersions, type SetAgreement,
} from './agreement.ts';

export interface AgreementParts {
  readonly log: Executor<AgreementState, SetAgreement, AgreementEvent>;
  readonly parties: OwnParties;
  readonly clock: Clock;
}

/** What each of our parties agreed on with each partner, by its party. */
export class Agreements {
  constructor(private readonly parts: AgreementParts) {}

  /** The version that now holds from the month of these terms, which name both. Throws Rejected. */
  async set(commandId: string | undefined, partner: Party, terms: AgreementTerms): Promise<AgreementSet> {
    const { log, parties, clock } = this.parts;
    const own = parties.find(terms.parties.find((one) => !sameParty(one, partner)) ?? parties.first) ?? parties.first;
    const command: SetAgreement = { type: 'SetAgreement', commandId, own, partner, terms, now: clock.now() };
    const { state } = await log.execute(await this.keyOf(own, partner), commandId ?? randomUUID(), command);
    return state.holding[terms.valid_from]!;
  }

  /** Throws Rejected where we are several and none is named. */
  async of(partner: Party, named: Party | undefined): Promise<AgreementSet[]> {
    const own = this.parts.parties.chosen(named);
    if (!own.ok) throw new Rejected<AgreementRefusal>('invalid-object', own.message);
    return holdingVersions((await this.parts.log.load(await this.keyOf(own.party, partner))).state);
  }

  /** One of before a platform could be several parties bears the partner's name alone. */
  private async keyOf(own: Party, partner: Party): Promise<string> {
    const alone = partyText(partner);
    const [held] = holdingVersions((await this.parts.log.load(alone)).state);
    return held?.terms.parties.some((one) => sameParty(one, own)) ? alone : `${partyText(own)}-${alone}`;
  }
}

/** The stream of the agreement with a party, or between two. */
export function agreementStream(parties: string): string {
  return `agreement-${parties.replaceAll('*', '-')}`;
}
