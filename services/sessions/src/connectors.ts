import type { Heard } from '#bus';
import type { LimitAssigned } from '#contracts/evems-controller';
import type {
  ConnectorStatusChanged,
  StationConnected,
  StationDisconnected,
  TransactionStarted,
} from '#contracts/ocpp-gateway';
import { type Clock, instant } from '#time';
import { isHold } from './condition.ts';
import {
  forgetSessionAt,
  type KnownLimit,
  type KnownStatus,
  type Place,
  noteLimit,
  noteSessionAt,
  noteStatus,
  sessionAt,
  sessionsAtStation,
  statusAt,
} from './connector-rows.ts';
import type { EndReservations } from './end-reservations.ts';
import type { Logs } from './logs.ts';
import { findOpening } from './openings.ts';
import { connectorsOf, isInForce, type ReservationState, type ReservedPlace } from './reservation.ts';
import { reservationsAt } from './reservation-rows.ts';
import type { Said } from './said.ts';
import type { SessionCommand, SessionState } from './session-events.ts';

/** A car that charges is held by nobody. */
const chargesSince = (known: KnownStatus | undefined, { limitAt }: KnownLimit): known is KnownStatus =>
  known?.status === 'Charging' && instant(known.statusAt) > instant(limitAt);

const OUT_OF_ORDER = new Set(['Faulted', 'Unavailable']);
const IN_USE = new Set(['Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing']);

export interface ConnectorsParts {
  readonly ends: EndReservations;
  readonly logs: Logs;
  readonly clock: Clock;
  readonly said: Said;
}

/** What follows from a fact beside what it says itself. */
const also = ({ tx, id }: Heard, what: string) => ({ tx, id: `${id} ${what}` });

/** From what is told of connectors to the sessions on them. */
export class Connectors {
  constructor(private readonly parts: ConnectorsParts) {}

  async status(
    { stationId, connectorId, status, at }: ConnectorStatusChanged,
    heard: Heard,
  ): Promise<void> {
    const place = { stationId, connectorId };
    await noteStatus(heard.tx, place, { status, statusAt: at });
    if (OUT_OF_ORDER.has(status)) await this.loseReservations(place, { status, at }, heard);
    if (connectorId === 0) return this.station({ stationId, status, at }, heard);
    const sessionId = await sessionAt(heard.tx, place);
    if (sessionId === undefined) return;
    const state = await this.say(sessionId, heard, {
      type: 'NoteStatus',
      status,
      statusAt: at,
      at: this.parts.clock.iso(),
    });
    if (state && state.status !== 'active' && state.status !== 'parked')
      await forgetSessionAt(heard.tx, sessionId, place);
  }

  /** S16-78: a station that cannot charge lets its reservations go. */
  private async loseReservations(
    place: Place,
    { status, at }: { status: string; at: string },
    { tx, id }: Heard,
  ): Promise<void> {
    const { ends, logs } = this.parts;
    for (const { number } of await reservationsAt(tx, place)) {
      const { state } = await logs.reservations.load(String(number));
      if (!isInForce(state) || instant(at) <= instant(state.madeAt!)) continue;
      if (status === 'Unavailable' && place.connectorId !== 0 && (await this.isSiblingInUse(tx, place, state.held!.place))) continue;
      const message = `the EVSE is ${status === 'Faulted' ? 'out of order' : 'out of service'}`;
      await ends.end(number, `${id} ${number}`, { why: 'lost', message, endedAt: at });
    }
  }

  /** M-02: an EVSE's other connectors are Unavailable while one is in use; who uses it, its start says. */
  private async isSiblingInUse(tx: Heard['tx'], { stationId, connectorId }: Place, reserved: ReservedPlace): Promise<boolean> {
    const siblings = connectorsOf(reserved).filter((each) => each !== connectorId);
    const known = await Promise.all(siblings.map((each) => statusAt(tx, { stationId, connectorId: each })));
    return known.some((one) => one !== undefined && IN_USE.has(one.status));
  }

  /** Somebody else charges on it, or in its stead. */
  async giveAway(number: number, endedAt: string, { id }: Heard): Promise<void> {
    const message = 'the charging station let somebody else charge';
    await this.parts.ends.end(number, `${id} ${number} given away`, { why: 'lost', message, endedAt });
  }

