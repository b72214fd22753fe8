import { type Bus, mayBeDone, Refused, Unanswered } from '#bus';
import { Outcome, reserve } from '#contracts/ocpp-gateway';
import { toJsonBytes } from '#contracts';
import type { Hold } from '#due';
import type { Session, Token } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { currentTraceparent, type Log } from '#telemetry';
import { type Clock, instant } from '#time';
import type { CommandResult, CommandState, ReserveTask } from './command.ts';
import { ANSWER_TRAVELS_MS, type Config } from './config.ts';
import type { EndReservations } from './end-reservations.ts';
import type { Logs } from './logs.ts';
import {
  askKey,
  isInForce,
  isOver,
  type ReservationState,
  type ReservationTerms,
  type ReservedPlace,
} from './reservation.ts';
import { noteReservedAt } from './reservation-rows.ts';
import { placeOf, tariffFor } from './snapshots.ts';

export interface KeepFreeParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly config: Config;
  readonly db: Database;
  readonly log: Log;
  readonly logs: Logs;
  readonly parties: OwnParties;
  readonly ends: EndReservations;
}

export interface Finish {
  readonly result: CommandResult;
  readonly message: string;
}

/** What becomes of an order whose station was asked and gave no answer of its own. Throws what is no failure of an ask. */
export function unheard(error: unknown): Finish {
  if (mayBeDone(error)) return { result: 'TIMEOUT', message: 'the charging station did not answer in time' };
  if (error instanceof Refused) return { result: 'FAILED', message: error.message };
  if (!(error instanceof Unanswered)) throw error;
  return { result: 'EVSE_INOPERATIVE', message: 'the charging station is not connected' };
}

export type TakenReserve = NonNullable<CommandState['taken']> & { readonly task: ReserveTask };

/** What workers do at our stations for RESERVE_NOW and CANCEL_RESERVATION. */
export class KeepFree {
  constructor(private readonly parts: KeepFreeParts) {}

  /**
   * Asks one station after the other. Asked twice, a station replaces what it has by the same, so a
   * worker that was killed is simply followed by the next.
   */
  async reserve(orderId: string, { task, from, at, timeoutS }: TakenReserve, attempt: number, hold: Hold): Promise<Finish> {
    const { clock, config } = this.parts;
    const untilMs = instant(at) + timeoutS * 1_000;
    let no: Finish = { result: 'EVSE_OCCUPIED', message: 'no EVSE of the Location is free' };
    for (const [n, place] of task.places.entries()) {
      const leftMs = Math.floor(clock.realMs(untilMs - clock.now()));
      if (n > 0 && leftMs <= 0) break;
      const { place: _, ...terms } = termsOf(orderId, from, task, place);
      const state = await this.ask({ ...terms, place }, task.number);
      const isPast = isOver(state) || state.held?.orderId === orderId;
      // Asked before, and it had said no.
      if (!isPast && askKey(state.asked ?? { orderId: '', place }) !== askKey({ orderId, place })) continue;
      const timeoutMs = n > 0 ? Math.min(config.chargerTimeoutMs, leftMs) : config.chargerTimeoutMs;
      // Who slept would have kept free again what was let go meanwhile.
      if (!isPast) hold.insist();
      const said = isPast ? yes : await this.atStation(task, place, timeoutMs);
      if (said.result === 'ACCEPTED') return this.made(orderId, task, state);
      // Asked before, it may have said yes to whoever was killed.
      await this.drop(orderId, task, place, attempt > 1 || said.result === 'TIMEOUT');
      if (said.result === 'TIMEOUT') return said;
      no = said;
    }
    return no;
  }

  /**
   * In our books it is over at once, whether or not the station can be told now: it hears of it until
   * the expiry. One that does not know it may have let somebody charge, of which we are about to hear.
   */
  async cancel(orderId: string, number: number): Promise<Finish> {
    const { clock, ends, logs } = this.parts;
    if (number === 0) return unknown;
    const { state } = await logs.reservations.load(String(number));
    if (!state.ended && !isInForce(state)) return state.usedBy ? used : unknown;
    const end = { why: 'cancelled', message: 'as it was ordered', endedAt: clock.iso() } as const;
    await ends.end(number, `cancel ${orderId}`, end);
    const { state: after } = await logs.reservations.load(String(number));
    if (after.usedBy) return used;
    return after.ended?.why === 'cancelled' ? { result: 'ACCEPTED', message: '' } : unknown;
  }

  private async ask(terms: ReservationTerms, number: number): Promise<ReservationState> {
    const { clock, db, logs } = this.parts;
    await noteReservedAt(db, number, terms.place);
    const { state } = await logs.reservations.execute(
      String(number),
      `ask ${askKey(terms)}`,
      { type: 'AskReservation', terms, at: clock.iso() },
      currentTraceparent(),
    );
    return state;
  }

