import type { StoredEvent } from '#event-store';
import { decimal } from '#money';
import { idKey, type Party, partyText, sameParty } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import type { Clock } from '#time';
import type { CdrCredited, CdrIssued } from './cdr.ts';
import { charge, type ChargeCommand, type ChargedCdr, chargeStream } from './charge.ts';
import type { DisputeWithdrawn } from './dispute.ts';
import type { Finding } from './finding.ts';
import type { Follower } from './follow.ts';
import { ensureHolder, findHolder } from './holders.ts';
import { type LedgerEvent, readEvent } from './ledger-event.ts';
import type { PublicCdr } from './private-part.ts';
import { type CdrReceived, meantCdr } from './received-cdr.ts';
import type { Recorder } from './record.ts';
import { accountsLedger, chargedOf, type RetailPricing } from './retail-pricing.ts';
import type { RetailSettings } from './retail-config.ts';

export interface BookingParts {
  readonly db: Database;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly party: Party;
  readonly pricing: RetailPricing;
  readonly settings: Pick<RetailSettings, 'flaggedCdrs'>;
}

/**
 * Books what our drivers owe for each CDR on their accounts. It reads the log as a projection does
 * and appends through the charge's decider, which knows a repeat by the CDR's id: after a crash
 * between the append and the position the same events are read again, and nothing comes of it.
 */
export function booking(parts: BookingParts): Follower {
  return {
    name: 'booking',
    async apply(tx, events) {
      const booked = events.flatMap((stored) => bookedBy(stored, parts.party));
      const payers = await payersOf(parts.db, booked);
      const isRelease = ({ event }: Booked) => event.type === 'DisputeWithdrawn';
      const charged = booked.filter((each) => !isRelease(each));
      const byDriver = Map.groupBy(charged, ({ event }) =>
        'private' in event ? payers.get(event.private.id)?.contractId : undefined,
      );
      // A driver's charges are in order; those of different drivers have nothing to do with each other.
      await Promise.all(
        [...byDriver.values()].map(async (ofDriver) => {
          for (const each of ofDriver) await book(parts, each, payers);
        }),
      );
      for (const each of booked.filter(isRelease)) await book(parts, each, payers);
      await noteOver(tx, events.flatMap(overBy));
    },
  };
}

/** What concerns the account: the CDR it is about, and the event. */
interface Booked {
  readonly cdr: ChargedCdr;
  readonly event: CdrReceived | CdrIssued | CdrCredited | DisputeWithdrawn;
}

function bookedBy(stored: StoredEvent, party: Party): Booked[] {
  const event: LedgerEvent = readEvent(stored);
  switch (event.type) {
    case 'CdrReceived':
    case 'CdrIssued':
    case 'CdrCredited': {
      // Of another's drivers, or of nobody: it is settled with its owner.
      if (!sameParty(event.tokenParty, party)) return [];
      const { country_code, party_id, id, credit, credit_reference_id } = billedBy(event);
      const about = credit ? (credit_reference_id ?? '') : id;
      return [{ event, cdr: { country_code, party_id, id: about } }];
    }
    case 'DisputeWithdrawn':
      return [{ event, cdr: event.cdr }];
    default:
      return [];
  }
}

/** A sloppy credit is booked as what it is meant for. */
function billedBy(event: CdrReceived | CdrIssued | CdrCredited): PublicCdr {
  return event.type === 'CdrReceived' ? meantCdr(event) : event.cdr;
}

async function book(
  { db, recorder, clock, party, pricing, settings }: BookingParts,
  { cdr, event }: Booked,
  payers: ReadonlyMap<string, Paying>,
): Promise<void> {
  const record = (make: () => Promise<ChargeCommand>) =>
    recorder.record(chargeStream(cdr), charge, async (state) => {
      const isNews = event.type === 'DisputeWithdrawn' ? state.status === 'held' : true;
      return isNews ? { parts: [], command: await make() } : undefined;
    });
  const at = clock.iso();
  if (event.type === 'DisputeWithdrawn') {
    await record(async () => ({ type: 'ReleaseCharge', at }));
    return;
  }
  const payer = payers.get(event.private.id);
  // Erased: nobody is left to charge.
  if (!payer) return;
  const holder = (await findHolder(db, payer)) ?? (await ensureHolder(db, payer.contractId));
  const { accountId } = holder;
  const about = { ledger: accountsLedger(party), accountId, cdr, at };
  const billed = billedBy(event);
  if (billed.credit) {
    const creditedExclVat = decimal(billed.total_cost.excl_vat).abs().toString();
    const creditCdrId = billed.id;
    await record(async () => ({ type: 'CreditCharge', ...about, creditCdrId, creditedExclVat }));
    return;
  }
  const hold = settings.flaggedCdrs === 'hold' && event.type === 'CdrReceived' && isOdd(event.findings);
  await record(async () => ({
    type: 'BookCharge',
    ...about,
    hold,
    ...(await priced(pricing, accountId, billed)),
  }));
}

async function priced(pricing: RetailPricing, accountId: string, cdr: PublicCdr) {
  return {
    startedAt: cdr.start_date_time,
    energyKwh: decimal(cdr.total_energy).toString(),
    cdrExclVat: decimal(cdr.total_cost.excl_vat).toString(),
    ...(await pricing.price(accountId, chargedOf(cdr))),
  };
}

/** What says nothing against the CDR itself. */
const HARMLESS: ReadonlySet<string> = new Set(['time-zone-unknown', 'tariff-not-compared']);

function isOdd(findings: readonly Pick<Finding, 'code'>[]): boolean {
  return findings.some(({ code }) => !HARMLESS.has(code));
}

interface Paying {
  readonly tokenUid: string;
  readonly contractId: string;
}

async function payersOf(db: Queryable, booked: readonly Booked[]): Promise<Map<string, Paying>> {
  const ids = booked.flatMap(({ event }) => (event.type === 'DisputeWithdrawn' ? [] : [event.private.id]));
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<Paying & { id: string }>(
    `SELECT id, token_key AS "tokenUid", contract_key AS "contractId" FROM private_parts
     WHERE id = ANY ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

interface Over {
  readonly party: string;
  readonly sessionId: string;
}

/** A Session that is billed, or never will be. */
function overBy(stored: StoredEvent): Over[] {
  const event: LedgerEvent = readEvent(stored);
  if (event.type === 'SessionLeftUnbilled') return [{ party: event.ledger, sessionId: event.sessionId }];
  if (event.type !== 'CdrReceived' && event.type !== 'CdrIssued') return [];
  const { session_id: sessionId } = event.cdr;
  return sessionId === undefined ? [] : [{ party: partyText(event.cdr), sessionId }];
}

/** It counts no longer as running, also where its Session is heard of later. */
async function noteOver(tx: Tx, sessions: readonly Over[]): Promise<void> {
  if (sessions.length === 0) return;
  await tx.query(
    `INSERT INTO running_charges (party, session_key, billed)
     SELECT DISTINCT party, session_key, true FROM unnest($1::text[], $2::text[]) AS s (party, session_key)
     ON CONFLICT (party, session_key) DO UPDATE SET billed = true, active = false`,
    [sessions.map(({ party }) => party), sessions.map(({ sessionId }) => idKey(sessionId))],
  );
}
