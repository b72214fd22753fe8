import { type AskFailure, type Bus, isAskFailure, mayBeDone, passes, Refused, Unanswered } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getLocation } from '#contracts/locations';
import { busParty } from '#contracts/party';
import { getSession, type OrderStands, type OrderView } from '#contracts/sessions';
import { type Evse, findEvse, type Location, sameId, type Session } from '#ocpi';
import { type Clock, instant } from '#time';
import { Problem, problemOf } from './problem.ts';

export interface WantedOrder {
  readonly command: string;
  readonly tokenUid: string;
}

/** Asks; an order whose answer was not seen is asked once more under its own id. `refused`: it was surely not begun, and why. */
export async function ordering(
  wanted: WantedOrder, ask: () => Promise<OrderStands>, refused: (why: string) => Promise<void> = async () => {},
): Promise<void> {
  const { order } = await askTwice(ask).catch(async (error: unknown) => {
    if (isAskFailure(error) && !mayBeDone(error)) await refused(problemOf(error)?.detail ?? error.message);
    throw error;
  });
  // All orders share their ids: one that is there already may be another's, or one to stop.
  if (!order || !isOurs(order, wanted)) throw keyReused();
}

function askTwice(ask: () => Promise<OrderStands>): Promise<OrderStands> {
  return ask().catch((error: unknown) => {
    if (!(error instanceof Unanswered && error.reason === 'unknown')) throw error;
    // That nobody has time for it now says nothing of what the first ask began.
    return ask().catch((again: unknown) => {
      throw passes(again) ? error : again;
    });
  });
}

/** Where a driver orders something. */
interface WantedPlace {
  readonly country_code: string;
  readonly party_id: string;
  readonly location_id: string;
  readonly evse_uid?: string | undefined;
}

/** The EVSE, where one is named; refused where it is not there, or its Location is not. */
export async function evseFor(bus: Bus, wanted: WantedPlace): Promise<Evse | undefined> {
  const { country_code, party_id, location_id: locationId, evse_uid: uid } = wanted;
  const { locationJson } = await bus.ask(getLocation, { party: busParty(wanted), locationId });
  const place = `${country_code}*${party_id} ${locationId}`;
  if (!locationJson) throw new Problem(404, 'unknown-location', `location_id: ${place} is not known`);
  if (uid === undefined) return undefined;
  const evse = findEvse(fromJsonBytes<Location>(locationJson), uid);
  if (!evse || evse.status === 'REMOVED') throw new Problem(404, 'unknown-evse', `evse_uid: ${uid} is not at ${place}`);
  return evse;
}

/** Undefined where sessions does not know the order; other failures are thrown. */
export function orderIn(answer: OrderStands | AskFailure): OrderView | undefined {
  if (!isAskFailure(answer)) return answer.order;
  if (answer instanceof Refused && answer.code === 'unknown-order') return undefined;
  throw answer;
}

/** The Session that an order led to, if one did. */
export async function sessionOf(
  bus: Bus, { countryCode, partyId }: { readonly countryCode: string; readonly partyId: string }, sessionId: string | undefined,
): Promise<Session | undefined> {
  if (!sessionId) return undefined;
  const { sessionJson } = await bus.ask(getSession, { party: { countryCode, partyId }, sessionId });
  return sessionJson && fromJsonBytes<Session>(sessionJson);
}

/** Real time, far longer than anything is in hand: what sessions does not know by then it never heard of. */
const IN_HAND_MS = 600_000;

/** Why an order that sessions does not know came to nothing; null while it may be in hand. */
export function whyNot({ refusal, orderedAt }: { refusal: string | null; orderedAt: string }, clock: Clock): string | null {
  const isLost = clock.realMs(clock.now() - instant(orderedAt)) > IN_HAND_MS;
  return refusal ?? (isLost ? 'sessions never heard of it; order again' : null);
}

export function isOurs(order: OrderView, { command, tokenUid }: WantedOrder): boolean {
  return order.command === command && sameId(order.tokenUid, tokenUid);
}

export function keyReused(): Problem {
  return new Problem(409, 'idempotency-key-reused', 'idempotency-key: was used for another order; take a new one');
}
