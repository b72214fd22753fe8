import { createHash } from 'node:crypto';
import { type Bus, isAskFailure, saysNo } from '#bus';
import { busParty } from '#contracts/party';
import { getOrder, orderStop } from '#contracts/sessions';
import { addDue, type DueHandler, type DueOutcome } from '#due';
import { Decimal, decimal } from '#money';
import { idKey, type Party, partyText, type Session } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, instant, rfc3339 } from '#time';
import { findHolder } from './holders.ts';
import type { PlaceOf } from './places.ts';
import type { ForDriver, RetailPricing } from './retail-pricing.ts';

/**
 * Charges of our drivers that are not on their accounts yet: running, or over and not billed. They
 * count against what the account has left, and those that run are stopped when nothing is.
 */

export interface RunningParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly pricing: RetailPricing;
  readonly placeOf: PlaceOf;
  readonly log: Log;
  /** Looks whether the account's credit is exhausted. */
  judge(accountId: string): Promise<void>;
}

/** What never led to a CDR counts no longer after this. */
const UNBILLED_DAYS = 7;
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

interface StopBody {
  readonly accountId: string;
  readonly party: Party;
  readonly sessionId: string;
  /** So many orders to stop it came to nothing. */
  readonly again?: number;
  /** Of the last one; rows of former releases do not say. */
  readonly orderedAt?: string;
}

export class Running {
  constructor(private readonly parts: RunningParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'stop-at-limit': async ({ body }, attempt) => this.stop(body as StopBody, attempt),
    'watch-stop': async ({ body }, attempt) => this.watchStop(body as StopBody, attempt),
    'judge-credit': async ({ body }) => {
      await this.parts.judge((body as { accountId: string }).accountId);
      return 'done';
    },
  };

  /** A Session of one of our drivers as it is now; another's is of no interest. */
  async note(tx: Tx, session: Session): Promise<void> {
    const { db, clock, parties, pricing, placeOf } = this.parts;
    const { cdr_token: token } = session;
    if (!parties.has(token)) return;
    const holder = await findHolder(db, { tokenUid: token.uid, contractId: token.contract_id });
    if (!holder) return;
    const { accountId } = holder;
    const place = await placeOf(session, session.location_id);
    const { price } = await pricing.price(holder, chargedSoFar(session, place));
    const { wasStopped } = await store(tx, { accountId, session, payable: price.payable, nowMs: clock.now() });
    await this.stopOverLimit(tx, accountId);
    // What it still costs until it is stopped may be all that was left.
    if (wasStopped || !isRunning(session)) await this.judgeLater(tx, accountId, session);
  }

  /**
   * Orders the end of all that runs on an account when the next update of its cost would take it
   * past its limit: once for each Session.
   */
  async stopOverLimit(tx: Tx, accountId: string): Promise<void> {
    const { clock } = this.parts;
    const { rows } = await tx.query<{ party: string; sessionId: string }>(
      `UPDATE running_charges r SET stop_ordered_at = $3
       WHERE r.account_id = $1 AND r.active AND r.stop_ordered_at IS NULL AND ${IS_OVER_LIMIT}
       RETURNING r.party, r.session_id AS "sessionId"`,
      [accountId, unbilledSince(clock), clock.iso()],
    );
    for (const { party: text, sessionId } of rows) {
      const [country_code = '', party_id = ''] = text.split('*');
      const body: StopBody = { accountId, party: { country_code, party_id }, sessionId };
      const id = `stop ${text} ${idKey(sessionId)}`;
      await addDue(tx, { id, key: id, kind: 'stop-at-limit', at: clock.now(), body });
    }
  }

  /** Whether a Session was ordered to stop because its account's limit was reached, and its driver did not pay before that. */
  async wasStopped(party: Party, sessionId: string): Promise<boolean> {
    const { rowCount } = await this.parts.db.query(
      `SELECT 1 FROM running_charges
       WHERE party = $1 AND session_key = $2 AND stop_ordered_at < 'infinity'`,
      [partyText(party), idKey(sessionId)],
    );
    return rowCount > 0;
  }

