import type { Outbox } from '#bus';
import { tokenAuthorized, type TokenAuthorized, tokenChanged, type TokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes } from '#contracts';
import type { Forgetting, Holder } from '#erasure';
import { idKey, sameId, sameParty, type Token } from '#ocpi';
import type { Database } from '#postgres';
import { deleteTokens, tokensOfContract } from './erasure-rows.ts';

/** What this service holds of a contract: its tokens, and what it told of them. */
export function tokensForgetting(db: Database, outbox: Outbox): Forgetting {
  return {
    async look(holder) {
      const changed = await outbox.count(tokenChanged, isOf(holder));
      const shown = await outbox.count(tokenAuthorized, isShown(holder));
      return {
        kept: {
          tokens: (await tokensOfContract(db, holder)).length,
          'facts to tell again': changed + shown,
        },
      };
    },
    tokenUids: async ({ tokenUids }) => tokenUids,
    async forget(holder) {
      await deleteTokens(db, holder);
      await outbox.forget(tokenChanged, isOf(holder));
      await outbox.forget(tokenAuthorized, isShown(holder));
      return undefined;
    },
  };
}

/** Of that time: a later one is of a new contract. */
function isOf({ party, contractId, at }: Holder) {
  return ({ party: told, tokenJson, lastUpdated }: TokenChanged): boolean =>
    sameParty({ country_code: told!.countryCode, party_id: told!.partyId }, party)
    && Date.parse(lastUpdated) <= Date.parse(at)
    && sameId(fromJsonBytes<Token>(tokenJson).contract_id, contractId);
}

function isShown({ tokenUids, at }: Holder) {
  const uids = new Set(tokenUids.map(idKey));
  return ({ idTag, at: shownAt }: TokenAuthorized): boolean =>
    uids.has(idKey(idTag)) && Date.parse(shownAt) <= Date.parse(at);
}
