import { Rejected } from '#decider';
import { type Party, partyText, sameParty } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties, PartySettings } from '#settings';
import {
  type AgreementTerms, compare, isMonth, SettlementCalendar, settle, type Statement, type StatementLine,
  type StatementNotes, statementText,
} from '#settlement';
import { type Clock, instant, rfc3339, zone } from '#time';
import { agreementStream, notedAgreement } from './agreement.ts';
import type { Following } from './follow.ts';
import { isRegistered, nameOf } from './partners.ts';
import { agreementBetween } from './projections/agreements.ts';
import {
  disputedOn, LINE_PARTS, type LineCursor, linesOf, notesOn, type PartnerMonth, talliesOf, wereBetween,
} from './projections/partner-month.ts';
import type { Recorder } from './record.ts';

export interface SettlingParts {
  readonly db: Database;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly parties: OwnParties;
  /** Of months without an agreement. */
  readonly timeZone: string;
  /** The followers of the log that statements are made of. */
  readonly list: Following;
  readonly disputes: Following;
}

/** The statement with its first lines, as JSON and as text, has to fit in one answer. */
const FIRST_LINES = 300;
const PAGE_MAX = 2_000;

/** Settlement with partners. Whoever reads sees all that was recorded before. */
export class Settling {
  constructor(private readonly parts: SettlingParts) {}

  /**
   * What one of our parties agreed on with a partner; told again, it does nothing. Between two of ours it is one
   * agreement, whichever of them it was set with.
   */
  async noteAgreement(noted: {
    partner: Party;
    version: number;
    terms: AgreementTerms;
    at: string;
  }): Promise<void> {
    const { parties, recorder } = this.parts;
    const named = noted.terms.parties.find((one) => !sameParty(one, noted.partner)) ?? parties.first;
    const both: [Party, Party] = [parties.find(named) ?? parties.first, noted.partner];
    if (parties.has(noted.partner)) both.sort((a, b) => compare(partyText(a), partyText(b)));
    const [own, { country_code, party_id }] = both;
    const ledger = partyText(own);
    const partner = { country_code, party_id };
    await recorder.record(agreementStream(ledger, partner), notedAgreement, async () => ({
      parts: [],
      command: { type: 'NoteAgreement' as const, ledger, ...noted, partner },
    }));
  }

  /**
   * What a party of ours (which one has to be said where we are several) and a partner owe each other for a
   * month. Throws Rejected.
   */
  async statement(
    partner: Party,
    month: string,
    ownParty?: Party,
  ): Promise<{ statement: Statement; notes: StatementNotes; text: string }> {
    const { db, disputes, parties: own } = this.parts;
    const { party, calendar, at } = await this.open(partner, month, ownParty);
    await disputes.caughtUp();
    const [tallies, found, name] = await Promise.all([
      talliesOf(db, at, calendar.feePeriods()),
      linesOf(db, at, { after: undefined, limit: FIRST_LINES }),
      own.find(partner)?.name ?? nameOf(db, partner),
    ]);
    const lines = found.map(({ line }) => line);
    const parties = [{ party: partyText(party), name: party.name }, { party: partyText(partner), name }];
    const statement = settle({ ...tallies, month, calendar, parties, lines, now: at.now });
    const [others, disputed] = await Promise.all([notesOn(db, at, lines), disputedOn(db, at)]);
    const notes = { ...others, disputed };
    return { statement, notes, text: statementText(statement, notes) };
  }

  /** The lines of a statement behind a cursor, in its order, each with the cursor behind it. */
  async lines(
    partner: Party,
    month: string,
    { after, limit }: { after: string; limit: number },
    ownParty?: Party,
  ): Promise<{ line: StatementLine; next: string }[]> {
    const { at } = await this.open(partner, month, ownParty);
    const most = Math.min(limit || PAGE_MAX, PAGE_MAX);
    const found = await linesOf(this.parts.db, at, { after: readCursor(after), limit: most });
    return found.map(({ line, cursor }) => ({ line, next: cursorText(cursor) }));
  }

  private async open(
    partner: Party,
    month: string,
    ownParty: Party | undefined,
  ): Promise<{ party: PartySettings; calendar: SettlementCalendar; at: PartnerMonth }> {
    const { db, parties, clock, timeZone, list } = this.parts;
    if (!isMonth(month)) throw refuse(`month: ${month.slice(0, 20)} is no month such as 2022-02`);
    const own = parties.chosen(ownParty);
    if (!own.ok) throw refuse(own.message);
    const { party } = own;
    await list.caughtUp();
    const agreed = await agreementBetween(db, party, partner);
    const isKnown = agreed.length > 0 || (await isRegistered(db, partner)) || (await wereBetween(db, party, partner));
    if (!isKnown) throw unknown(party, partner);
    const calendar = new SettlementCalendar(agreed, zone(timeZone));
    const at = { own: party, partner, scope: calendar.scopeOf(month), now: clock.now(), areOurs: parties.has(partner) };
    return { party, calendar, at };
  }
}

function cursorText({ part, lastUpdated, cdrKey }: LineCursor): string {
  return Buffer.from(JSON.stringify([part, lastUpdated, cdrKey])).toString('base64url');
}

function readCursor(text: string): LineCursor | undefined {
  if (text === '') return undefined;
  try {
    const [part, at, cdrKey] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [number, string, string];
    const lastUpdated = rfc3339(instant(at));
    if (Number.isInteger(part) && LINE_PARTS[part] && /^[\x20-\x7e]*$/.test(cdrKey)) return { part, lastUpdated, cdrKey };
  } catch {
    // Then it is none of ours.
  }
  throw refuse('after: is not the next of a page of this list');
}

function unknown(own: Party, partner: Party): Rejected {
  const name = partyText(partner);
  const why = 'nothing was agreed on with it, it never registered, and there is no CDR between the two';
  return new Rejected('unknown-partner', `partner: ${name} is no partner of ${partyText(own)}: ${why}`);
}

function refuse(detail: string): Rejected {
  return new Rejected('invalid-object', detail);
}
