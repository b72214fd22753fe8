import { entryText } from '#chain';
import type { AppendItem, EventStore } from '#event-store';
import { rouseDue } from '#due';
import { Decimal, decimal, max } from '#money';
import { idKey, partyText } from '#ocpi';
import { type Database, timeUuid, type Tx } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, instant, rfc3339 } from '#time';
import type { AccountState } from './account.ts';
import { taxesWithin } from './account-statement.ts';
import type { CdrCredited, CdrIssued } from './cdr.ts';
import { charge, type ChargeCommand, type ChargedCdr, chargeStream, stands } from './charge.ts';
import type { DisputeWithdrawn } from './dispute.ts';
import { type Finding, isHarmless } from './finding.ts';
import type { Follower, Following } from './follow.ts';
import { ensureHolder, findHolders, type Holder } from './holders.ts';
import { type LedgerEvent, readEvent } from './ledger-event.ts';
import { accountsLedger } from './ledgers.ts';
import type { PublicCdr } from './private-part.ts';
import { billedTwice, creditedBeside, soundBeside } from './projections/billed-twice.ts';
import { type CdrReceived, meantCdr } from './received-cdr.ts';
import type { Recorder } from './record.ts';
import { chargedOf, type RetailPricing } from './retail-pricing.ts';
import type { RetailSettings } from './retail-config.ts';
import { APART_S, BEGAN_TOGETHER } from './running.ts';

export interface BookingParts {
  readonly db: Database;
  readonly store: EventStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly pricing: RetailPricing;
  readonly settings: Pick<RetailSettings, 'flaggedCdrs'>;
  readonly list: Pick<Following, 'caughtUp'>;
}

/**
 * Books what our drivers owe for each CDR on their accounts. It reads the log as a projection does
 * and appends through the charge's decider, which knows a repeat by the CDR's id: after a crash
 * between the append and the position the same events are read again, and nothing comes of it.
 */
export function booking(parts: BookingParts): Follower {
  return {
    name: 'booking',
    async apply(_tx, events) {
      const read = events.map((stored) => readEvent(stored));
      const booked = read.flatMap((event) => bookedBy(event, parts.parties));
      const holders = await holdersOf(parts.db, booked);
      const batch: Batch = { ...parts, holders, accounts: new Map(), ...(await twiceIn(parts, booked)) };
      const isRelease = ({ event }: Booked) => event.type === 'DisputeWithdrawn';
      // First, and for itself: once it is on the account it must not count as running, too.
      await noteOver(parts, [...read.flatMap(overBy), ...(await unnamedOver(parts, unnamedBy(booked, holders)))]);
      const charged = booked.filter((each) => !isRelease(each));
      // What is left over of one account is taken in order; different accounts have nothing to do with each other.
      const byAccount = Map.groupBy(await bookNew(batch, charged), ({ event }) =>
        'private' in event ? holders.get(event.private.id)?.accountId : undefined,
      );
      await Promise.all(
        [...byAccount.values()].map(async (ofAccount) => {
          for (const each of ofAccount) await book(batch, each);
        }),
      );
      for (const { cdr } of booked.filter(isRelease)) await release(batch, cdr);
      if (parts.settings.flaggedCdrs === 'hold') for (const cdr of read.flatMap(creditedIn)) await releaseBeside(batch, cdr);
    },
  };
}

/** Which of them bill a session a second time, where such are held back: the list finds it out. */
async function twiceIn({ db, list, settings }: BookingParts, booked: readonly Booked[]): Promise<Pick<Batch, 'twice' | 'credited'>> {
  if (settings.flaggedCdrs !== 'hold' || booked.length === 0) return { twice: new Set(), credited: new Map() };
  await list.caughtUp();
  const received = booked.flatMap(({ event }) => (event.type === 'CdrReceived' ? [event.private.id] : []));
  const [twice, credited] = await Promise.all([billedTwice(db, received), creditedBeside(db, received)]);
  return { twice, credited };
}

/** What was credited before this event, on its driver's account or while it was held. */
function creditedIn(event: LedgerEvent): ChargedCdr[] {
  return event.type === 'ChargeRefunded' || event.type === 'ChargeForestalled' ? [event.cdr] : [];
}

/** What billed its session beside it is the only one now, if nothing of it stands. */
async function releaseBeside(batch: Batch, cdr: ChargedCdr): Promise<void> {
  if (await isStanding(batch, cdr)) return;
  for (const other of await soundBeside(batch.db, cdr, cdr.id)) await release(batch, { ...cdr, id: other });
}

/** Whether its driver pays for any of it. */
async function isStanding({ recorder }: Batch, cdr: ChargedCdr): Promise<boolean> {
  return stands((await recorder.record(chargeStream(cdr), charge, async () => undefined)).state);
}

/** What concerns the account: the CDR it is about, and the event. */
interface Booked {
  readonly cdr: ChargedCdr;
  readonly event: CdrReceived | CdrIssued | CdrCredited | DisputeWithdrawn;
}

