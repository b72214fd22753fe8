import { type Fact, told } from '#bus';
import {
  connectorStatusChanged, meterRead, stationBooted, stationConnected, stationDisconnected, transactionStarted,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import { toJsonBytes } from '#contracts';
import type { StoredEvent } from '#event-store';
import { isDoubted } from './frames.ts';
import type { Authorization, MeterReading, SignedMeterReading, StationEvent } from './station-events.ts';

export const streamOf = (stationId: string): string => `station-${stationId}`;
const stationOf = (stream: string): string => stream.slice('station-'.length);

/** What a station's events tell the platform; orders and owners are the gateway's own affair. */
export function tells(stored: StoredEvent): Fact | undefined {
  const event = { ...(JSON.parse(stored.data) as object), type: stored.type } as StationEvent;
  const stationId = stationOf(stored.stream);
  switch (event.type) {
    case 'Connected':
      return told(stationConnected, { stationId, at: event.at, epoch: event.epoch, ocppVersion: event.version });
    case 'Disconnected':
      return told(stationDisconnected, { stationId, at: event.at, epoch: event.epoch, reason: event.reason });
    case 'Booted':
      return told(stationBooted, { ...without(event), stationId });
    case 'StatusNotified':
      return told(connectorStatusChanged, { ...without(event), stationId });
    case 'TransactionStarted':
      return told(transactionStarted, {
        stationId,
        transactionId: String(event.transactionId),
        connectorId: event.connectorId,
        idTag: event.idTag,
        meterStartWh: event.meterStartWh,
        isMeterStartMissing: event.isMeterStartMissing ?? false,
        startedAt: event.startedAt,
        authorization: authorization(event.authorization),
        // A station that has none may say so by 0 or -1.
        ...(event.reservationId !== undefined && event.reservationId > 0 ? { reservationId: event.reservationId } : {}),
        ...(isDoubted(event.saidAt, event.startedAt) ? { saidAt: event.saidAt } : {}),
        isCardShown: event.isCardShown ?? false,
      });
    case 'MeterRead':
      return told(meterRead, {
        stationId,
        connectorId: event.connectorId,
        readings: event.readings.map(reading),
        signed: signed(event),
        ...(event.transactionId === undefined ? {} : { transactionId: event.transactionId }),
      });
    case 'TransactionStopped':
      return told(transactionStopped, {
        stationId,
        transactionId: event.transactionId,
        connectorId: event.connectorId,
        meterStopWh: event.meterStopWh,
        isLastKnown: event.isLastKnown ?? false,
        stoppedAt: event.stoppedAt,
        reason: event.reason,
        readings: event.readings.map(reading),
        signed: signed(event),
        ...(event.idTag === undefined ? {} : { idTag: event.idTag }),
        ...(event.saidAt === undefined ? {} : { saidAt: event.saidAt }),
        ...(event.lostAt === undefined ? {} : { lostAt: event.lostAt }),
        alsoLostAt: [...(event.alsoLostAt ?? [])],
        ...(event.closedBecause === undefined ? {} : { closedBecause: event.closedBecause }),
      });
    case 'LostStopCame':
    case 'StartOrdered':
    case 'OrderDropped':
    case 'OwnerObeyed':
      return undefined;
  }
}

function without<T extends { type: string; frame: string }>({ type: _type, frame: _frame, ...rest }: T) {
  return rest;
}

function authorization({ status, authMethod, token, reference, orderId }: Authorization) {
  return {
    status, authMethod,
    ...(token === undefined ? {} : { tokenJson: toJsonBytes(token) }),
    ...(reference === undefined ? {} : { authorizationReference: reference }),
    ...(orderId === undefined ? {} : { orderId }),
  };
}

function reading({ currentMa, ...rest }: MeterReading) {
  return { ...rest, ...(currentMa ? { currentMa: [...currentMa] } : {}) };
}

function signed({ signed: values = [] }: { signed?: readonly SignedMeterReading[] }) {
  return values.map((each) => ({ ...each }));
}