  /** The driver took another connector of the EVSE: the one that the station keeps is kept for nobody. */
  async letGoElsewhere(number: number, { held }: ReservationState, connectorId: number, { id }: Heard): Promise<void> {
    if (!held || held.place.stationConnector === connectorId) return;
    await this.parts.ends.letGo(number, held.place, held.expiresAt, `${id} used`);
  }

  /** S16-32: connector 0 is the whole station. Beside a fault, its connectors say what holds. */
  private async station(
    { stationId, status, at: faultedAt }: { stationId: string; status: string; at: string },
    heard: Heard,
  ): Promise<void> {
    const faulted = status === 'Faulted';
    const command = { type: 'NoteFault', faulted, faultedAt, at: this.parts.clock.iso() } as const;
    for (const sessionId of await sessionsAtStation(heard.tx, stationId))
      await this.say(sessionId, heard, command);
  }

  async limit(
    { stationId, connectorId, limitMa, at: limitAt }: LimitAssigned,
    heard: Heard,
  ): Promise<void> {
    const place = { stationId, connectorId };
    const limit = { limitMa, limitAt };
    const sessionId = await noteLimit(heard.tx, place, limit);
    if (sessionId === undefined) return;
    const held = isHold(limitMa);
    await this.say(sessionId, heard, { type: 'NoteHold', held, heldAt: limitAt });
    if (!held) return;
    // Said again and heard before, it was no news to a session that was not held yet.
    const known = await statusAt(heard.tx, place);
    if (!chargesSince(known, limit)) return;
    const at = this.parts.clock.iso();
    await this.say(sessionId, also(heard, 'status'), { type: 'NoteStatus', ...known, at });
  }

  async connection(
    { stationId, at }: StationConnected | StationDisconnected,
    connected: boolean,
    heard: Heard,
  ): Promise<void> {
    const command = { type: 'NoteConnection', connected, connectionAt: at } as const;
    for (const sessionId of await sessionsAtStation(heard.tx, stationId))
      await this.say(sessionId, heard, command);
  }

  /** A charge begins: the one before it has left, and what is known already concerns this one. */
  async begun(fact: TransactionStarted, sessionId: string, heard: Heard): Promise<void> {
    const { startedAt } = fact;
    const place: Place = fact;
    const before = await sessionAt(heard.tx, place);
    // Kept by the station, and told after what followed it.
    if (before !== undefined && before !== sessionId && (await this.beganAfter(before, startedAt, heard))) return;
    if (before !== undefined && before !== sessionId) {
      const at = this.parts.clock.iso();
      const command = { type: 'YieldConnector', nextAt: startedAt, at } as const;
      await this.say(before, also(heard, 'next'), command);
    }
    const limit = await noteSessionAt(heard.tx, place, sessionId);
    const known = await statusAt(heard.tx, place);
    // One that was told before the charge holds for it, too: where the limit stays, nobody tells it again.
    if (limit && isHold(limit.limitMa) && !chargesSince(known, limit)) {
      const command = { type: 'NoteHold', held: true, heldAt: limit.limitAt } as const;
      await this.say(sessionId, also(heard, 'limit'), command);
    }
    // A car that waited for its card, or for power, goes on waiting without another word; whatever
    // else was told before is not of this charge.
    if (!known?.status.startsWith('Suspended')) return;
    const { status, statusAt: toldAt } = known;
    await this.say(sessionId, also(heard, 'status'), {
      type: 'NoteStatus',
      status,
      statusAt: instant(toldAt) > instant(startedAt) ? toldAt : startedAt,
      at: this.parts.clock.iso(),
    });
  }

  private async beganAfter(sessionId: string, startedAt: string, { tx }: Heard): Promise<boolean> {
    const { state } = await this.parts.logs.sessions.load(sessionId);
    const isThere = state.status === 'active' || state.status === 'parked';
    const began = isThere ? state.session.start_date_time : (await findOpening(tx, sessionId))?.fact.startedAt;
    return began !== undefined && instant(began) > instant(startedAt);
  }

  private say(
    sessionId: string,
    { tx, id }: Pick<Heard, 'tx' | 'id'>,
    command: SessionCommand,
  ): Promise<SessionState | undefined> {
    return this.parts.said.say(tx, sessionId, id, command);
  }
}
