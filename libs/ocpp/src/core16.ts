/**
 * Messages of the OCPP 1.6 Core profile as they travel: the protocol's own names, validated by its
 * own schemas.
 */

export type AuthorizationStatus16 = 'Accepted' | 'Blocked' | 'Expired' | 'Invalid' | 'ConcurrentTx';

export interface IdTagInfo {
  readonly status: AuthorizationStatus16;
  /** A group key, never a token (S16-04). Given whenever the token has one (S16-22). */
  readonly parentIdTag?: string;
  /** RFC 3339. Drives the station's cache: absent = cached until cleared (S16-23). */
  readonly expiryDate?: string;
}

export interface AuthorizeRequest {
  readonly idTag: string;
}
export interface AuthorizeResponse {
  readonly idTagInfo: IdTagInfo;
}

export interface BootNotificationRequest {
  readonly chargePointVendor: string;
  readonly chargePointModel: string;
  readonly chargePointSerialNumber?: string;
  readonly chargeBoxSerialNumber?: string;
  readonly firmwareVersion?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  readonly meterType?: string;
  readonly meterSerialNumber?: string;
}
export interface BootNotificationResponse {
  readonly status: 'Accepted' | 'Pending' | 'Rejected';
  readonly currentTime: string;
  /**
   * Seconds: heartbeat when accepted, else the least wait before the next BootNotification (J-70).
   */
  readonly interval: number;
}

export interface HeartbeatResponse {
  readonly currentTime: string;
}

export type ChargePointStatus16 =
  | 'Available'
  | 'Preparing'
  | 'Charging'
  | 'SuspendedEVSE'
  | 'SuspendedEV'
  | 'Finishing'
  | 'Reserved'
  | 'Unavailable'
  | 'Faulted';

export interface StatusNotificationRequest {
  /** 0 = the main controller (S16-02). */
  readonly connectorId: number;
  readonly status: ChargePointStatus16;
  /** One of S16-33, or what a station made up (T-19). */
  readonly errorCode: string;
  readonly info?: string;
  readonly timestamp?: string;
  readonly vendorId?: string;
  readonly vendorErrorCode?: string;
}

/** Values are text; an absent field has the default of S16-28. */
export interface SampledValue16 {
  readonly value: string;
  readonly context?: string;
  readonly format?: string;
  readonly measurand?: string;
  readonly phase?: string;
  readonly location?: string;
  readonly unit?: string;
}
export interface MeterValue16 {
  readonly timestamp: string;
  readonly sampledValue: readonly SampledValue16[];
}
export interface MeterValuesRequest {
  /** 0 = main meter, never billed to a transaction (S16-29). */
  readonly connectorId: number;
  /** May be absent, or -1 when the station never got its id (S16-43). */
  readonly transactionId?: number;
  readonly meterValue: readonly MeterValue16[];
}

export interface StartTransactionRequest {
  readonly connectorId: number;
  readonly idTag: string;
  /** Wh of the register (S16-46); some stations leave it out. */
  readonly meterStart?: number;
  readonly timestamp: string;
  readonly reservationId?: number;
}
export interface StartTransactionResponse {
  /** Positive, unique over the whole platform, within 31 bits (S16-40). */
  readonly transactionId: number;
  readonly idTagInfo: IdTagInfo;
}

export type StopReason16 =
  | 'DeAuthorized'
  | 'EmergencyStop'
  | 'EVDisconnected'
  | 'HardReset'
  | 'Local'
  | 'Other'
  | 'PowerLoss'
  | 'Reboot'
  | 'Remote'
  | 'SoftReset'
  | 'UnlockCommand';

export interface StopTransactionRequest {
  readonly transactionId: number;
  /** Wh of the register; some stations leave it out. */
  readonly meterStop?: number;
  readonly timestamp: string;
  /** May be another member of the group, or absent (S16-48). */
  readonly idTag?: string;
  /** Absent = Local (S16-52). */
  readonly reason?: StopReason16;
  readonly transactionData?: readonly MeterValue16[];
}
export interface StopTransactionResponse {
  /** Only when the request gave an idTag (S16-48). */
  readonly idTagInfo?: IdTagInfo;
}

export interface DataTransferRequest {
  readonly vendorId: string;
  readonly messageId?: string;
  readonly data?: string;
}
export interface DataTransferResponse {
  readonly status: 'Accepted' | 'Rejected' | 'UnknownMessageId' | 'UnknownVendorId';
  readonly data?: string;
}

export interface AcceptedOrRejected {
  readonly status: 'Accepted' | 'Rejected';
}

export interface RemoteStopTransactionRequest {
  readonly transactionId: number;
}

export interface ChangeConfigurationRequest {
  readonly key: string;
  readonly value: string;
}
export interface ChangeConfigurationResponse {
  readonly status: 'Accepted' | 'Rejected' | 'RebootRequired' | 'NotSupported';
}

export interface GetConfigurationRequest {
  /** Absent or empty = all (S16-63). */
  readonly key?: readonly string[];
}
export interface ConfigurationKey16 {
  readonly key: string;
  readonly readonly: boolean;
  readonly value?: string;
}
export interface GetConfigurationResponse {
  readonly configurationKey?: readonly ConfigurationKey16[];
  readonly unknownKey?: readonly string[];
}

export interface ResetRequest {
  readonly type: 'Hard' | 'Soft';
}

export interface UnlockConnectorRequest {
  readonly connectorId: number;
}
export interface UnlockConnectorResponse {
  readonly status: 'Unlocked' | 'UnlockFailed' | 'NotSupported';
}

export interface ChangeAvailabilityRequest {
  /** 0 = the whole station (S16-60). */
  readonly connectorId: number;
  readonly type: 'Inoperative' | 'Operative';
}
export interface ChangeAvailabilityResponse {
  /** Scheduled = after the running transaction; it is no failure (T-28). */
  readonly status: 'Accepted' | 'Rejected' | 'Scheduled';
}
