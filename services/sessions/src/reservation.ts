import type { Decider } from '#decider';
import { sameId, sameParty, type Party, type Token } from '#ocpi';
import { instant } from '#time';

/**
 * An EVSE of ours that is kept free for a driver, from the first ask of a station until somebody
 * charges on it or it is over. Its number is what stations know it by; a RESERVE_NOW with the same
 * id at the same Location replaces what it asks for. CMD-09.
 */

export interface ReservedPlace {
  readonly stationId: string;
  readonly stationConnector: number;
  readonly evseUid: string;
  readonly connectorId: string;
  /** All of the EVSE's; of one that was reserved by a former release its own alone. */
  readonly evseConnectors?: readonly number[];
}

export interface ReservationTerms {
  /** Of the RESERVE_NOW. */
  readonly orderId: string;
  readonly from: 'partner' | 'own';
  /** The OCPI Token's JSON. */
  readonly token: string;
  readonly expiresAt: string;
  readonly reference?: string | undefined;
  readonly reservationId: string;
  readonly locationId: string;
  /** Of ours, whose EVSE it is. */
  readonly operator: Party;
  readonly place: ReservedPlace;
}

/**
 * expired; cancelled by whoever made it; withdrawn by us; lost, since the EVSE is out of order or the
 * station let somebody else in.
 */
export type ReservationEnd = 'expired' | 'cancelled' | 'withdrawn' | 'lost';

/** CMD-10: not by whoever made it, who has to be told. Nobody pays for it. */
export function isTakenAway(why: ReservationEnd): boolean {
  return why === 'withdrawn' || why === 'lost';
}

export interface ReservationUse {
  readonly stationId: string;
  readonly transactionId: string;
}

/** A charge that begins at the station. */
export interface ReservationStart {
  readonly token: Token;
  readonly connectorId: number;
  readonly startedAt: string;
  /** By the station, as what it begins on. */
  readonly isNamed: boolean;
  /** What clocks may differ by. */
  readonly graceMs: number;
}

export type ReservationCommand =
  /** Before the station is asked: its charge may be told before its answer. */
  | { readonly type: 'AskReservation'; readonly terms: ReservationTerms; readonly at: string }
  | { readonly type: 'MakeReservation'; readonly orderId: string; readonly at: string }
  | { readonly type: 'DropAsked'; readonly orderId: string; readonly evseUid: string; readonly at: string }
  | ({ readonly type: 'UseReservation'; readonly by: ReservationUse; readonly at: string } & ReservationStart)
  | {
      readonly type: 'EndReservation';
      readonly why: ReservationEnd;
      readonly message: string;
      readonly endedAt: string;
      readonly at: string;
    };

export type ReservationEvent =
  | { readonly type: 'ReservationAsked'; readonly terms: ReservationTerms; readonly at: string }
  | { readonly type: 'ReservationMade'; readonly orderId: string; readonly at: string }
  | { readonly type: 'AskedDropped'; readonly orderId: string; readonly at: string }
  | { readonly type: 'ReservationUsed'; readonly by: ReservationUse; readonly at: string }
  | {
      readonly type: 'ReservationEnded';
      readonly orderId: string;
      readonly from: 'partner' | 'own';
      readonly why: ReservationEnd;
      readonly message: string;
      readonly endedAt: string;
      readonly at: string;
    };

export interface ReservationState {
  /** The station was asked and has not answered. */
  readonly asked?: ReservationTerms;
  readonly held?: ReservationTerms;
  readonly madeAt?: string;
  /** Each ask of a station, by order and EVSE: replacements are few. */
  readonly asks: readonly string[];
  readonly usedBy?: ReservationUse;
  readonly ended?: { readonly why: ReservationEnd; readonly endedAt: string };
}

/** A station's clock that is no further behind is believed: docs/adr/0025. */
const CLOCK_BEHIND_MS = 3_600_000;

