import { Controller } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import {
  type ConnectorStatusChanged, connectorStatusChanged, type MeterRead, meterRead, type StationBooted, stationBooted,
  type StationConnected, stationConnected, type StationDisconnected, stationDisconnected, type TransactionStarted,
  transactionStarted, type TransactionStopped, transactionStopped,
} from '#contracts/ocpp-gateway';
import { sawConnection, sawStation, sawStatus, sawTransaction } from './station-rows.ts';

/** Keeps the read model behind describeStations. */
@Controller()
export class OwnFactsController {
  @Hears(stationConnected)
  connected({ stationId, at, epoch }: StationConnected, { tx }: Heard) {
    return sawConnection(tx, stationId, at, { connected: true, epoch });
  }

  @Hears(stationDisconnected)
  disconnected({ stationId, at, epoch }: StationDisconnected, { tx }: Heard) {
    return sawConnection(tx, stationId, at, { connected: false, epoch });
  }

  @Hears(stationBooted)
  booted({ stationId, at, vendor, model }: StationBooted, { tx }: Heard) {
    return sawStation(tx, stationId, at, { vendor, model });
  }

  @Hears(connectorStatusChanged)
  async status({ stationId, connectorId, status, at }: ConnectorStatusChanged, { tx }: Heard) {
    await sawStation(tx, stationId, at);
    await sawStatus(tx, stationId, connectorId, { status, at });
  }

  @Hears(transactionStarted)
  async started({ stationId, connectorId, transactionId, startedAt }: TransactionStarted, { tx }: Heard) {
    await sawStation(tx, stationId, startedAt);
    await sawTransaction(tx, stationId, connectorId, transactionId);
  }

  @Hears(meterRead)
  async read({ stationId, readings }: MeterRead, { tx }: Heard) {
    const newest = readings.at(-1);
    if (newest) await sawStation(tx, stationId, newest.at);
  }

  @Hears(transactionStopped)
  async stopped({ stationId, connectorId, stoppedAt }: TransactionStopped, { tx }: Heard) {
    await sawStation(tx, stationId, stoppedAt);
    await sawTransaction(tx, stationId, connectorId, null);
  }
}