  private async stop(body: StopBody, attempt: number): Promise<DueOutcome> {
    const { bus, db, clock, log, judge } = this.parts;
    const { accountId, party, sessionId } = body;
    if (await this.letsGoOn(body)) return { retryInMs: RETRY_MS_MAX };
    const charge = await this.stopping(body);
    if (!charge) {
      await judge(accountId);
      return 'done';
    }
    const { tokenUid } = charge;
    // Its driver was erased meanwhile.
    if (tokenUid === null || tokenUid === '') return 'done';
    const orderId = stopOrderId(body);
    try {
      await bus.ask(
        orderStop,
        { orderId, tokenUid, party: busParty(party), sessionId },
        { commandId: orderId },
      );
      const id = `watch ${orderId}`;
      const watched: StopBody = { ...body, orderedAt: clock.iso() };
      await addDue(db, { id, key: id, kind: 'watch-stop', at: clock.now() + LOOK_AFTER_MS, body: watched });
    } catch (error) {
      if (!isAskFailure(error)) throw error;
      if (!saysNo(error) && (await this.runs(party, sessionId))) {
        if (attempt === TRIES_TOLD) log.error('a charge past its account\'s limit goes on: nobody orders its stop', { session: sessionId, error });
        return { retryInMs: Math.min(RETRY_MS * 2 ** (attempt - 1), RETRY_MS_MAX) };
      }
      log.warn('a charge at its account\'s limit is not stopped', { session: sessionId, error });
    }
    await judge(accountId);
    return 'done';
  }

  /** The station was away, or its operator: it goes on past the limit until it is ordered to stop once more. */
  private async watchStop(body: StopBody, attempt: number): Promise<DueOutcome> {
    const { bus, db, clock, log } = this.parts;
    const { party, sessionId, again = 0 } = body;
    if (!(await this.runs(party, sessionId))) return 'done';
    const state = await bus.ask(getOrder, { orderId: stopOrderId(body) }).then(({ order }) => order?.state, (error: unknown) => {
      if (!isAskFailure(error)) throw error;
      return undefined;
    });
    if (state === 'done' && !(await this.goesOn(body))) return attempt > LOOKS_MAX ? 'done' : { retryAt: clock.now() + LOOK_AGAIN_MS };
    if (state !== 'failed' && state !== 'refused' && state !== 'done') return { retryInMs: Math.min(RETRY_MS * 2 ** (attempt - 1), RETRY_MS_MAX) };
    if (again === AGAIN_MAX) {
      log.error('a charge past its account\'s limit goes on: it was ordered to stop for a day', { session: sessionId });
      return 'done';
    }
    const next = { ...body, again: again + 1 };
    const id = `stop ${stopOrderId(next)}`;
    await addDue(db, { id, key: id, kind: 'stop-at-limit', at: clock.now() + Math.min(AGAIN_MS * 2 ** again, AGAIN_MS_MAX), body: next });
    return 'done';
  }

  /** Its driver paid meanwhile: it may go on, until it would pass the limit again, and until then is not one that was stopped. */
  private async letsGoOn({ accountId, party, sessionId }: StopBody): Promise<boolean> {
    const { db, clock } = this.parts;
    const { rowCount } = await db.query(
      `UPDATE running_charges r SET stop_ordered_at = 'infinity'
       WHERE r.account_id = $1 AND r.party = $3 AND r.session_key = $4 AND r.active AND NOT ${IS_OVER_LIMIT}`,
      [accountId, unbilledSince(clock), partyText(party), idKey(sessionId)]);
    return rowCount > 0;
  }

  /** Whose it is, while it runs. Not in the due row: what is erased is to be in no place that nobody looks at. */
  private async stopping({ party, sessionId }: StopBody): Promise<{ tokenUid: string | null } | undefined> {
    const { db, clock } = this.parts;
    const { rows } = await db.query<{ tokenUid: string | null }>(
      `UPDATE running_charges SET stop_ordered_at = least(stop_ordered_at, $3)
       WHERE party = $1 AND session_key = $2 AND active RETURNING token_uid AS "tokenUid"`,
      [partyText(party), idKey(sessionId), clock.iso()]);
    return rows[0];
  }

