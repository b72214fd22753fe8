import type {
  AcceptedOrRejected,
  AuthorizeRequest,
  AuthorizeResponse,
  BootNotificationRequest,
  BootNotificationResponse,
  ChangeAvailabilityRequest,
  ChangeAvailabilityResponse,
  ChangeConfigurationRequest,
  ChangeConfigurationResponse,
  DataTransferRequest,
  DataTransferResponse,
  GetConfigurationRequest,
  GetConfigurationResponse,
  HeartbeatResponse,
  MeterValuesRequest,
  RemoteStopTransactionRequest,
  ResetRequest,
  StartTransactionRequest,
  StartTransactionResponse,
  StatusNotificationRequest,
  StopTransactionRequest,
  StopTransactionResponse,
  UnlockConnectorRequest,
  UnlockConnectorResponse,
} from './core16.ts';
import type {
  ClearChargingProfileRequest,
  ClearChargingProfileResponse,
  GetCompositeScheduleRequest,
  GetCompositeScheduleResponse,
  RemoteStartTransactionRequest,
  SetChargingProfileRequest,
  SetChargingProfileResponse,
} from './smart-charging16.ts';

export type Empty = Readonly<Record<never, never>>;

export interface ReserveNowRequest {
  /** 0 only if the station says ReserveConnectorZeroSupported (S16-77). */
  readonly connectorId: number;
  readonly expiryDate: string;
  readonly idTag: string;
  readonly reservationId: number;
  readonly parentIdTag?: string;
}
export interface ReserveNowResponse {
  readonly status: 'Accepted' | 'Faulted' | 'Occupied' | 'Rejected' | 'Unavailable';
}
export interface CancelReservationRequest {
  readonly reservationId: number;
}

export interface TriggerMessageRequest {
  readonly requestedMessage:
    | 'BootNotification'
    | 'DiagnosticsStatusNotification'
    | 'FirmwareStatusNotification'
    | 'Heartbeat'
    | 'MeterValues'
    | 'StatusNotification';
  readonly connectorId?: number;
}
export interface TriggerMessageResponse {
  readonly status: 'Accepted' | 'Rejected' | 'NotImplemented';
}

interface Exchange<Request, Response> {
  readonly request: Request;
  readonly response: Response;
}

/**
 * Request and response of every message that has a type here; later issues add the rest of the
 * catalogue.
 */
export interface Messages16 {
  readonly Authorize: Exchange<AuthorizeRequest, AuthorizeResponse>;
  readonly BootNotification: Exchange<BootNotificationRequest, BootNotificationResponse>;
  readonly CancelReservation: Exchange<CancelReservationRequest, AcceptedOrRejected>;
  readonly ChangeAvailability: Exchange<ChangeAvailabilityRequest, ChangeAvailabilityResponse>;
  readonly ChangeConfiguration: Exchange<ChangeConfigurationRequest, ChangeConfigurationResponse>;
  readonly ClearChargingProfile: Exchange<
    ClearChargingProfileRequest,
    ClearChargingProfileResponse
  >;
  readonly DataTransfer: Exchange<DataTransferRequest, DataTransferResponse>;
  readonly GetCompositeSchedule: Exchange<
    GetCompositeScheduleRequest,
    GetCompositeScheduleResponse
  >;
  readonly GetConfiguration: Exchange<GetConfigurationRequest, GetConfigurationResponse>;
  readonly Heartbeat: Exchange<Empty, HeartbeatResponse>;
  readonly MeterValues: Exchange<MeterValuesRequest, Empty>;
  readonly RemoteStartTransaction: Exchange<RemoteStartTransactionRequest, AcceptedOrRejected>;
  readonly RemoteStopTransaction: Exchange<RemoteStopTransactionRequest, AcceptedOrRejected>;
  readonly ReserveNow: Exchange<ReserveNowRequest, ReserveNowResponse>;
  readonly Reset: Exchange<ResetRequest, AcceptedOrRejected>;
  readonly SetChargingProfile: Exchange<SetChargingProfileRequest, SetChargingProfileResponse>;
  readonly StartTransaction: Exchange<StartTransactionRequest, StartTransactionResponse>;
  readonly StatusNotification: Exchange<StatusNotificationRequest, Empty>;
  readonly StopTransaction: Exchange<StopTransactionRequest, StopTransactionResponse>;
  readonly TriggerMessage: Exchange<TriggerMessageRequest, TriggerMessageResponse>;
  readonly UnlockConnector: Exchange<UnlockConnectorRequest, UnlockConnectorResponse>;
}

export type Action16 = keyof Messages16;
export type Request16<A extends Action16> = Messages16[A]['request'];
export type Response16<A extends Action16> = Messages16[A]['response'];

export type Direction = 'from-station' | 'to-station' | 'both';

export interface MessageRow<A extends string = string> {
  readonly action: A;
  readonly direction: Direction;
  /** Ids in the schema set. */
  readonly requestSchema: string;
  readonly responseSchema: string;
  /**
   * Queued offline and retried: a CALLERROR asks for a retry and may lose billing data (S16-08,
   * S16-10).
   */
  readonly billing: boolean;
}

const directions = {
  Authorize: 'from-station',
  BootNotification: 'from-station',
  CancelReservation: 'to-station',
  ChangeAvailability: 'to-station',
  ChangeConfiguration: 'to-station',
  ClearChargingProfile: 'to-station',
  DataTransfer: 'both',
  GetCompositeSchedule: 'to-station',
  GetConfiguration: 'to-station',
  Heartbeat: 'from-station',
  MeterValues: 'from-station',
  RemoteStartTransaction: 'to-station',
  RemoteStopTransaction: 'to-station',
  ReserveNow: 'to-station',
  Reset: 'to-station',
  SetChargingProfile: 'to-station',
  StartTransaction: 'from-station',
  StatusNotification: 'from-station',
  StopTransaction: 'from-station',
  TriggerMessage: 'to-station',
  UnlockConnector: 'to-station',
} as const satisfies Record<Action16, Direction>;

const billing: ReadonlySet<string> = new Set([
  'StartTransaction',
  'StopTransaction',
  'MeterValues',
]);

/** The routing table of OCPP 1.6: an action is in it, or we do not implement it. */
export const messages16 = Object.fromEntries(
  Object.entries(directions).map(([action, direction]) => [
    action,
    {
      action,
      direction,
      requestSchema: `urn:${action}.req`,
      responseSchema: `urn:${action}.conf`,
      billing: billing.has(action),
    },
  ]),
) as unknown as { readonly [A in Action16]: MessageRow<A> };

export function isAction16(action: string): action is Action16 {
  return Object.hasOwn(messages16, action);
}
