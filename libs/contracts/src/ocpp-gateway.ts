import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  CancelReservationSchema,
  CloseTransactionSchema,
  CommandAnswerSchema,
  DescribeStationsSchema,
  ReserveSchema,
  SetLimitSchema,
  StartChargingSchema,
  StationsDescribedSchema,
  StopChargingSchema,
  TransactionClosedSchema,
  UnlockConnectorSchema,
} from './gen/roamwatt/ocpp_gateway/v1/asks_pb.ts';
import {
  ConnectorStatusChangedSchema,
  MeterReadSchema,
  StationBootedSchema,
  StationConnectedSchema,
  StationDisconnectedSchema,
  TransactionStartedSchema,
  TransactionStoppedSchema,
} from './gen/roamwatt/ocpp_gateway/v1/facts_pb.ts';

export {
  type CancelReservation,
  CancelReservationSchema,
  type CloseTransaction,
  type CommandAnswer,
  CommandAnswerSchema,
  type ConnectorState,
  ConnectorStateSchema,
  type DescribeStations,
  DescribeStationsSchema,
  LimitKind,
  Outcome,
  type Reserve,
  ReserveSchema,
  type SetLimit,
  SetLimitSchema,
  type StartCharging,
  StartChargingSchema,
  type StationState,
  StationStateSchema,
  type StationsDescribed,
  StationsDescribedSchema,
  type StopCharging,
  StopChargingSchema,
  type UnlockConnector,
  UnlockConnectorSchema,
} from './gen/roamwatt/ocpp_gateway/v1/asks_pb.ts';
export {
  type Authorization,
  AuthorizationSchema,
  type ConnectorStatusChanged,
  ConnectorStatusChangedSchema,
  type MeterRead,
  MeterReadSchema,
  type Reading,
  ReadingSchema,
  type SignedReading,
  SignedReadingSchema,
  type StationBooted,
  StationBootedSchema,
  type StationConnected,
  StationConnectedSchema,
  type StationDisconnected,
  StationDisconnectedSchema,
  type TransactionStarted,
  TransactionStartedSchema,
  type TransactionStopped,
  TransactionStoppedSchema,
} from './gen/roamwatt/ocpp_gateway/v1/facts_pb.ts';

const context = 'ocpp-gateway';

export const startCharging = ask({
  context,
  verb: 'start-charging',
  request: StartChargingSchema,
  answer: CommandAnswerSchema,
  to: (request) => request.stationId,
  check: filled('stationId', 'tokenJson', 'orderId'),
});

export const stopCharging = ask({
  context,
  verb: 'stop-charging',
  request: StopChargingSchema,
  answer: CommandAnswerSchema,
  to: (request) => request.stationId,
  check: filled('stationId', 'transactionId'),
});

export const setLimit = ask({
  context,
  verb: 'set-limit',
  request: SetLimitSchema,
  answer: CommandAnswerSchema,
  to: (request) => request.stationId,
  check: filled('stationId', 'kind'),
});

export const unlockConnector = ask({
  context,
  verb: 'unlock-connector',
  request: UnlockConnectorSchema,
  answer: CommandAnswerSchema,
  to: (request) => request.stationId,
  check: filled('stationId', 'connectorId'),
});

export const reserve = ask({
  context,
  verb: 'reserve',
  request: ReserveSchema,
  answer: CommandAnswerSchema,
  to: (request) => request.stationId,
  check: filled('stationId', 'connectorId', 'reservationId', 'tokenJson', 'expiresAt'),
});

export const cancelReservation = ask({
  context,
  verb: 'cancel-reservation',
  request: CancelReservationSchema,
  answer: CommandAnswerSchema,
  to: (request) => request.stationId,
  check: filled('stationId', 'reservationId'),
});

export const describeStations = ask({
  context,
  verb: 'describe-stations',
  request: DescribeStationsSchema,
  answer: StationsDescribedSchema,
  check: filled(),
});

export const closeTransaction = ask({
  context,
  verb: 'close-transaction',
  request: CloseTransactionSchema,
  answer: TransactionClosedSchema,
  check: filled('stationId', 'transactionId', 'because'),
});

export const stationConnected = tell({
  context,
  thing: 'station',
  happened: 'connected',
  fact: StationConnectedSchema,
  key: (fact) => fact.stationId,
  check: filled('stationId', 'at'),
});

export const stationDisconnected = tell({
  context,
  thing: 'station',
  happened: 'disconnected',
  fact: StationDisconnectedSchema,
  key: (fact) => fact.stationId,
  check: filled('stationId', 'at'),
});

export const stationBooted = tell({
  context,
  thing: 'station',
  happened: 'booted',
  fact: StationBootedSchema,
  key: (fact) => fact.stationId,
  check: filled('stationId', 'at'),
});

export const connectorStatusChanged = tell({
  context,
  thing: 'connector',
  happened: 'status-changed',
  fact: ConnectorStatusChangedSchema,
  key: (fact) => fact.stationId,
  check: filled('stationId', 'status', 'at'),
});

export const transactionStarted = tell({
  context,
  thing: 'transaction',
  happened: 'started',
  fact: TransactionStartedSchema,
  key: (fact) => fact.stationId,
  check: filled('stationId', 'transactionId', 'connectorId', 'meterStartWh', 'startedAt'),
});

export const meterRead = tell({
  context,
  thing: 'meter',
  happened: 'read',
  fact: MeterReadSchema,
  key: (fact) => fact.stationId,
  check: (fact) =>
    filled('stationId')(fact) ??
    (fact.readings.length + fact.signed.length > 0 ? undefined : 'readings and signed are empty'),
});

export const transactionStopped = tell({
  context,
  thing: 'transaction',
  happened: 'stopped',
  fact: TransactionStoppedSchema,
  key: (fact) => fact.stationId,
  check: filled('stationId', 'transactionId', 'meterStopWh', 'stoppedAt'),
});
