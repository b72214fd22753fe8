import { macOf } from '#chain';
import { Rejected } from '#decider';
import { Cdr, type Party, parseJson, partyText, readAsIs } from '#ocpi';
import { timeUuid } from '#postgres';
import type { OwnParties } from '#settings';
import type { Clock } from '#time';
import { asMeant, creditedId, knownId, namesNone } from './meant.ts';
import type { MeterKeyOf } from './meters.ts';
import { chargedTime, privatePart, publicOf, sealOf, withPublicPlace } from './private-part.ts';
import type { PrivateParts } from './private-parts.ts';
import { rowOf } from './projections/cdr-row.ts';
import {
  type CdrReceived,
  type ReceivedCdr,
  receivedCdr,
  receivedStream,
  type RecordCdr,
} from './received-cdr.ts';
import type { Order, Recorder } from './record.ts';
import { review } from './review.ts';
import { newSalt } from './salt.ts';
import type { CreditedSoFar } from './taken-back.ts';
import type { PublishedOf } from './published.ts';
import type { ZoneOf } from './places.ts';

export type ReceiveRefusal =
  'invalid-object' | 'cdr-differs-from-recorded' | 'credit-without-reference';

type Recorded = Extract<ReceivedCdr, { status: 'recorded' }>;

export interface ReceivedBody {
  readonly cdr: Cdr;
  /** The body exactly as received. */
  readonly text: string;
}

/** An entry of the log has to hold it twice over. */
const BODY_BYTES_MAX = 200_000;

/**
 * Reads a body. Throws Rejected: all that a received CDR is refused for, except for one known by
 * another content.
 */
export function readBody(bytes: Uint8Array, own: Pick<OwnParties, 'has'>): ReceivedBody {
  const json = parseJson(bytes, { maxBytes: BODY_BYTES_MAX });
  if (!json.ok) throw refuse('invalid-object', json.message);
  const given = json.value as Partial<Cdr> | null;
  if (given?.credit === true && !given.credit_reference_id) {
    throw refuse(
      'credit-without-reference',
      'credit_reference_id: is required in a Credit CDR (OCPI 2.2.1 mod_cdrs)',
    );
  }
  const reading = readAsIs(Cdr, json.value);
  if (!reading.ok) throw refuse('invalid-object', reading.message);
  const cdr = reading.value;
  if (own.has(cdr))
    throw refuse('invalid-object', `party_id: ${partyText(cdr)} is ourselves`);
  return { cdr, text: json.text };
}

export interface Receiving {
  readonly recorder: Recorder;
  readonly privateParts: PrivateParts;
  readonly clock: Clock;
  readonly ownParty: Party;
  readonly zoneOf: ZoneOf;
  readonly publishedOf: PublishedOf;
  readonly meterKeyOf: MeterKeyOf;
  /** The CDR of a session that is not credited, by its id. */
  readonly originalOf: (cdr: Cdr) => Promise<string | undefined>;
  /** A CDR of theirs, as the credits of it so far left it. */
  readonly creditedSoFar: (issuer: Party, cdrId: string) => Promise<CreditedSoFar | undefined>;
}

/** What came of a body: the event is there when it was new. */
export interface Receipt {
  readonly event: CdrReceived | undefined;
  /** When it was recorded first; the sender hears it with every answer. */
  readonly recordedAt: string;
}

/** Records a CDR that a partner sent. Throws Rejected. */
export async function receive(by: Receiving, body: ReceivedBody): Promise<Receipt> {
  const { state, events } = await by.recorder.record(
    receivedStream({ ...body.cdr, id: knownId(body.cdr) }),
    receivedCdr,
    async (recorded) =>
      recorded.status === 'absent' ? newRecord(by, body) : repeatOf(by, body, recorded),
    { isLikelyNew: true },
  );
  return { event: events[0], recordedAt: (state as Recorded).receivedAt };
}