  private async atStation(task: ReserveTask, place: ReservedPlace, timeoutMs: number): Promise<Finish> {
    try {
      const { outcome, detail } = await this.parts.bus.ask(
        reserve,
        {
          stationId: place.stationId,
          connectorId: place.stationConnector,
          reservationId: task.number,
          tokenJson: toJsonBytes(task.token),
          expiresAt: task.expiresAt,
          timeoutMs,
        },
        { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS },
      );
      return { result: results[outcome], message: detail };
    } catch (error) {
      return unheard(error);
    }
  }

  /** What it may have taken all the same it has to let go, unless it held it before. */
  private async drop(orderId: string, task: ReserveTask, place: ReservedPlace, mayHold: boolean): Promise<void> {
    const { clock, db, ends, logs } = this.parts;
    const { number, expiresAt } = task;
    const at = clock.iso();
    const { evseUid } = place;
    if (mayHold) await ends.letGo(number, place, expiresAt, `late ${orderId} ${place.evseUid}`);
    const { state } = await logs.reservations.execute(String(number), `drop ${orderId} ${evseUid}`, {
      type: 'DropAsked', orderId, evseUid, at,
    });
    if (state.held) await noteReservedAt(db, number, state.held.place);
  }

  /** The station said yes: the Session, its end in time, and the EVSE that it was before is let go. */
  private async made(orderId: string, task: ReserveTask, before: ReservationState): Promise<Finish> {
    const { clock, db, ends, logs } = this.parts;
    const { number } = task;
    await ends.watch(db, number, task.expiresAt);
    const { held: old, asked } = before;
    if (old && asked && old.place.stationId !== asked.place.stationId)
      await ends.letGo(number, old.place, old.expiresAt, `moved ${orderId}`);
    const { state } = await logs.reservations.execute(
      String(number),
      `make ${orderId}`,
      { type: 'MakeReservation', orderId, at: clock.iso() },
      currentTraceparent(),
    );
    if (!state.held || isOver(state)) return yes;
    await this.openSession(task, state);
    return yes;
  }

  /** By what holds now: the price that the driver was told when reserving. */
  private async openSession({ sessionId }: ReserveTask, { held, madeAt }: ReservationState): Promise<void> {
    const { bus, clock, logs } = this.parts;
    const { orderId, token: text, place: at, locationId, operator, reference } = held!;
    const token = JSON.parse(text) as Token;
    const place = await placeOf(bus, at.stationId, at.stationConnector);
    if (!place) throw new Error(`station ${at.stationId} is at no Location any more`);
    const chosen = await tariffFor(this.parts, place, token, madeAt!);
    const { country_code, party_id } = operator;
    const session: Session = {
      country_code,
      party_id,
      id: sessionId,
      start_date_time: madeAt!,
      kwh: 0,
      cdr_token: {
        country_code: token.country_code,
        party_id: token.party_id,
        uid: token.uid,
        type: token.type,
        contract_id: token.contract_id,
      },
      auth_method: 'COMMAND',
      ...(reference === undefined ? {} : { authorization_reference: reference }),
      location_id: locationId,
      evse_uid: at.evseUid,
      connector_id: at.connectorId,
      currency: chosen.tariff.currency,
      charging_periods: [],
      status: 'RESERVATION',
      last_updated: clock.iso(),
    };
    await logs.sessions.execute(
      sessionId,
      `reserve ${orderId}`,
      { type: 'ReserveSession', session, snapshots: { location: place.location, token, ...chosen }, orderId },
      currentTraceparent(),
    );
  }
}

const yes: Finish = { result: 'ACCEPTED', message: '' };
const unknown: Finish = { result: 'UNKNOWN_RESERVATION', message: 'there is no such reservation' };
const used: Finish = { result: 'REJECTED', message: 'somebody charges on it already: stop the session' };

/** What a station's word comes to, to whoever ordered it. */
export const results: Readonly<Record<Outcome, CommandResult>> = {
  [Outcome.UNSPECIFIED]: 'FAILED',
  [Outcome.ACCEPTED]: 'ACCEPTED',
  [Outcome.REJECTED]: 'REJECTED',
  [Outcome.NOT_SUPPORTED]: 'NOT_SUPPORTED',
  [Outcome.UNKNOWN]: 'TIMEOUT',
  [Outcome.STALE]: 'FAILED',
  [Outcome.OCCUPIED]: 'EVSE_OCCUPIED',
  [Outcome.INOPERATIVE]: 'EVSE_INOPERATIVE',
};

function termsOf(
  orderId: string,
  from: 'partner' | 'own',
  { token, expiresAt, reference, reservationId, locationId, operator }: ReserveTask,
  place: ReservedPlace,
): ReservationTerms {
  const given = { orderId, from, token, expiresAt, reservationId, locationId, operator, place };
  return reference === undefined ? given : { ...given, reference };
}
