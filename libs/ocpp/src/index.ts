export type { OcppVersion } from './dialect.ts';
export { parseFrame } from './frame.ts';
export { acceptPayload } from './schemas.ts';
export { asSpelt, idTagOf, type UidOrder } from './id-tag.ts';
export { messages16 } from './messages16.ts';
export type {
  Action16,
  CancelReservationRequest,
  Request16,
  ReserveNowRequest,
  TriggerMessageRequest,
} from './messages16.ts';
export type {
  ChangeAvailabilityRequest,
  ChangeConfigurationRequest,
  ChangeConfigurationResponse,
  ChargePointStatus16,
  ConfigurationKey16,
  GetConfigurationRequest,
  GetConfigurationResponse,
  IdTagInfo,
  MeterValue16,
  RemoteStopTransactionRequest,
  ResetRequest,
  SampledValue16,
  StartTransactionResponse,
  StopReason16,
  UnlockConnectorRequest,
} from './core16.ts';
export type {
  ChargingProfile16,
  ChargingSchedule16,
  ChargingSchedulePeriod16,
  ClearChargingProfileRequest,
  GetCompositeScheduleRequest,
  RemoteStartTransactionRequest,
  SetChargingProfileRequest,
  SetChargingProfileResponse,
} from './smart-charging16.ts';
export { readings } from './readings.ts';
export { signedReadings } from './signed-readings.ts';
export type { Reading } from './readings.ts';
export { parseInstant } from './instant.ts';
export { OcppUpgrade } from './upgrade.ts';
export type { Admission, Admitted, Handshake, UpgradeOptions } from './upgrade.ts';
export { OcppConnection } from './socket.ts';
export { PayloadInvalid } from './connection-options.ts';
export type {
  CallOptions,
  Closed,
  ConnectionLimits,
  ConnectionOptions,
} from './connection-options.ts';
export type { CallOutcome } from './call-queue.ts';
export { CallRefused } from './inbound.ts';
export type { ReceivedCall } from './inbound.ts';
export type { ConnectionNotice } from './notice.ts';