  private async runs(party: Party, sessionId: string): Promise<boolean> {
    const { rowCount } = await this.parts.db.query(
      'SELECT 1 FROM running_charges WHERE party = $1 AND session_key = $2 AND active', [partyText(party), idKey(sessionId)]);
    return rowCount > 0;
  }

  /** Told well after its stop was carried out, as the station said. */
  private async goesOn({ party, sessionId, orderedAt }: StopBody): Promise<boolean> {
    const { rowCount } = await this.parts.db.query(
      `SELECT 1 FROM running_charges WHERE party = $1 AND session_key = $2 AND active AND updated_at > $3::timestamptz + interval '5 min'`,
      [partyText(party), idKey(sessionId), orderedAt ?? null]);
    return rowCount > 0;
  }

  private async judgeLater(tx: Tx, accountId: string, { id, status, last_updated }: Session) {
    const due = `judge ${accountId} ${idKey(id)} ${status} ${last_updated}`;
    const body = { accountId };
    await addDue(tx, { id: due, key: due, kind: 'judge-credit', at: this.parts.clock.now(), body });
  }
}

/** Of a charge `r` of account $1; what is billed, or was heard of before $2, counts no more. */
const IS_OVER_LIMIT = `EXISTS (
  SELECT 1 FROM account_balances b WHERE b.account_id = $1 AND b.currency = r.currency
    AND b.balance + b.credit_limit <= (
      SELECT sum(o.amount + CASE WHEN o.active THEN o.growth ELSE 0 END) FROM running_charges o
      WHERE o.account_id = $1 AND o.currency = r.currency AND NOT o.billed AND o.updated_at > $2))`;

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** After so many, some five minutes, people have to know. */
const TRIES_TOLD = 10;

/** Platform time. */
const LOOK_AFTER_MS = 30_000;
/** At one that was stopped and is not over: for a day. */
const LOOK_AGAIN_MS = 10 * 60_000;
const LOOKS_MAX = 144;
/** Between an order that came to nothing and the next; so many make a day. */
const AGAIN_MS = 60_000;
const AGAIN_MS_MAX = 30 * 60_000;
const AGAIN_MAX = 50;

/** The same on every try: at most 36 characters, as sessions wants it. */
function stopOrderId({ party, sessionId, again = 0 }: StopBody): string {
  const named = `${partyText(party)} ${idKey(sessionId)}${again === 0 ? '' : ` ${again}`}`;
  return `limit-${createHash('sha256').update(named).digest('hex').slice(0, 30)}`;
}

const isRunning = ({ status }: Session) => status === 'ACTIVE' || status === 'PENDING';

const HOUR_MS = 3_600_000;

function chargedSoFar(session: Session, place: ForDriver['place']): ForDriver {
  const { country_code, party_id, currency, total_cost, start_date_time: startedAt } = session;
  const untilMs = instant(session.end_date_time ?? session.last_updated);
  const ms = Math.max(0, untilMs - instant(startedAt));
  return {
    party: { country_code, party_id },
    currency,
    exclVat: total_cost === undefined ? Decimal.zero : decimal(total_cost.excl_vat),
    inclVat: total_cost?.incl_vat === undefined ? undefined : decimal(total_cost.incl_vat),
    energyKwh: decimal(session.kwh),
    hours: decimal(ms).divide(decimal(HOUR_MS), 4, 'half-away-from-zero'),
    startedAt,
    place,
  };
}

/** A charge by its Session and by a CDR that names none, as those of OCPI 2.1.1: of several Sessions the nearest. */
export const BEGAN_TOGETHER = (one: string, other: string) => `${APART_S(one, other)} <= 300`;
export const APART_S = (one: string, other: string) => `abs(extract(epoch FROM ${one} - ${other}))`;

/** And no reservation that never became one: a CDR `c` of an event `e`. */
const IS_CHARGE = `(c.energy_kwh <> 0 OR jsonb_path_exists(e.data::jsonb,
  '$.cdr.charging_periods[*].dimensions[*] ? ((@.type == "TIME" || @.type == "PARKING_TIME") && @.volume != 0)'))`;

interface Stored {
  readonly accountId: string;
  readonly session: Session;
  readonly payable: string;
  readonly nowMs: number;
}

