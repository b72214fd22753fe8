import { type Bus, Refused, Unanswered } from '#bus';
import { cancelReservation, describeStations, Outcome } from '#contracts/ocpp-gateway';
import { addDue, type DueHandler, type DueOutcome } from '#due';
import type { Database, Queryable } from '#postgres';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant } from '#time';
import { ANSWER_TRAVELS_MS, type Config } from './config.ts';
import type { Logs } from './logs.ts';
import {
  hasExpired,
  isInForce,
  isTakenAway,
  type ReservationEnd,
  type ReservationState,
  type ReservedPlace,
} from './reservation.ts';
import { findReservation, noteReservationOver } from './reservation-rows.ts';

export interface EndReservationsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly config: Config;
  readonly db: Database;
  readonly logs: Logs;
  /** Whether all was heard that a station had said by now. */
  heardAll(stationId: string): Promise<boolean>;
  wake(): void;
}

export interface End {
  readonly why: ReservationEnd;
  readonly message: string;
  readonly endedAt: string;
}

const BACKLOG_PAUSE_MS = 1_000;
const FORGET_PAUSE_MS_MAX = 60_000;

/** How reservations end on which nobody charges, and how stations come to let their EVSEs go. */
export class EndReservations {
  constructor(private readonly parts: EndReservationsParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'expire-reservation': async (due) => this.expire((due.body as { number: number }).number),
    'forget-reservation': async (due, attempt) => this.forget(due.body as Forgetting, attempt),
  };

  /** At its expiry, or once the station is there to say what became of it. S16-78 */
  watch(tx: Queryable, number: number, expiresAt: string): Promise<unknown> {
    return addDue(tx, {
      id: `expire reservation ${number}`,
      key: `reservation ${number}`,
      kind: 'expire-reservation',
      at: instant(expiresAt) + this.parts.config.reservationGraceMs,
      body: { number },
    });
  }

  /** False where it was over before, or never made. Killed in between, it may be said again. */
  async end(number: number, commandId: string, end: End): Promise<boolean> {
    const { clock, logs } = this.parts;
    const { state: before } = await logs.reservations.load(String(number));
    // Intent first: a row does nothing while the reservation holds.
    if (before.held && end.why !== 'expired') await this.letGo(number, before.held.place, before.held.expiresAt, commandId);
    const at = clock.iso();
    const { state, events } = await logs.reservations.execute(
      String(number),
      commandId,
      { type: 'EndReservation', ...end, at },
      currentTraceparent(),
    );
    await this.follow(number, state);
    return events.length > 0;
  }

  /** What follows from an end, as often as it is asked. */
  private async follow(number: number, { ended, held }: ReservationState): Promise<void> {
    const { clock, db, logs, wake } = this.parts;
    const row = ended && (await findReservation(db, number));
    if (!row || !held) return;
    const at = clock.iso();
    await logs.sessions.execute(
      row.sessionId,
      `end reserved ${number}`,
      { type: 'EndReserved', ...ended, at },
      currentTraceparent(),
    );
    if (held.from === 'own' && isTakenAway(ended.why))
      await logs.orders.execute(held.orderId, `canceled ${number}`, {
        type: 'NoteResult',
        result: 'CANCELED_RESERVATION',
        message: 'the operator cancelled the reservation',
        at,
      });
    await noteReservationOver(db, number);
    wake();
  }

  private async expire(number: number): Promise<DueOutcome> {
    const { clock, config, logs } = this.parts;
    const { state } = await logs.reservations.load(String(number));
    if (!isInForce(state)) {
      await this.follow(number, state);
      return 'done';
    }
    const { expiresAt, place } = state.held!;
    const dueMs = instant(expiresAt) + config.reservationGraceMs;
    const nowMs = clock.now();
    if (!hasExpired(state, nowMs, config.reservationGraceMs)) return { retryAt: dueMs };
    // What its station said meanwhile says more than that nothing came; one that is away cannot say it.
    const waits = nowMs < dueMs + config.reservationOfflineWaitMs;
    if (waits && !(await this.isThere(place.stationId))) return { retryInMs: BACKLOG_PAUSE_MS };
    if (!(await this.parts.heardAll(place.stationId))) return { retryInMs: BACKLOG_PAUSE_MS };
    const end = { why: 'expired', message: 'nobody came in time', endedAt: expiresAt } as const;
    await this.end(number, `expire ${number}`, end);
    return 'done';
  }

  private async isThere(stationId: string): Promise<boolean> {
    try {
      const { stations } = await this.parts.bus.ask(describeStations, { stationIds: [stationId] });
      // One that is gone for good never comes back to say anything.
      return stations.every(({ connected }) => connected);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      return false;
    }
  }

  /** A station that may hold a reservation of which nobody knows. */
  async letGo(number: number, place: ReservedPlace, until: string, why: string): Promise<void> {
    const { clock, db } = this.parts;
    await addDue(db, {
      id: `forget reservation ${number} ${why}`,
      key: `forget ${number} ${place.stationId}`,
      kind: 'forget-reservation',
      at: clock.now(),
      body: { number, stationId: place.stationId, until } satisfies Forgetting,
    });
    this.parts.wake();
  }

  /** Until it answers: no is as good as yes. At the expiry the station lets it go by itself. */
  private async forget({ number, stationId, until }: Forgetting, attempt: number): Promise<DueOutcome> {
    const { clock, logs } = this.parts;
    if (clock.now() > instant(until)) return 'done';
    const { state } = await logs.reservations.load(String(number));
    // Whoever is to end it has not come to it yet.
    const isUndecided = isInForce(state) && state.held?.place.stationId === stationId;
    if (!isUndecided && (await this.isForgotten(number, stationId))) return 'done';
    return { retryInMs: Math.min(100 * 2 ** (attempt - 1), FORGET_PAUSE_MS_MAX) };
  }

  private async isForgotten(number: number, stationId: string): Promise<boolean> {
    const { bus, config: { chargerTimeoutMs: timeoutMs } } = this.parts;
    try {
      const { outcome } = await bus.ask(
        cancelReservation,
        { stationId, reservationId: number, timeoutMs },
        { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS },
      );
      return outcome !== Outcome.UNKNOWN;
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unanswered)) throw error;
      return false;
    }
  }
}

interface Forgetting {
  readonly number: number;
  readonly stationId: string;
  readonly until: string;
}
