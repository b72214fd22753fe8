import type { StoredEvent } from '#event-store';
import type { Database } from '#postgres';
import type { CdrCredited } from '../cdr.ts';
import {
  type DisputedCdr,
  type DisputeOpened,
  disputesOfCdr,
  disputeStream,
  type NoteCredit,
} from '../dispute.ts';
import type { Follower, Following } from '../follow.ts';
import { type LedgerEvent, readEvent } from '../ledger-event.ts';
import { type CdrReceived, meantCdr } from '../received-cdr.ts';
import type { Recorder } from '../record.ts';
import { creditsOf } from './credits.ts';

/**
 * Ends a dispute when a Credit CDR for its CDR is in the ledger, ours or the partner's. It reads the
 * log as a projection does and appends through the decider, which answers a repeat with nothing:
 * after a crash between the two the same events are read again.
 */
export function disputeCredits(
  by: { readonly db: Database; readonly recorder: Recorder },
  list: Pick<Following, 'caughtUp'>,
): Follower {
  return {
    name: 'dispute-credits',
    async apply(_, events) {
      const ending = events.filter(mayBeEnding).flatMap((stored) => {
        const event = readEvent(stored);
        return mayEnd(event) ? [{ event, position: stored.position }] : [];
      });
      // Which CDR a credit is for, the list finds out.
      if (ending.length > 0) await list.caughtUp();
      for (const { event, position } of ending) {
        for (const credited of await creditsIn(by.db, event, position)) await note(by.recorder, credited, timeOf(event));
      }
    },
  };
}

type Ending = CdrCredited | CdrReceived | DisputeOpened;

/** Most CDRs received are no credits, which their text says as well. */
function mayBeEnding({ type, data }: StoredEvent): boolean {
  if (type === 'CdrReceived') return data.includes('"credit":true') || data.includes('"meant":');
  return type === 'CdrCredited' || type === 'DisputeOpened';
}

/** A dispute that was just opened, too: the credit may have come while it was. */
function mayEnd(event: LedgerEvent): event is Ending {
  if (event.type === 'CdrReceived') return meantCdr(event).credit === true;
  return event.type === 'CdrCredited' || event.type === 'DisputeOpened';
}

function timeOf(event: Ending): string {
  switch (event.type) {
    case 'CdrReceived':
      return event.receivedAt;
    case 'CdrCredited':
      return event.cdr.last_updated;
    case 'DisputeOpened':
      return event.at;
  }
}

interface Credited {
  readonly cdr: DisputedCdr;
  readonly creditCdrId: string;
}

async function note(recorder: Recorder, { cdr, creditCdrId }: Credited, at: string): Promise<void> {
  const command: NoteCredit = { type: 'NoteCredit', creditCdrId, at };
  await recorder.record(disputeStream(cdr), disputesOfCdr, async () => ({ parts: [], command }));
}

/** Those that were there before a dispute was opened, it knows by itself. */
async function creditsIn(db: Database, event: Ending, position: bigint): Promise<Credited[]> {
  if (event.type === 'DisputeOpened') {
    const { cdr } = event;
    return (await creditsOf(db, cdr, cdr.id)).map((creditCdrId) => ({ cdr, creditCdrId }));
  }
  const { rows } = await db.query<{ party: string; id: string; creditCdrId: string }>(
    `SELECT o.party, o.cdr_key AS id, c.cdr_id AS "creditCdrId" FROM cdrs c
     JOIN cdrs o ON o.party = c.party AND o.cdr_key = c.credit_of AND o.credit_of IS NULL WHERE c."position" = $1`,
    [position],
  );
  return rows.map(({ party, id, creditCdrId }) => {
    const [country_code = '', party_id = ''] = party.split('*');
    return { cdr: { country_code, party_id, id }, creditCdrId };
  });
}