async function newRecord(
  { clock, ownParty, zoneOf, publishedOf, meterKeyOf, originalOf, creditedSoFar }: Receiving,
  { cdr: told, text }: ReceivedBody,
): Promise<Order<RecordCdr>> {
  // What is found and settled stands in the entry or is made of it.
  const cdr = withPublicPlace(told);
  const [timeZone, published, originalOfSession] = await Promise.all([
    zoneOf(cdr, cdr.cdr_location.id),
    publishedOf(cdr),
    namesNone(cdr) ? originalOf(cdr) : undefined,
  ]);
  const creditOf = creditedId(cdr, originalOfSession);
  const credited = creditOf === undefined ? undefined : await creditedSoFar(cdr, creditOf);
  const nowMs = clock.now();
  const { findings, pricing, meant, settled, taxed } = review(cdr, {
    ...{ timeZone, published, ownParty, nowMs, originalOfSession, credited },
    meterKey: meterKeyOf(cdr),
  });
  const taken = asMeant(cdr, meant);
  const part = {
    ...privatePart(cdr.cdr_token, text, { id: timeUuid(), salt: newSalt(), at: cdr.start_date_time }),
    charged: chargedTime(taken),
  };
  const receivedAt = clock.iso();
  const tokenParty = partyOf(cdr.cdr_token);
  return {
    parts: [part],
    command: {
      type: 'RecordCdr',
      ledger: partyText(ownParty),
      tokenParty,
      cdr: publicOf(cdr),
      ...(meant === undefined ? {} : { meant }),
      findings,
      ...(pricing === undefined ? {} : { pricing }),
      taxed,
      receivedAt,
      private: sealOf(part),
    },
    // What a credit's row says, its original says as well.
    ...(settled.credit ? {} : { row: rowOf(false, { cdr: taken, tokenParty, findings, private: part }, receivedAt, settled) }),
  };
}

/**
 * Nothing for the content that is recorded, also when its sender wrote it down in another order; else
 * the body under the salt of that record. Where that is erased, the public part must do.
 */
async function repeatOf(
  { privateParts, clock, ownParty }: Receiving,
  { cdr, text }: ReceivedBody,
  recorded: Recorded,
): Promise<Order<RecordCdr> | undefined> {
  const { id } = recorded.private;
  const part = (await privateParts.find([id])).get(id);
  const isSame = part === undefined
    ? canonical(publicOf(cdr)) === canonical(publicOf(recorded.cdr as Cdr))
    : text === part.text || canonical(JSON.parse(text)) === canonical(JSON.parse(part.text));
  if (isSame) return undefined;
  return {
    parts: [],
    command: {
      type: 'RecordCdr',
      ledger: partyText(ownParty),
      tokenParty: partyOf(cdr.cdr_token),
      cdr: publicOf(cdr),
      findings: [],
      receivedAt: clock.iso(),
      private: { id, mac: macOf(part?.salt ?? newSalt(), text) },
    },
  };
}

function partyOf({ country_code, party_id }: Party): Party {
  return { country_code, party_id };
}

/** The same content in one spelling: members sorted by name, no white space. */
export function canonical(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const ordered: Record<string, unknown> = {};
  for (const name of sorted(Object.keys(value))) {
    const member = inOrder((value as Record<string, unknown>)[name]);
    // Assigned, it would be no member.
    if (name === '__proto__') Object.defineProperty(ordered, name, { value: member, enumerable: true });
    else ordered[name] = member;
  }
  return ordered;
}

/** In place, by insertion: for the few names of an object in a third of the time of `sort`. */
function sorted(names: string[]): string[] {
  if (names.length > 100) return names.sort();
  for (let n = 1; n < names.length; n += 1) {
    const name = names[n]!;
    let at = n;
    for (; at > 0 && names[at - 1]! > name; at -= 1) names[at] = names[at - 1]!;
    names[at] = name;
  }
  return names;
}

function refuse(code: ReceiveRefusal, detail: string): Rejected<ReceiveRefusal> {
  return new Rejected(code, detail);
}
