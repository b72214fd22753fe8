import { type Database } from '#postgres';
import type { Clock } from '#time';
import { membersReached } from '../hub/client-info-rows.ts';
import { deadLetters, lockLinks, type PushedKey, replayLetters } from '../pushes/pushed-rows.ts';
import { endPauses } from '../pushes/queue-rows.ts';
import { allNotCarried } from './dialect-rows.ts';
import type { Dialects } from './dialects.ts';
import { refuse } from './handshake.ts';
import type { Partner } from './partner.ts';
import { partnersWithWaiting, type Waiting } from './partner-rows.ts';
import type { Partners } from './partners.ts';
import { allSighted } from './quirk-rows.ts';
import { type QuirkName, suggested } from './quirks.ts';

/** A partner as an operator sees it. */
export interface Listed {
  readonly partner: Partner;
  readonly waiting: Waiting;
  readonly notCarried: readonly string[];
  readonly suggestedQuirks: readonly QuirkName[];
  /** Of a member, where we are a hub. */
  readonly reached: { readonly status: string; readonly since: string } | undefined;
}

export interface OperatorDeskParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly partners: Partners;
  readonly dialects: Dialects;
}

/** What operators see of all partners, and how they have sent again what one refused. */
export class OperatorDesk {
  constructor(private readonly parts: OperatorDeskParts) {}

  async list(): Promise<Listed[]> {
    const { db, clock } = this.parts;
    const [partners, notCarried, sighted, reached] = await Promise.all([
      partnersWithWaiting(db, clock.now()), allNotCarried(db), allSighted(db), membersReached(db),
    ]);
    return partners.map((one) => ({
      ...one,
      reached: one.partner.state === 'registered' ? reached.get(one.partner.id) : undefined,
      notCarried: notCarried.get(one.partner.id) ?? [],
      suggestedQuirks: suggested(sighted.get(one.partner.id) ?? [], one.partner.quirks),
    }));
  }

  /** What the partner refused, as it was said to it. Throws Rejected. */
  async letters(id: string, after: Omit<PushedKey, 'partnerId'> | undefined, limit: number) {
    const { db, partners, dialects } = this.parts;
    const partner = await partners.known(id);
    const { letters, total } = await deadLetters(db, id, after, limit);
    return { letters: await Promise.all(letters.map((letter) => dialects.asSent(partner, letter))), total };
  }

  /** Throws Rejected. */
  async replay(id: string, which: { module?: string | undefined; objectKey?: string | undefined }): Promise<number> {
    const { db, clock, partners } = this.parts;
    await partners.known(id);
    const queued = await db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      const replayed = await replayLetters(tx, id, which, clock.now());
      endPauses(tx, id, clock.now());
      return replayed;
    });
    if (queued === 0 && which.objectKey !== undefined) {
      throw refuse('unknown-letter', `${which.module} ${which.objectKey} is not among the dead letters of this partner`);
    }
    partners.wake();
    return queued;
  }
}
