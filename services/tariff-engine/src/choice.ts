import { type Party, partyText, sameId, sameParty, type Tariff } from '#ocpi';
import { isValidAt, type Payer, select } from '#pricing';

/** Tariffs that are for some partners only; where a Connector has one, they get no other. */
export interface Offer {
  readonly to: readonly Party[];
  readonly tariffIds: readonly string[];
}

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
 * Which of a Connector's tariffs applies, and why the others do not. Agreement first, then what is
 * valid at the start (TAR-03), then the payer's own type (TAR-02).
 */
export function choose(
  candidates: readonly Candidate[],
  payer: Chooser,
  offers: readonly Offer[],
): Choice {
  const open = openTo(candidates, payer, offers);
  const tariffs = open.flatMap(({ tariff }) => (tariff ? [tariff] : []));
  const chosen = select(tariffs, payer);
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

/** Those of the agreement, or where it has none here (or there is none) those that are for all. */
function openTo(
  candidates: readonly Candidate[],
  payer: Chooser,
  offers: readonly Offer[],
): readonly Candidate[] {
  const own = candidates.filter(({ tariffId }) => isOfferedTo(payer, tariffId, offers));
  if (own.length > 0) return own;
  return candidates.filter(({ tariffId }) => offersOf(tariffId, offers).length === 0);
}

function offersOf(tariffId: string, offers: readonly Offer[]): readonly Offer[] {
  return offers.filter(({ tariffIds }) => tariffIds.some((id) => sameId(id, tariffId)));
}

/** Who pays at the charger has no partner, and so no agreement. */
function isOfferedTo(
  { tokenParty, tokenType }: Chooser,
  tariffId: string,
  offers: readonly Offer[],
): boolean {
  if (tokenParty === undefined || tokenType === 'AD_HOC_USER') return false;
  return offersOf(tariffId, offers).some(({ to }) => to.some((one) => sameParty(one, tokenParty)));
}

function whyChosen({ id, type }: Tariff, payer: Chooser, offers: readonly Offer[]): string {
  const agreed = isOfferedTo(payer, id, offers)
    ? `, by the agreement with ${partyText(payer.tokenParty!)}`
    : '';
  return `${type ? `the tariff of type ${type} in force` : 'in force for all sessions'}${agreed}`;
}

function whyNotOffered({ tariffId }: Candidate, payer: Chooser, offers: readonly Offer[]): string {
  const to = offersOf(tariffId, offers).flatMap((offer) => offer.to.map(partyText));
  if (to.length > 0) return `is offered to ${[...new Set(to)].join(', ')} only`;
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
