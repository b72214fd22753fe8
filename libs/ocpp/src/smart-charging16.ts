/**
 * Messages of the OCPP 1.6 SmartCharging profile, and the remote start that may carry a profile.
 */

export interface ChargingSchedulePeriod16 {
  /** Seconds after the schedule's start; the first is 0, they ascend (S16-95). */
  readonly startPeriod: number;
  /** A per phase, or W over all phases (S16-96); at most one decimal. */
  readonly limit: number;
  /** Absent = 3 (S16-96). */
  readonly numberPhases?: number;
}
export interface ChargingSchedule16 {
  readonly chargingRateUnit: 'A' | 'W';
  readonly chargingSchedulePeriod: readonly ChargingSchedulePeriod16[];
  /** Seconds. Absent = the last period has no end (S16-97). */
  readonly duration?: number;
  readonly startSchedule?: string;
  readonly minChargingRate?: number;
}

export type ChargingProfilePurpose16 = 'ChargePointMaxProfile' | 'TxDefaultProfile' | 'TxProfile';

export interface ChargingProfile16 {
  readonly chargingProfileId: number;
  readonly stackLevel: number;
  readonly chargingProfilePurpose: ChargingProfilePurpose16;
  readonly chargingProfileKind: 'Absolute' | 'Recurring' | 'Relative';
  readonly chargingSchedule: ChargingSchedule16;
  /** SHALL be given in a TxProfile except inside RemoteStartTransaction (S16-91). */
  readonly transactionId?: number;
  readonly recurrencyKind?: 'Daily' | 'Weekly';
  readonly validFrom?: string;
  readonly validTo?: string;
}

export interface SetChargingProfileRequest {
  readonly connectorId: number;
  readonly csChargingProfiles: ChargingProfile16;
}
export interface SetChargingProfileResponse {
  readonly status: 'Accepted' | 'Rejected' | 'NotSupported';
}

/** `id` given: the others are ignored; else AND over the others; none: all profiles (S16-101). */
export interface ClearChargingProfileRequest {
  readonly id?: number;
  readonly connectorId?: number;
  readonly chargingProfilePurpose?: ChargingProfilePurpose16;
  readonly stackLevel?: number;
}
export interface ClearChargingProfileResponse {
  /** Unknown = nothing matched, so it is cleared too (S16-101). */
  readonly status: 'Accepted' | 'Unknown';
}

export interface GetCompositeScheduleRequest {
  readonly connectorId: number;
  readonly duration: number;
  readonly chargingRateUnit?: 'A' | 'W';
}
export interface GetCompositeScheduleResponse {
  readonly status: 'Accepted' | 'Rejected';
  readonly connectorId?: number;
  readonly scheduleStart?: string;
  readonly chargingSchedule?: ChargingSchedule16;
}

export interface RemoteStartTransactionRequest {
  /** At most 20 characters (M-20). */
  readonly idTag: string;
  /** Stations may refuse without it: send it when known (S16-66). */
  readonly connectorId?: number;
  readonly chargingProfile?: ChargingProfile16;
}