export const reservationDecider: Decider<ReservationState, ReservationCommand, ReservationEvent> = {
  initial: { asks: [] },

  decide(command, state) {
    const { asked, held } = state;
    switch (command.type) {
      case 'AskReservation':
        return isOver(state) || state.asks.includes(askKey(command.terms))
          ? []
          : [{ ...command, type: 'ReservationAsked' }];
      case 'MakeReservation':
        return asked?.orderId === command.orderId && !isOver(state)
          ? [{ ...command, type: 'ReservationMade' }]
          : [];
      case 'DropAsked': {
        const { orderId, evseUid, at } = command;
        return asked && askKey(asked) === `${orderId} ${evseUid}`
          ? [{ type: 'AskedDropped', orderId, at }]
          : [];
      }
      case 'UseReservation': {
        const { by, at } = command;
        const { madeAt = at } = state;
        // A station may tell what it kept from before.
        const isSince = command.isNamed || instant(command.startedAt) >= instant(madeAt) - CLOCK_BEHIND_MS;
        const fits = isSince && [held, asked].some((terms) => terms && mayUse(terms, by, command));
        return fits && !isOver(state) ? [{ type: 'ReservationUsed', by, at }] : [];
      }
      case 'EndReservation': {
        if (!held || isOver(state)) return [];
        const { orderId, from } = held;
        return [{ ...command, type: 'ReservationEnded', orderId, from }];
      }
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'ReservationAsked':
        return { ...state, asked: event.terms, asks: [...state.asks, askKey(event.terms)] };
      case 'ReservationMade': {
        const { asked, madeAt = event.at, ...rest } = state;
        return { ...rest, madeAt, ...(asked ? { held: asked } : {}) };
      }
      case 'AskedDropped': {
        const { asked: _, ...rest } = state;
        return rest;
      }
      case 'ReservationUsed':
        return { ...state, usedBy: event.by };
      case 'ReservationEnded':
        return { ...state, ended: { why: event.why, endedAt: event.endedAt } };
    }
  },
};

export function isOver({ usedBy, ended }: ReservationState): boolean {
  return usedBy !== undefined || ended !== undefined;
}

/** Somebody may come any moment and charge on it. */
export function isInForce(state: ReservationState): boolean {
  return state.held !== undefined && !isOver(state);
}

export const askKey = ({ orderId, place }: Pick<ReservationTerms, 'orderId' | 'place'>): string =>
  `${orderId} ${place.evseUid}`;

/** Of the EVSE. */
export function connectorsOf({ stationConnector, evseConnectors = [stationConnector] }: ReservedPlace): readonly number[] {
  return evseConnectors;
}

/** S16-77: by the card itself, or by one of its group; of a station that does not name it at that EVSE, in its time. */
function mayUse({ place, token: text, expiresAt }: ReservationTerms, by: ReservationUse, start: ReservationStart): boolean {
  const { token, connectorId, startedAt, isNamed, graceMs } = start;
  const of = JSON.parse(text) as Token;
  if (place.stationId !== by.stationId || !sameParty(of, token)) return false;
  const isThere = connectorsOf(place).includes(connectorId) && instant(startedAt) < instant(expiresAt) + graceMs;
  if (!isNamed && !isThere) return false;
  if (sameId(of.uid, token.uid)) return true;
  return !!of.group_id && !!token.group_id && sameId(of.group_id, token.group_id);
}

/** Whether somebody charges in whose stead it was kept: the station forgot it, or took it for theirs. S16-45 */
export function isGivenAway(
  state: ReservationState, stationId: string, { connectorId, startedAt, isNamed }: ReservationStart,
): boolean {
  if (!isInForce(state)) return false;
  const { place, expiresAt } = state.held!;
  if (place.stationId !== stationId) return false;
  // Of an EVSE one connector charges at a time.
  const isThere = connectorsOf(place).includes(connectorId);
  const isInItsTime = instant(startedAt) >= instant(state.madeAt!) && instant(startedAt) < instant(expiresAt);
  return isNamed || (isThere && isInItsTime);
}

/** Whether its time is over, with what clocks may differ by. */
export function hasExpired({ held }: ReservationState, nowMs: number, graceMs: number): boolean {
  return held !== undefined && nowMs >= instant(held.expiresAt) + graceMs;
}
