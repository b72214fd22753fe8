import type { Outbox } from '#bus';
import { type PartnerSessionChanged, partnerSessionChanged } from '#contracts/sessions';
import { fromJsonBytes } from '#contracts';
import { type Forgetting, type Holder, type HolderKeys, type Marks } from '#erasure';
import type { Session } from '#ocpi';
import type { Database } from '#postgres';
import type { Logs } from './logs.ts';
import { waitsForMore } from './order.ts';
import {
  eraseSessions, forgetStartsOrdered, openingsOf, sealedInTheOpen, sessionsOfHolder, startsOfTokens,
} from './forgetting-rows.ts';
import { isOver } from './partner-sessions.ts';
import { isErasedSession, withoutToken } from './without-token.ts';

export interface ForgettingParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly logs: Logs;
  readonly keys: HolderKeys;
  readonly marks: Marks;
}

/** What this service holds of a contract: its log under the contract's keys, and rows made from it. */
export function sessionsForgetting({ db, outbox, logs, keys, marks }: ForgettingParts): Forgetting {
  const tokenKeys = async (holder: Holder) => (await keys.under(holder, () => [])).tokenKeys;
  const isTheirs = ({ sessionJson }: PartnerSessionChanged) =>
    isErasedSession(marks, fromJsonBytes<Session>(sessionJson));

  return {
    async look(holder) {
      const { ids, tokenKeys: uids } = await keys.under(holder, () => []);
      const held = await sessionsOfHolder(db, holder, uids);
      const running = held.filter(({ session }) => !isOver(session));
      const orders = await startsOfTokens(db, uids);
      const states = await Promise.all(orders.map((orderId) => logs.orders.load(orderId)));
      const opening = await openingsOf(db, uids);
      const open = states.filter(({ state: { order } }) => order && waitsForMore(order));
      return {
        kept: {
          'keys of sealed events': ids.length,
          'charging sessions': held.length,
          'orders to charge': orders.length,
          'events stored before they were sealed, some perhaps of the contract, which stay readable': await sealedInTheOpen(db),
        },
        hindrances: [
          ...[...running.map(({ session: { id } }) => id), ...opening].map((id) => ({
            code: 'charge-runs', detail: `session ${id} has not ended: stop the charge, or wait for its end`,
          })),
          ...open.map(({ state: { order } }) => ({
            code: 'order-open', detail: `the order ${order!.orderId} has not ended: wait for its end, minutes at most`,
          })),
        ],
        sessionIds: held.filter(({ own, session }) => own && isOver(session)).map(({ session: { id } }) => id),
      };
    },
    tokenUids: tokenKeys,
    async forget(holder) {
      const { ids, tokenKeys: uids } = await keys.under(holder, () => []);
      await eraseSessions(db, await sessionsOfHolder(db, holder, uids), withoutToken);
      await forgetStartsOrdered(db, uids);
      await outbox.forget(partnerSessionChanged, isTheirs);
      // Last: by them the tokens are found, should this be interrupted.
      await keys.destroy(ids);
      return undefined;
    },
    emptyCaches() {
      keys.forget();
      for (const log of Object.values(logs)) log.forget();
    },
  };
}
