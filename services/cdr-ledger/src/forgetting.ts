import type { Forgetting, Holder } from '#erasure';
import { partyText } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { localMonth, SettlementCalendar } from '#settlement';
import { type Clock, instant, zone } from '#time';
import { sessionStream } from './cdr.ts';
import type { Following } from './follow.ts';
import { forgetHolder, holderOf } from './holders.ts';
import {
  dropPrivateParts, heldCdrs, openDisputes, privatePartsOf, unacknowledged, withoutEvents,
} from './forgetting-rows.ts';
import { lockPosition } from './positions.ts';
import { agreementBetween } from './projections/agreements.ts';
import { CDR_LIST } from './projections/cdr-list.ts';
import { forgetOverlaps } from './projections/overlaps.ts';

export interface ForgettingParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly parties: OwnParties;
  /** Of months without an agreement. */
  readonly timeZone: string;
  /** All that makes rows of the log: what is looked at must be there. */
  readonly followings: readonly Pick<Following, 'caughtUp'>[];
}

/** What the ledger holds of a contract: private parts, and whose account an account is. */
export function ledgerForgetting(parts: ForgettingParts): Forgetting {
  const { db, parties } = parts;
  const isOurs = (holder: Holder) => parties.has(holder.party);
  return {
    async look(holder, sessionIds) {
      await Promise.all(parts.followings.map((following) => following.caughtUp()));
      return {
        kept: {
          'private parts of CDRs and disputes': (await privatePartsOf(db, holder)).length,
          CDRs: await heldCdrs(db, holder),
          'drivers\' accounts, whose balance stays and is nobody\'s':
            isOurs(holder) && (await holderOf(db, holder.contractId)) ? 1 : 0,
        },
        hindrances: [
          ...(await unbilled(parts, sessionIds)),
          ...(await unsettled(parts, holder)),
          ...(await openDisputes(db, holder)).map((cdrId) => ({
            code: 'dispute-open', detail: `a dispute over the CDR ${cdrId} is open: settle or withdraw it first`,
          })),
        ],
      };
    },
    tokenUids: async ({ tokenUids }) => tokenUids,
    async forget(holder) {
      await db.tx(async (tx) => {
        await lockPosition(tx, CDR_LIST);
        await dropPrivateParts(tx, holder);
        await forgetOverlaps(tx);
      });
      if (isOurs(holder)) await forgetHolder(db, holder.contractId);
      return undefined;
    },
  };
}

/** A session that is over gets its CDR within a minute, which needs the token. */
async function unbilled({ db }: ForgettingParts, sessionIds: readonly string[]) {
  const streams = new Map(sessionIds.map((id) => [sessionStream(id), id]));
  return (await withoutEvents(db, [...streams.keys()])).map((stream) => ({
    code: 'session-not-billed', detail: `session ${streams.get(stream)} has ended and has no CDR yet: wait for it`,
  }));
}

/**
 * A CDR of ours goes to its token's owner as it was issued, and is owed once it was taken. After its
 * month has closed it is on no statement as taken in time; it then goes on without its token.
 */
async function unsettled({ db, clock, parties, timeZone }: ForgettingParts, holder: Holder) {
  if (parties.has(holder.party)) return [];
  const calendars = new Map<string, SettlementCalendar>();
  const open: { code: string; detail: string }[] = [];
  for (const { issuer, cdrId, lastUpdated } of await unacknowledged(db, holder)) {
    const [country_code = '', party_id = ''] = issuer.split('*');
    const calendar = calendars.get(issuer)
      ?? new SettlementCalendar(await agreementBetween(db, { country_code, party_id }, holder.party), zone(timeZone));
    calendars.set(issuer, calendar);
    const atMs = instant(lastUpdated);
    const month = localMonth(atMs, calendar.zoneOf(localMonth(atMs, zone(timeZone))));
    if ((calendar.closesAt(month) ?? Infinity) <= clock.now()) continue;
    open.push({
      code: 'cdr-not-acknowledged',
      detail: `${partyText(holder.party)} has not acknowledged the CDR ${cdrId}, and its month is not closed: `
        + 'see to it that the partner takes it, or wait until the month has closed',
    });
  }
  return open;
}
