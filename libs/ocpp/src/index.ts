export { errorCode, faultOf } from './dialect.ts';
export type { Fault, OcppVersion } from './dialect.ts';
export {
  frameLimits,
  parseFrame,
  serialiseCall,
  serialiseError,
  serialiseResult,
} from './frame.ts';
export type {
  Call,
  CallError,
  CallResult,
  CallResultError,
  Frame,
  FrameLimits,
  FrameProblem,
  FrameProblemName,
  Payload,
  Send,
} from './frame.ts';
export { acceptPayload, checkPayload, messageRow } from './schemas.ts';
export type { Accepted, PayloadFault, PayloadKind } from './schemas.ts';
export { asSpelt, idTagOf, type UidOrder } from './id-tag.ts';
export { isAction16, messages16 } from './messages16.ts';
export type {
  Action16,
  CancelReservationRequest,
  Direction,
  Empty,
  MessageRow,
  Messages16,
  Request16,
  ReserveNowRequest,
  ReserveNowResponse,
  Response16,
  TriggerMessageRequest,
  TriggerMessageResponse,
} from './messages16.ts';
export type {
  AcceptedOrRejected,
  AuthorizationStatus16,
  AuthorizeRequest,
  AuthorizeResponse,
  BootNotificationRequest,
  BootNotificationResponse,
  ChangeAvailabilityRequest,
  ChangeAvailabilityResponse,
  ChangeConfigurationRequest,
  ChangeConfigurationResponse,
  ChargePointStatus16,
  ConfigurationKey16,
  DataTransferRequest,
  DataTransferResponse,
  GetConfigurationRequest,
  GetConfigurationResponse,
  HeartbeatResponse,
  IdTagInfo,
  MeterValue16,
  MeterValuesRequest,
  RemoteStopTransactionRequest,
  ResetRequest,
  SampledValue16,
  StartTransactionRequest,
  StartTransactionResponse,
  StatusNotificationRequest,
  StopReason16,
  StopTransactionRequest,
  StopTransactionResponse,
  UnlockConnectorRequest,
  UnlockConnectorResponse,
} from './core16.ts';
export type {
  ChargingProfile16,
  ChargingProfilePurpose16,
  ChargingSchedule16,
  ChargingSchedulePeriod16,
  ClearChargingProfileRequest,
  ClearChargingProfileResponse,
  GetCompositeScheduleRequest,
  GetCompositeScheduleResponse,
  RemoteStartTransactionRequest,
  SetChargingProfileRequest,
  SetChargingProfileResponse,
} from './smart-charging16.ts';
export { readings } from './readings.ts';
export { SIGNED_CHARS_MAX, type SignedReading, signedReadings } from './signed-readings.ts';
export type { Currents, Reading } from './readings.ts';
export { parseInstant } from './instant.ts';
export { basicCredentials, identityOf, negotiate, offeredProtocols } from './handshake.ts';
export type { BasicCredentials } from './handshake.ts';
export { OcppUpgrade } from './upgrade.ts';
export type { Admission, Admitted, Handshake, UpgradeOptions } from './upgrade.ts';
export { OcppConnection } from './socket.ts';
export { connectionLimits, PayloadInvalid } from './connection-options.ts';
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
