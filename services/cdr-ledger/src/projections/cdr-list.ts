import { idKey, partyText } from '#ocpi';
import { bigintArray, type Statement, textArray, type Tx, uuidArray } from '#postgres';
import type { CdrAcknowledged } from '../cdr.ts';
import type { Follower } from '../follow.ts';
import { type LedgerEvent, readEvent } from '../ledger-event.ts';
import { meantCdr } from '../received-cdr.ts';
import { agree } from './agreements.ts';
import { numbered } from './cdr-numbers.ts';
import { type CdrRow, rowOf } from './cdr-row.ts';
import { creditFindings, creditOvertaken, markCredited } from './credits.ts';
import { forgetOverlaps, noteOverlaps, settleOverlaps } from './overlaps.ts';
import type { RowsAhead } from './rows-ahead.ts';

/**
 * All CDRs and Credit CDRs in the order in which they entered the ledger, ours and those received, as
 * they are settled: rounded and with their taxes, and when they were acknowledged; and the agreements.
 * The findings that concern two CDRs (a credit and its original) are made here, in the log's order.
 * A CDR itself is read from the log (`listed-cdr.ts`).
 */

export const CDR_LIST = 'cdr-list';

export function cdrList(ahead?: RowsAhead): Follower {
  return {
    name: CDR_LIST,
    async apply(tx, events) {
      let fresh: Row[] = [];
      const acknowledged: CdrAcknowledged[] = [];
      const write = async () => {
        if (fresh.length > 0) await insert(tx, fresh);
        fresh = [];
      };
      for (const stored of events) {
        const made = ahead?.take(stored.id);
        if (made) {
          fresh.push({ ...made, position: stored.position });
          continue;
        }
        const event = readEvent(stored);
        // What looks at other rows has to find all that came before it.
        if (touchesOthers(event)) await write();
        const row = await applyEvent(tx, event);
        if (row) fresh.push({ ...row, position: stored.position });
        if (event.type === 'CdrAcknowledged') acknowledged.push(event);
      }
      await write();
      if (acknowledged.length > 0) await acknowledge(tx, acknowledged);
    },
    tables: ['cdrs', 'agreements'],
    forgetOf: forgetOverlaps,
  };
}

function touchesOthers(event: LedgerEvent): boolean {
  if (event.type === 'CdrReceived') return meantCdr(event).credit === true;
  return event.type === 'CdrCredited';
}

/** The row of a new CDR, if the event is one; what else it changes is changed. */
async function applyEvent(tx: Tx, event: LedgerEvent): Promise<CdrRow | undefined> {
  switch (event.type) {
    case 'CdrIssued':
      return rowOf(true, { ...event, findings: event.findings ?? [] });
    case 'CdrCredited':
      await markCredited(tx, partyText(event.cdr), event.cdr);
      return rowOf(true, { ...event, findings: [] });
    case 'CdrReceived': {
      const cdr = meantCdr(event);
      const findings = [...event.findings, ...(await creditFindings(tx, cdr))];
      // Whoever receives says when: the issuer hears it with the acknowledgement.
      return rowOf(false, { ...event, cdr, findings }, event.receivedAt);
    }
    case 'AgreementNoted':
      await agree(tx, event);
      return undefined;
    case 'CdrAcknowledged':
    case 'SessionLeftUnbilled':
    case 'DisputeOpened':
    case 'DisputeAnswered':
    case 'DisputeWithdrawn':
    case 'DisputeCredited':
    case 'AccountOpened':
    case 'PlanChosen':
    case 'LimitSet':
    case 'PaymentBooked':
    case 'CreditExhausted':
    case 'CreditRestored':
    case 'ChargeBooked':
    case 'ChargeHeld':
    case 'ChargeForestalled':
    case 'ChargeRefunded':
      return undefined;
  }
}

type Row = CdrRow & { readonly position: bigint };

/** Those that are written as text, with the type that the text is cast to. */
const COLUMNS = {
  own: 'boolean', party: 'text', cdr_key: 'text', cdr_id: 'text', session_id: 'text', token_party: 'text',
  last_updated: 'timestamptz', acknowledged_at: 'timestamptz', credit_of: 'text', credit_reference_id: 'text',
  currency: 'text', energy_kwh: 'numeric', excl_tax: 'numeric', incl_tax: 'numeric', location_id: 'text',
  location_name: 'text', taxes: 'json', remarks: 'json', findings: 'jsonb', number: 'int', reached: 'timestamptz',
  lag_ms: 'bigint',
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

const INSERT: Statement = {
  name: 'cdr_list_insert',
  text: `INSERT INTO cdrs ("position", private_id, ${NAMES.join(', ')})
         SELECT "position", private_id, ${NAMES.map((name) => `${name}::${COLUMNS[name]}`).join(', ')}
         FROM unnest($1::bigint[], $2::uuid[], ${NAMES.map((_, n) => `$${n + 3}::text[]`).join(', ')})
           AS r ("position", private_id, ${NAMES.join(', ')})`,
};

async function insert(tx: Tx, fresh: readonly Row[]): Promise<void> {
  const rows = await numbered(tx, fresh);
  await tx.query(INSERT, [
    bigintArray(rows.map(({ position }) => position)),
    uuidArray(rows.map(({ private_id }) => private_id)),
    ...NAMES.map((name) => textArray(rows.map((row) => row[name]?.toString()))),
  ]);
  const received = fresh.filter(({ own, credit_of }) => !own && credit_of === undefined);
  await creditOvertaken(tx, received);
  // What is credited in full is settled, and by now the rows say how much is.
  for (const { own, party, credit_of } of fresh) if (!own && credit_of !== undefined) await settleOverlaps(tx, party, credit_of);
  await noteOverlaps(tx, received.filter(({ isTimed }) => isTimed));
}

const ACKNOWLEDGE: Statement = {
  name: 'cdr_list_acknowledge',
  text: `UPDATE cdrs c SET acknowledged_at = a.at
         FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS a (party, cdr_key, at)
         WHERE c.party = a.party AND c.cdr_key = a.cdr_key AND c.acknowledged_at IS NULL`,
};

async function acknowledge(tx: Tx, events: readonly CdrAcknowledged[]): Promise<void> {
  await tx.query(ACKNOWLEDGE, [
    events.map(({ ledger }) => ledger),
    events.map(({ cdrId }) => idKey(cdrId)),
    events.map(({ at }) => at),
  ]);
}
