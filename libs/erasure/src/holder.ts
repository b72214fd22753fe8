import type { Holder as ToldHolder } from '#contracts/erasure';
import { busParty, ocpiParty } from '#contracts/party';
import { idKey, type Party, partyText, sameId, sameParty } from '#ocpi';

/** Whose data something is, as far as it says: by OCPI's ids, which compare without case. */
export interface Subject {
  /** Of the token; absent where only a card's number is known. */
  readonly party?: Party | undefined;
  readonly contractId?: string | undefined;
  readonly uid?: string | undefined;
}

/** Who is to be forgotten. */
export interface Holder {
  readonly party: Party;
  readonly contractId: string;
  /** Of its tokens, as far as tokens-auth knows them; a service may hold more. */
  readonly tokenUids: readonly string[];
  readonly visualNumbers: readonly string[];
  /** For which the uids of its tokens were issued, too: what names one of them is that one's. */
  readonly otherContractIds: readonly string[];
  /** What happened up to then is forgotten. */
  readonly at: string;
}

/** A service's rows spell contracts like this. */
export const contractKeyOf = (party: Party, contractId: string): string => `${partyText(party)} ${idKey(contractId)}`;

export function holderOf({ party, contractId, tokenUids, visualNumbers, otherContractIds, at }: ToldHolder): Holder {
  return { party: ocpiParty(party!), contractId, tokenUids, visualNumbers, otherContractIds, at };
}

export function toldHolder({ party, tokenUids, visualNumbers, otherContractIds, ...holder }: Holder) {
  return {
    ...holder,
    party: busParty(party),
    tokenUids: [...tokenUids], visualNumbers: [...visualNumbers], otherContractIds: [...otherContractIds],
  };
}

/** By the uid alone, too, since partners spell contracts otherwise. */
export function isTokenOf(
  { party, contractId, tokenUids, otherContractIds }: Holder, token: Party & { readonly contract_id: string; readonly uid: string },
): boolean {
  if (!sameParty(token, party)) return false;
  if (sameId(token.contract_id, contractId)) return true;
  return tokenUids.some((uid) => sameId(uid, token.uid)) && !otherContractIds.some((id) => sameId(id, token.contract_id));
}