async function store(
  tx: Tx,
  { accountId, session, payable, nowMs }: Stored,
): Promise<{ wasStopped: boolean }> {
  const { status, cdr_token: token, currency } = session;
  // Whose clock is ahead by years is not counted for years.
  const updatedAt = rfc3339(Math.min(instant(session.last_updated), nowMs));
  await tx.query('DELETE FROM running_charges WHERE updated_at < $1::timestamptz', [
    rfc3339(nowMs - KEPT_DAYS * DAY_MS),
  ]);
  // It may be billed by a CDR that names no Session. What it grew by since the update before is what the next one is expected to add.
  const { rows } = await tx.query<{ wasStopped: boolean }>(
    `INSERT INTO running_charges AS r (party, session_key, account_id, session_id, token_uid, currency,
       amount, active, billed, updated_at, started_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 AND NOT b.billed, $9 OR b.billed, $10, $11
     FROM (SELECT EXISTS (
       SELECT FROM private_parts p JOIN cdrs c ON c.private_id = p.id JOIN events e ON e."position" = c."position"
       WHERE p.token_party = $12 AND p.token_key = $13 AND p.charged_to > $11::timestamptz
         AND ${BEGAN_TOGETHER('p.charged_from', '$11::timestamptz')} AND c.party = $1 AND c.session_id IS NULL AND ${IS_CHARGE}
         AND NOT EXISTS (SELECT FROM running_charges o WHERE o.account_id = $3 AND o.party = $1 AND o.session_key <> $2
           AND ${APART_S('o.started_at', 'p.charged_from')} < ${APART_S('$11::timestamptz', 'p.charged_from')})) AS billed) b
     ON CONFLICT (party, session_key) DO UPDATE SET account_id = excluded.account_id,
       session_id = excluded.session_id, token_uid = excluded.token_uid, currency = excluded.currency,
       growth = greatest(0, excluded.amount - coalesce(r.amount, excluded.amount)),
       amount = excluded.amount, active = excluded.active AND NOT r.billed, started_at = excluded.started_at,
       billed = r.billed OR excluded.billed, updated_at = excluded.updated_at
     RETURNING r.stop_ordered_at IS NOT NULL AS "wasStopped"`,
    [
      partyText(session),
      idKey(session.id),
      accountId,
      session.id,
      token.uid,
      currency.toUpperCase(),
      payable,
      isRunning(session),
      status === 'INVALID',
      updatedAt,
      rfc3339(instant(session.start_date_time)),
      partyText(token),
      idKey(token.uid),
    ],
  );
  return rows[0]!;
}

function unbilledSince(clock: Clock): string {
  return rfc3339(clock.now() - UNBILLED_DAYS * DAY_MS);
}

export interface Unbilled {
  readonly amount: Decimal;
  /** Epoch ms from which on less of it counts, where nothing is heard of it until then. */
  readonly untilMs: number;
}

/** By currency: what is charged and not on the account yet. */
export async function unbilledOf(
  db: Queryable,
  accountId: string,
  clock: Clock,
): Promise<Map<string, Unbilled>> {
  const { rows } = await db.query<{ currency: string; amount: string; oldest: string }>(
    `SELECT currency, sum(amount) AS amount, min(updated_at) AS oldest FROM running_charges
     WHERE account_id = $1 AND NOT billed AND updated_at > $2 GROUP BY currency`,
    [accountId, unbilledSince(clock)],
  );
  return new Map(
    rows.map(({ currency, amount, oldest }) => [
      currency,
      { amount: decimal(amount), untilMs: instant(oldest) + UNBILLED_DAYS * DAY_MS },
    ]),
  );
}

/** A driver at the limit is judged again when what never led to a CDR counts no longer. */
export async function judgeWhenForgotten(
  db: Queryable,
  accountId: string,
  unbilled: ReadonlyMap<string, Unbilled>,
): Promise<void> {
  if (unbilled.size === 0) return;
  const at = Math.min(...[...unbilled.values()].map(({ untilMs }) => untilMs));
  const id = `judge ${accountId} at ${at}`;
  await addDue(db, { id, key: id, kind: 'judge-credit', at, body: { accountId } });
}
