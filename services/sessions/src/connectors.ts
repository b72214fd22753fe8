import type { Heard } from '#bus';
import type { LimitAssigned } from '#contracts/evems-controller';
import type {
  ConnectorStatusChanged,
  StationConnected,
  StationDisconnected,
  TransactionStarted,
} from '#contracts/ocpp-gateway';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant } from '#time';
import { isHold } from './condition.ts';
import {
  forgetSessionAt,
  type Place,
  noteLimit,
  noteSessionAt,
  noteStatus,
  sessionAt,
  sessionsAtStation,
  statusAt,
} from './connector-rows.ts';
import type { Logs } from './logs.ts';
import type { SessionCommand, SessionState } from './session-events.ts';

export interface ConnectorsParts {
  readonly clock: Clock;
  readonly logs: Logs;
}

/** From what is told of connectors to the sessions on them. */
export class Connectors {
  constructor(private readonly parts: ConnectorsParts) {}

  async status(
    { stationId, connectorId, status, at }: ConnectorStatusChanged,
    heard: Heard,
  ): Promise<void> {
    const place = { stationId, connectorId };
    await noteStatus(heard.tx, place, { status, statusAt: at });
    if (connectorId === 0) return this.station({ stationId, status, at }, heard);
    const sessionId = await sessionAt(heard.tx, place);
    if (sessionId === undefined) return;
    const state = await this.say(sessionId, heard.id, {
      type: 'NoteStatus',
      status,
      statusAt: at,
      at: this.parts.clock.iso(),
    });
    if (state.status !== 'active' && state.status !== 'parked')
      await forgetSessionAt(heard.tx, sessionId, place);
  }

  /** S16-32: connector 0 is the whole station. Beside a fault, its connectors say what holds. */
  private async station(
    { stationId, status, at: faultedAt }: { stationId: string; status: string; at: string },
    heard: Heard,
  ): Promise<void> {
    const faulted = status === 'Faulted';
    const command = { type: 'NoteFault', faulted, faultedAt, at: this.parts.clock.iso() } as const;
    for (const sessionId of await sessionsAtStation(heard.tx, stationId))
      await this.say(sessionId, heard.id, command);
  }

  async limit(
    { stationId, connectorId, limitMa, at: limitAt }: LimitAssigned,
    heard: Heard,
  ): Promise<void> {
    const sessionId = await noteLimit(heard.tx, { stationId, connectorId }, { limitMa, limitAt });
    if (sessionId === undefined) return;
    const held = isHold(limitMa);
    await this.say(sessionId, heard.id, { type: 'NoteHold', held, heldAt: limitAt });
  }

  async connection(
    { stationId, at }: StationConnected | StationDisconnected,
    connected: boolean,
    heard: Heard,
  ): Promise<void> {
    const command = { type: 'NoteConnection', connected, connectionAt: at } as const;
    for (const sessionId of await sessionsAtStation(heard.tx, stationId))
      await this.say(sessionId, heard.id, command);
  }

  /** A charge begins: the one before it has left, and what is known already concerns this one. */
  async begun(fact: TransactionStarted, sessionId: string, heard: Heard): Promise<void> {
    const { startedAt } = fact;
    const place: Place = fact;
    const before = await sessionAt(heard.tx, place);
    if (before !== undefined && before !== sessionId) {
      const at = this.parts.clock.iso();
      const command = { type: 'YieldConnector', nextAt: startedAt, at } as const;
      await this.say(before, `${heard.id} next`, command);
    }
    const limit = await noteSessionAt(heard.tx, place, sessionId);
    if (limit && isHold(limit.limitMa) && instant(limit.limitAt) >= instant(startedAt)) {
      const command = { type: 'NoteHold', held: true, heldAt: limit.limitAt } as const;
      await this.say(sessionId, `${heard.id} limit`, command);
    }
    const known = await statusAt(heard.tx, place);
    // A car that waited for its card, or for power, goes on waiting without another word; whatever
    // else was told before is not of this charge.
    if (!known?.status.startsWith('Suspended')) return;
    const { status, statusAt: toldAt } = known;
    await this.say(sessionId, `${heard.id} status`, {
      type: 'NoteStatus',
      status,
      statusAt: instant(toldAt) > instant(startedAt) ? toldAt : startedAt,
      at: this.parts.clock.iso(),
    });
  }

  private async say(
    sessionId: string,
    commandId: string,
    command: SessionCommand,
  ): Promise<SessionState> {
    const { state } = await this.parts.logs.sessions.execute(
      sessionId,
      commandId,
      command,
      currentTraceparent(),
    );
    return state;
  }
}
