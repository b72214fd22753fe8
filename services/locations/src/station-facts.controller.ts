import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import {
  type ConnectorStatusChanged, connectorStatusChanged, type StationConnected, stationConnected,
  type StationDisconnected, stationDisconnected,
} from '#contracts/ocpp-gateway';
import { Locations } from './locations.ts';

@Controller()
export class StationFactsController {
  constructor(@Inject(Locations) private readonly locations: Locations) {}

  @Hears(connectorStatusChanged)
  status({ stationId, connectorId, status, at }: ConnectorStatusChanged, { tx }: Heard) {
    return this.locations.statusChanged(tx, stationId, connectorId, { status, at });
  }

  @Hears(stationConnected)
  connected({ stationId, epoch }: StationConnected, { tx }: Heard) {
    return this.locations.connectionChanged(tx, stationId, true, epoch);
  }

  @Hears(stationDisconnected)
  disconnected({ stationId, epoch }: StationDisconnected, { tx }: Heard) {
    return this.locations.connectionChanged(tx, stationId, false, epoch);
  }
}