function bookedBy(event: LedgerEvent, parties: OwnParties): Booked[] {
  switch (event.type) {
    case 'CdrReceived':
    case 'CdrIssued':
    case 'CdrCredited': {
      // Of another's drivers, or of nobody: it is settled with its owner.
      if (!parties.has(event.tokenParty)) return [];
      const { country_code, party_id, id, credit, credit_reference_id } = billedBy(event);
      const about = credit ? credit_reference_id : id;
      // What nobody can tell what it takes back is between us and the partner.
      if (!about) return [];
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

/** What the events of one batch have in common. */
interface Batch extends BookingParts {
  /** The account by the private part of a CDR; an erased driver has none. */
  readonly holders: ReadonlyMap<string, Holder>;
  readonly accounts: Map<string, Promise<AccountState>>;
  /** Private parts of CDRs of sessions that are billed twice. */
  readonly twice: ReadonlySet<string>;
  /** By private part, the credited CDRs of the same session. */
  readonly credited: ReadonlyMap<string, readonly string[]>;
}

/**
 * Charges of which nothing is known yet, in one append: nearly all of them. Those that it does not
 * take are left over: their streams have begun, or the one of another CDR of their session, so what is on them has to be read.
 */
async function bookNew(batch: Batch, charged: readonly Booked[]): Promise<Booked[]> {
  const byCharge = Map.groupBy(charged, ({ cdr }) => chargeStream(cdr));
  const items: AppendItem[] = [];
  const taken: Booked[] = [];
  for (const [stream, [first, second]] of byCharge) {
    const command = second === undefined && !creditedOf(batch, first!) ? await commandOf(batch, first!) : undefined;
    if (command === undefined) continue;
    const events = charge.decide(command, charge.initial).map((event, n) => {
      const id = timeUuid();
      return { id, type: event.type, data: entryText({ id, stream, version: n + 1 }, event) };
    });
    items.push({ stream, expected: 0, events });
    taken.push(first!);
  }
  const outcomes = items.length === 0 ? [] : await batch.store.append(items);
  const done = new Set(taken.filter((_, n) => outcomes[n]?.outcome === 'appended'));
  return charged.filter((each) => !done.has(each));
}

async function book(batch: Batch, booked: Booked): Promise<void> {
  await batch.recorder.record(chargeStream(booked.cdr), charge, async () => {
    const command = await commandOf(batch, booked);
    return command && { parts: [], command };
  });
}

async function release({ recorder, clock }: Batch, cdr: ChargedCdr): Promise<void> {
  await recorder.record(chargeStream(cdr), charge, async ({ status }) =>
    (status === 'held' ? { parts: [], command: { type: 'ReleaseCharge', at: clock.iso() } } : undefined));
}

/** Undefined where the driver is erased: nobody is left to charge. */
async function commandOf(batch: Batch, { cdr, event }: Booked): Promise<ChargeCommand | undefined> {
  const { clock, holders, settings } = batch;
  const at = clock.iso();
  if (event.type === 'DisputeWithdrawn') return undefined;
  const holder = holders.get(event.private.id);
  if (holder === undefined) return undefined;
  const { accountId } = holder;
  const about = { ledger: accountsLedger(holder.party), accountId, cdr, at };
  const billed = billedBy(event);
  const mayHold = settings.flaggedCdrs === 'hold' && event.type === 'CdrReceived';
  if (billed.credit) {
    const { excl_vat, incl_vat } = billed.total_cost;
    const excl = decimal(excl_vat).abs();
    const creditedExclVat = excl.toString();
    const tax = incl_vat === undefined ? {} : { creditedTax: max(decimal(incl_vat).abs().sub(excl), Decimal.zero).toString() };
    const currency = billed.currency.toUpperCase();
    return { type: 'CreditCharge', ...about, creditCdrId: billed.id, creditedExclVat, ...tax, currency, hold: mayHold };
  }
  const hold = mayHold && (isOdd(event.findings) || batch.twice.has(event.private.id) || await standsBeside(batch, { cdr, event }));
  return { type: 'BookCharge', ...about, hold, ...(await priced(batch, holder, billed)) };
}

function creditedOf({ credited }: Batch, { event }: Booked): readonly string[] | undefined {
  return 'private' in event ? credited.get(event.private.id) : undefined;
}

/** Whether its driver pays for another CDR of its session that is credited: a credit of it waits, or is still to be booked. */
async function standsBeside(batch: Batch, booked: Booked): Promise<boolean> {
  for (const id of creditedOf(batch, booked) ?? []) if (await isStanding(batch, { ...booked.cdr, id })) return true;
  return false;
}

async function priced({ pricing, accounts }: Batch, holder: Holder, cdr: PublicCdr) {
  const { accountId, party } = holder;
  const account = accounts.get(accountId) ?? pricing.opened(holder);
  accounts.set(accountId, account);
  const { plan, price } = pricing.priceBy(await account, chargedOf(cdr), party);
  return {
    startedAt: cdr.start_date_time,
    energyKwh: decimal(cdr.total_energy).toString(),
    cdrExclVat: decimal(cdr.total_cost.excl_vat).toString(),
    plan,
    price,
    taxes: taxesWithin(cdr, price),
  };
}

function isOdd(findings: readonly Pick<Finding, 'code'>[]): boolean {
  return !findings.every(isHarmless);
}

/** Accounts by private part; a contract that has none yet gets one. */
async function holdersOf(db: Database, booked: readonly Booked[]): Promise<Map<string, Holder>> {
  const owners = new Map(
    booked.flatMap(({ event }) => (event.type === 'DisputeWithdrawn' ? [] : [[event.private.id, event.tokenParty] as const])),
  );
  if (owners.size === 0) return new Map();
  const { rows } = await db.query<{ id: string; tokenUid: string; contractId: string }>(
    `SELECT id, token_key AS "tokenUid", contract_key AS "contractId" FROM private_parts
     WHERE id = ANY ($1::uuid[])`,
    [[...owners.keys()]],
  );
  const found = await findHolders(db, rows);
  const holders = new Map<string, Holder>();
  for (const [n, { id, contractId }] of rows.entries()) {
    holders.set(id, found[n] ?? (await ensureHolder(db, contractId, owners.get(id)!)));
  }
  return holders;
}

interface Over {
  readonly party: string;
  readonly sessionId: string;
}

/** A Session that is billed, or never will be. */
function overBy(event: LedgerEvent): Over[] {
  if (event.type === 'SessionLeftUnbilled') return [{ party: event.ledger, sessionId: event.sessionId }];
  if (event.type !== 'CdrReceived' && event.type !== 'CdrIssued') return [];
  const { session_id: sessionId } = event.cdr;
  return sessionId === undefined ? [] : [{ party: partyText(event.cdr), sessionId }];
}

/** A CDR of an account that names no Session. */
interface Unnamed {
  readonly party: string;
  readonly accountId: string;
  readonly startedAt: string;
}

function unnamedBy(booked: readonly Booked[], holders: ReadonlyMap<string, Holder>): Unnamed[] {
  return booked.flatMap(({ event }) => {
    if (event.type !== 'CdrReceived') return [];
    const billed = billedBy(event);
    const holder = holders.get(event.private.id);
    if (billed.credit || billed.session_id !== undefined || !holder || !isCharge(billed)) return [];
    return [{ party: partyText(event.cdr), accountId: holder.accountId, startedAt: rfc3339(instant(billed.start_date_time)) }];
  });
}

/** CDR-09: nor has a reservation that never became one a Session. As `IS_CHARGE` has it. */
function isCharge({ total_energy, charging_periods }: PublicCdr): boolean {
  return total_energy !== 0 || charging_periods.some(({ dimensions }) =>
    dimensions.some(({ type, volume }) => (type === 'TIME' || type === 'PARKING_TIME') && volume !== 0));
}

/** The Session of each, that began with it as far as can be told: the same one however often it is looked for. */
async function unnamedOver({ db, list }: BookingParts, cdrs: readonly Unnamed[]): Promise<Over[]> {
  if (cdrs.length === 0) return [];
  // A Session that is heard of from now on finds it there.
  await list.caughtUp();
  const { rows } = await db.query<Over>(
    `SELECT DISTINCT ON (c.n) c.party, r.session_id AS "sessionId"
     FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) WITH ORDINALITY AS c (party, account_id, started_at, n)
     JOIN running_charges r ON r.party = c.party AND r.account_id = c.account_id
       AND ${BEGAN_TOGETHER('r.started_at', 'c.started_at')}
     ORDER BY c.n, ${APART_S('r.started_at', 'c.started_at')}`,
    [cdrs.map(({ party }) => party), cdrs.map(({ accountId }) => accountId), cdrs.map(({ startedAt }) => startedAt)],
  );
  return rows;
}

/**
 * It counts no longer as running, also where its Session is heard of later. A driver at the limit is
 * judged after that: it may have come to no line, as where it is held or never billed.
 */
async function noteOver({ db, clock }: Pick<BookingParts, 'db' | 'clock'>, sessions: readonly Over[]): Promise<void> {
  if (sessions.length === 0) return;
  const note = async (tx: Tx) => {
    const { rows } = await tx.query<{ accountId: string }>(
      `WITH over AS (
         INSERT INTO running_charges (party, session_key, billed, updated_at)
         SELECT DISTINCT party, session_key, true, $3::timestamptz
         FROM unnest($1::text[], $2::text[]) AS s (party, session_key)
         ON CONFLICT (party, session_key) DO UPDATE SET billed = true, active = false
         RETURNING account_id)
       SELECT DISTINCT account_id AS "accountId" FROM over JOIN accounts USING (account_id) WHERE exhausted`,
      [
        sessions.map(({ party }) => party),
        sessions.map(({ sessionId }) => idKey(sessionId)),
        clock.iso(),
      ],
    );
    const judged = rows.map(({ accountId }) => ({ id: `judge ${accountId}`, key: `judge ${accountId}`, body: { accountId } }));
    await rouseDue(tx, 'judge-credit', clock.now(), judged);
  };
  await db.tx(note, { durable: false });
}
