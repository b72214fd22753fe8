import { isOffered, type Offer, offeredOf, offersOf } from '#grants';
import { type Party, partyText, type Tariff } from '#ocpi';
import { isValidAt, type Payer, select } from '#pricing';

/** A tariff that a Connector names; without a version where none was in force. */
export interface Candidate {
  readonly tariffId: string;
  readonly tariff: Tariff | undefined;
}

export interface Choice {
  /** The one that applies, and why; undefined = none does. */
  readonly chosen: { readonly index: number; readonly why: string } | undefined;
  readonly others: readonly { readonly tariffId: string; readonly why: string }[];
}

export interface Chooser extends Payer {
  /** Who owns the token; the agreement with them says what is offered. */
  readonly tokenParty?: Party | undefined;
}

/**
 * Which of a Connector's tariffs applies, and why the others do not. Agreement first, where one of
 * its own applies, then what is valid at the start (TAR-03), then the payer's own type (TAR-02).
 */
export function choose(
  candidates: readonly Candidate[],
  payer: Chooser,
  offers: readonly Offer[],
): Choice {
  const agreed = agreedWith(candidates, payer, offers);
  const byAgreement = selected(agreed, payer);
  const open = byAgreement ? agreed : [...agreed, ...forAll(candidates, offers)];
  const chosen = byAgreement ?? selected(open, payer);
  const index = candidates.findIndex(({ tariff }) => tariff !== undefined && tariff === chosen);
  return {
    chosen: chosen && { index, why: whyChosen(chosen, payer, offers) },
    others: candidates
      .filter((_, n) => n !== index)
      .map((candidate) => ({
        tariffId: candidate.tariffId,
        why: open.includes(candidate)
          ? whyNot(candidate, payer, chosen)
          : whyNotOffered(candidate, payer, offers),
      })),
  };
}

function selected(candidates: readonly Candidate[], payer: Payer): Tariff | undefined {
  return select(candidates.flatMap(({ tariff }) => (tariff ? [tariff] : [])), payer);
}

/** Those of the agreement; where it has none here, those that are for all. */
function agreedWith(
  candidates: readonly Candidate[],
  payer: Chooser,
  offers: readonly Offer[],
): readonly Candidate[] {
  const party = agreeing(payer);
  if (!party) return [];
  const open = offeredOf(candidates.map(({ tariffId }) => tariffId), [party], offers);
  return candidates.filter(({ tariffId }) => open.includes(tariffId));
}

const forAll = (candidates: readonly Candidate[], offers: readonly Offer[]): readonly Candidate[] =>
  candidates.filter(({ tariffId }) => isOffered(tariffId, [], offers));

/** Who pays at the charger has no partner, and so no agreement. */
function agreeing({ tokenParty, tokenType }: Chooser): Party | undefined {
  return tokenType === 'AD_HOC_USER' ? undefined : tokenParty;
}

function isAgreed(payer: Chooser, tariffId: string, offers: readonly Offer[]): boolean {
  const party = agreeing(payer);
  const own = offersOf(tariffId, offers);
  return party !== undefined && own.length > 0 && isOffered(tariffId, [party], offers);
}

function whyChosen({ id, type }: Tariff, payer: Chooser, offers: readonly Offer[]): string {
  const agreed = isAgreed(payer, id, offers)
    ? `, by the agreement with ${partyText(payer.tokenParty!)}`
    : '';
  return `${type ? `the tariff of type ${type} in force` : 'in force for all sessions'}${agreed}`;
}

function whyNotOffered({ tariffId }: Candidate, payer: Chooser, offers: readonly Offer[]): string {
  const own = offersOf(tariffId, offers);
  const to = [...new Set(own.flatMap((offer) => offer.to.map(partyText)))];
  if (own.length > 0) return to.length > 0 ? `is offered to ${to.join(', ')} only` : 'is offered to nobody any more';
  return `${partyText(payer.tokenParty!)} is offered another one here by its agreement`;
}

function whyNot(
  { tariff }: Candidate,
  payer: Chooser,
  chosen: Tariff | undefined,
): string {
  if (!tariff) return 'no version of it was in force then';
  if (!isValidAt(tariff, payer.atMs)) {
    const { start_date_time: from, end_date_time: to } = tariff;
    return `is valid ${[from && `from ${from}`, to && `until ${to}`].filter(Boolean).join(' ')} only`;
  }
  if (select([tariff], payer) === undefined) {
    const profile = payer.profile ? ` that prefers ${payer.profile}` : '';
    return `is of type ${tariff.type}, which is not for a token of type ${payer.tokenType}${profile}`;
  }
  return `would apply too, but ${chosen?.id} comes first`;
}
