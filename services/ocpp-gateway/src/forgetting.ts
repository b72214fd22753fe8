import type { Forgetting, HolderKeys } from '#erasure';
import { asSpelt, idTagOf } from '#ocpp';
import type { Database } from '#postgres';

export interface ForgettingParts {
  readonly db: Database;
  readonly keys: HolderKeys;
  /** What is remembered of cards and stations. */
  emptyCaches(): void;
}

/** What this service holds of a contract: its journal, under the contract's keys. */
export function journalForgetting({ db, keys, emptyCaches }: ForgettingParts): Forgetting {
  // A uid too long for a card's number is in the journal under its alias, a card also with its bytes turned round.
  const under = (holder: Parameters<HolderKeys['under']>[0]) =>
    keys.under(holder, (uid) => [idTagOf(uid), asSpelt(uid, 'reversed')]);
  return {
    async look(holder) {
      const { ids } = await under(holder);
      const { rows } = await db.query<{ n: number }>('SELECT "position"::int AS n FROM sealed_since');
      return {
        kept: {
          'keys of sealed frames': ids.length,
          'frames stored before they were sealed, some perhaps of the contract, which stay readable': rows[0]!.n,
        },
      };
    },
    tokenUids: async (holder) => (await under(holder)).tokenKeys,
    async forget(holder) {
      await keys.destroy((await under(holder)).ids);
      return undefined;
    },
    emptyCaches() {
      keys.forget();
      emptyCaches();
    },
  };
}
