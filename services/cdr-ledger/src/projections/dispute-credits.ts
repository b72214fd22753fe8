import { idKey, partyText } from '#ocpi';
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
        const credited = await creditedBy(by.db, event, position);
        if (credited) await note(by.recorder, credited, timeOf(event));
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

async function creditedBy(
  db: Database,
  event: Ending,
  position: bigint,
): Promise<Credited | undefined> {
  const [where, values] =
    event.type === 'DisputeOpened'
      ? ['o.party = $1 AND o.cdr_key = $2', [partyText(event.cdr), idKey(event.cdr.id)]]
      : ['c."position" = $1', [position]];
  const { rows } = await db.query<{ party: string; cdr_key: string; credited_by: string }>(
    `SELECT o.party, o.cdr_key, o.credited_by FROM cdrs o
     LEFT JOIN cdrs c ON c.party = o.party AND c.credit_of = o.cdr_key
     WHERE o.credited_by IS NOT NULL AND ${where}`,
    values,
  );
  const [row] = rows;
  if (!row) return undefined;
  const [country_code = '', party_id = ''] = row.party.split('*');
  return {
    cdr: { country_code, party_id, id: row.cdr_key },
    creditCdrId: row.credited_by,
  };
}
