import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears, HearsMany, type Told } from '#bus';
import {
  type ConnectorStatusChanged,
  connectorStatusChanged,
  meterRead,
  type MeterReadSchema,
  type StationConnected,
  stationConnected,
  type StationDisconnected,
  stationDisconnected,
  type TransactionStarted,
  transactionStarted,
  type TransactionStopped,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import { Charging } from './charging.ts';
import { Connectors } from './connectors.ts';

@Controller()
export class StationFactsController {
  constructor(
    @Inject(Charging) private readonly charging: Charging,
    @Inject(Connectors) private readonly connectors: Connectors,
  ) {}

  @Hears(transactionStarted)
  started(fact: TransactionStarted, heard: Heard) {
    return this.charging.started(fact, heard);
  }

  @HearsMany(meterRead)
  read(facts: Told<typeof MeterReadSchema>[], heard: Pick<Heard, 'tx'>) {
    return this.charging.read(facts, heard);
  }

  @Hears(transactionStopped)
  stopped(fact: TransactionStopped, heard: Heard) {
    return this.charging.stopped(fact, heard);
  }

  @Hears(connectorStatusChanged)
  status(fact: ConnectorStatusChanged, heard: Heard) {
    return this.connectors.status(fact, heard);
  }

  @Hears(stationConnected)
  connected(fact: StationConnected, heard: Heard) {
    return this.connectors.connection(fact, true, heard);
  }

  @Hears(stationDisconnected)
  disconnected(fact: StationDisconnected, heard: Heard) {
    return this.connectors.connection(fact, false, heard);
  }
}
