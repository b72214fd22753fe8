import type { Outbox } from '#bus';
import { type DeliveryFailed, deliveryFailed } from '#contracts/ocpi-gateway';
import type { Forgetting, Holder } from '#erasure';
import { idKey, type Token } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, instant, rfc3339 } from '#time';
import { forgetSentTokens } from './partners/dialect-rows.ts';
import {
  anonymizeCdr, blankCdr, blankErrors, dropHubTokens, dropToken, type HeldPush, hubTokensOf, pushedOf,
} from './erased-rows.ts';
import { forgetOne, lockLinks } from './pushes/pushed-rows.ts';
import { pushOf, queueAll } from './pushes/queue-rows.ts';

export interface ForgettingParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly parties: OwnParties;
  wake(): void;
}

/** What this service holds of a contract: what partners were sent of it, and are still to be. */
export function deliveriesForgetting(parts: ForgettingParts): Forgetting {
  const { db, outbox } = parts;
  return {
    async look(holder) {
      const held = await pushedOf(db, holder);
      const of = (module: string) => held.filter(({ key }) => key.module === module).length;
      return {
        kept: {
          'tokens at partners': of('tokens'), 'Sessions sent': of('sessions'), 'CDRs sent': of('cdrs'),
          'tokens that the hub was told of': (await hubTokensOf(db, holder)).length,
        },
      };
    },
    tokenUids: async (holder) => [
      ...holder.tokenUids,
      ...(await pushedOf(db, holder)).flatMap(({ key, current }) =>
        (key.module === 'tokens' ? [(JSON.parse(current) as Token).uid] : [])),
    ],
    async forget(holder) {
      const waits: string[] = [];
      for (const held of await pushedOf(db, holder)) {
        const waitsFor = await forgetPush(parts, held);
        if (waitsFor !== undefined) waits.push(waitsFor);
      }
      await dropHubTokens(db, holder, await hubTokensOf(db, holder));
      await outbox.forget(deliveryFailed, namesTokenOf(holder));
      await forgetSentTokens(db, holder.contractId);
      await blankErrors(db, holder);
      return waits.length > 0 ? [...new Set(waits)].join('; ') : undefined;
    },
  };
}

async function forgetPush(parts: ForgettingParts, held: HeldPush): Promise<string | undefined> {
  const { db } = parts;
  switch (held.key.module) {
    case 'tokens':
      return withdraw(parts, held);
    case 'sessions':
      await forgetOne(db, held.key);
      return undefined;
    case 'cdrs':
      await (held.acknowledged === undefined ? anonymizeCdr(db, held) : blankCdr(db, held.key));
      return undefined;
    case 'locations':
    case 'tariffs':
      return undefined;
  }
}

/** OCPI has no DELETE of a token: whoever has ours must know that nobody charges with it any more. */
async function withdraw(
  { db, clock, parties, wake }: ForgettingParts,
  { key, partnerName, isLinked, current, acknowledged, unclear, queued }: HeldPush,
): Promise<string | undefined> {
  const token = JSON.parse(current) as Token;
  const isThere = isLinked && parties.has(token) && (acknowledged !== undefined || unclear);
  if (isThere && token.valid) {
    const nowMs = clock.now();
    const invalid = { ...token, valid: false, whitelist: 'NEVER', last_updated: rfc3339(Math.max(nowMs, instant(token.last_updated) + 1)) };
    await db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      await queueAll(tx, { own: [pushOf(key, JSON.stringify(invalid))] }, nowMs);
    });
    wake();
    return notYet(partnerName);
  }
  if (isThere && queued) return notYet(partnerName);
  if (queued) await forgetOne(db, key);
  await dropToken(db, key);
  return undefined;
}

const notYet = (partner: string) =>
  `${partner} has not acknowledged yet that the token is no longer valid: bring the connection back, or end it`;

function namesTokenOf({ tokenUids }: Holder) {
  const uids = new Set(tokenUids.map(idKey));
  return ({ module, objectId }: DeliveryFailed): boolean =>
    module === 'tokens' && uids.has(idKey(objectId.slice(objectId.indexOf(' ') + 1)));
}
