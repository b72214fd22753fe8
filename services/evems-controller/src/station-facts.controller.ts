import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import {
  type ConnectorStatusChanged,
  connectorStatusChanged,
  type MeterRead,
  meterRead,
  type StationBooted,
  stationBooted,
  type StationConnected,
  stationConnected,
  type StationDisconnected,
  stationDisconnected,
  type TransactionStarted,
  transactionStarted,
  type TransactionStopped,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import {
  noteBoot,
  noteConnection,
  noteDrawn,
  noteStart,
  noteStatus,
  noteStop,
} from './connector-rows.ts';
import { drawnOf } from './drawn.ts';
import { EvemsController } from './evems-controller.ts';

@Controller()
export class StationFactsController {
  constructor(@Inject(EvemsController) private readonly evems: EvemsController) {}

  @Hears(stationConnected)
  async connected({ stationId, epoch }: StationConnected, heard: Heard) {
    await noteConnection(heard.tx, stationId, { connected: true, connection: epoch });
    this.changed(stationId, heard);
  }

  @Hears(stationDisconnected)
  async disconnected({ stationId, epoch }: StationDisconnected, heard: Heard) {
    await noteConnection(heard.tx, stationId, { connected: false, connection: epoch });
    this.changed(stationId, heard);
  }

  @Hears(stationBooted)
  async booted({ stationId, at }: StationBooted, heard: Heard) {
    await noteBoot(heard.tx, stationId, at);
    this.changed(stationId, heard);
  }

  @Hears(connectorStatusChanged)
  async status({ stationId, connectorId, status, at }: ConnectorStatusChanged, heard: Heard) {
    await noteStatus(heard.tx, { stationId, connectorId }, { status, at });
    this.changed(stationId, heard);
  }

  @Hears(transactionStarted)
  async started(fact: TransactionStarted, heard: Heard) {
    const { stationId, connectorId, transactionId, startedAt, authorization } = fact;
    // A card that may not charge gets no power; the station ends such a transaction itself.
    if (authorization?.status !== 'Accepted') return;
    await noteStart(heard.tx, { stationId, connectorId }, { transactionId, startedAt });
    this.changed(stationId, heard);
  }

  @Hears(transactionStopped)
  async stopped({ stationId, transactionId }: TransactionStopped, heard: Heard) {
    await noteStop(heard.tx, stationId, transactionId);
    this.changed(stationId, heard);
  }

  @Hears(meterRead)
  async read({ stationId, connectorId, readings }: MeterRead, heard: Heard) {
    const drawn = drawnOf(readings, this.evems.voltageOf(stationId));
    if (!drawn) return;
    await noteDrawn(heard.tx, { stationId, connectorId }, drawn);
    this.changed(stationId, heard);
  }

  private changed(stationId: string, heard: Heard): void {
    heard.afterCommit(() => this.evems.stationChanged(stationId));
  }
}
