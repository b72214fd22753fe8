import type { Location, Session, SignedData, Tariff, Token } from '#ocpi';
import type { Condition } from './condition.ts';
import type { Metering, UpdateEveryMs } from './metering.ts';
import type { ParkingRules, Stay } from './parking.ts';
import type { ReservationEnd } from './reservation.ts';
import type { Doubted, Reading, WhyDoubted } from './register.ts';
import type { SignedKept, SignedValue } from './signed.ts';

/** What is said to a session, what happens to it, and what it then is. */

/** What is billed is billed by what held at the session's start. */
export interface Snapshots {
  /** The Location with the one EVSE of the session. */
  readonly location: Location;
  readonly tariff: Tariff;
  readonly tariffVersion: number;
  readonly token: Token;
}

/** The charge as the station knows it. */
export interface Transaction {
  readonly stationId: string;
  readonly transactionId: string;
  readonly connectorId: number;
  /** Decimal text. */
  readonly meterStartWh: string;
  /** The station told none, and 0 stands for it. */
  readonly isMeterStartMissing?: true;
  /** What the station's clock showed, where it cannot be right: the Session starts when that was heard. */
  readonly saidAt?: string;
}

export type WhyInvalid = 'card-not-accepted' | 'no-token' | 'unknown-station';

/**
 * What the meter said that cannot be, so that the session stands on the readings before it; and how
 * what it said was understood.
 */
export type FindingCode =
  | WhyDoubted
  | 'register-wrapped'
  | 'register-replaced'
  | 'meter-start-missing'
  | 'meter-stop-missing'
  | 'meter-stop-below-start'
  | 'meter-stop-below-reading'
  | 'meter-stop-beyond-power'
  | 'stopped-before-last-reading'
  | 'signed-values-left-out'
  | 'station-clock-wrong'
  | 'station-without-power'
  | 'closed-by-operator';

export interface Finding {
  readonly code: FindingCode;
  /** A sentence with what was there and what was made of it. */
  readonly detail: string;
  /** What of it is a figure; what was found by a former release has none. */
  readonly figures?: { readonly told: string; readonly due?: string; readonly unit?: 'Wh' };
}

/** What came of the charge. */
export interface Outcome {
  /** Exact, decimal text. */
  readonly energyWh: string;
  /** Why it stopped: OCPP Reason. */
  readonly reason: string;
  readonly findings: readonly Finding[];
}

export type SessionCommand =
  /** An EVSE is kept free; once more, it is another one or for another card. */
  | {
      readonly type: 'ReserveSession';
      /** RESERVATION. */
      readonly session: Session;
      readonly snapshots: Snapshots;
      readonly orderId: string;
    }
  /** Nobody charged on the reservation. */
  | {
      readonly type: 'EndReserved';
      readonly why: ReservationEnd;
      readonly endedAt: string;
      readonly at: string;
    }
  | {
      readonly type: 'StartSession';
      /** ACTIVE, without energy. */
      readonly session: Session;
      readonly transaction: Transaction;
      readonly snapshots: Snapshots;
      readonly orderId?: string | undefined;
    }
  | {
      readonly type: 'RecordInvalid';
      readonly transaction: Transaction;
      readonly why: WhyInvalid;
      readonly at: string;
    }
  | {
      readonly type: 'ReadMeter';
      readonly readings: readonly Reading[];
      readonly signed?: readonly SignedValue[];
      readonly updateEveryMs: UpdateEveryMs;
      readonly at: string;
    }
  /** The station's word of its connector, and when it gave it. */
  | {
      readonly type: 'NoteStatus';
      readonly status: string;
      readonly statusAt: string;
      readonly at: string;
    }
  /** Our load management leaves the car less than it charges with, or no longer so. */
  | { readonly type: 'NoteHold'; readonly held: boolean; readonly heldAt: string }
  /** The whole station has a fault, or no longer. */
  | {
      readonly type: 'NoteFault';
      readonly faulted: boolean;
      readonly faultedAt: string;
      readonly at: string;
    }
  /** The station's socket was lost, or is there again. */
  | { readonly type: 'NoteConnection'; readonly connected: boolean; readonly connectionAt: string }
  /** The transaction has stopped. */
  | {
      readonly type: 'EndSession';
      readonly meterStopWh: string;
      /** The station said none: it is the newest it had said before. */
      readonly isLastKnown?: boolean;
      readonly stoppedAt: string;
      /** As of a start. */
      readonly saidAt?: string;
      /** Since when the station was away, which told of it once it was back. */
      readonly lostAt?: string;
      /** And before that, where it was back for minutes only; the earliest first. */
      readonly alsoLostAt?: readonly string[];
      /** Our operator's words, who ended it: its station did not say that it stopped. */
      readonly closedBecause?: string;
      readonly reason: string;
      readonly readings: readonly Reading[];
      readonly signed?: readonly SignedValue[];
      readonly rules: ParkingRules;
      readonly at: string;
    }
  /** The next charge has begun on the connector. */
  | { readonly type: 'YieldConnector'; readonly nextAt: string; readonly at: string }
  /** Time has gone by. */
  | { readonly type: 'LookAtCharge'; readonly updateEveryMs: UpdateEveryMs; readonly at: string }
  | { readonly type: 'LookAtParking'; readonly updateEveryMs: UpdateEveryMs; readonly at: string };

export type SessionEvent =
  | {
      readonly type: 'SessionReserved';
      readonly session: Session;
      readonly snapshots: Snapshots;
      readonly orderId: string;
      /** It was reserved before, on other terms. */
      readonly again: boolean;
    }
  | {
      readonly type: 'SessionStarted';
      readonly session: Session;
      readonly transaction: Transaction;
      readonly snapshots: Snapshots;
      readonly orderId?: string | undefined;
    }
  | ({ readonly type: 'MeterRead' } & Pick<Metered, 'readings' | 'leftOut'>)
  /** A record may name the driver: the event says whose it is, to be forgotten with the contract. */
  | ({
      readonly type: 'SignedRead';
      readonly session: Pick<Session, 'cdr_token' | 'start_date_time'>;
    } & Pick<Metered, 'signed' | 'isCut'>)
  | { readonly type: 'SessionRefreshed'; readonly session: Session }
  /** What it costs by now; the meter has said nothing new. */
  | { readonly type: 'CostTold'; readonly session: Session }
  | { readonly type: 'StatusNoted'; readonly status: string; readonly statusAt: string }
  | { readonly type: 'HoldNoted'; readonly held: boolean; readonly heldAt: string }
  | { readonly type: 'FaultNoted'; readonly faulted: boolean; readonly faultedAt: string }
  | { readonly type: 'ConnectionNoted'; readonly connected: boolean; readonly connectionAt: string }
  /** The charge is over and the car may still be there: the Session goes on. */
  | ({
      readonly type: 'ChargeEnded';
      readonly session: Session;
      /** What of it counts, with what the register carries. */
      readonly meterStopWh: string;
      readonly stoppedAt: string;
      readonly rules: ParkingRules;
      readonly at: string;
    } & Metered &
      Outcome)
  | ({
      readonly type: 'SessionEnded';
      readonly session: Session;
      readonly snapshots: Snapshots;
      readonly signedData?: SignedData;
      /** It was a reservation that nobody charged on. */
      readonly reservationOnly?: boolean;
    } & Outcome)
  | {
      readonly type: 'InvalidSessionStarted';
      readonly transaction: Transaction;
      readonly why: WhyInvalid;
      readonly at: string;
    }
  | { readonly type: 'InvalidSessionEnded'; readonly energyWh: string; readonly at: string };

/** What was new of what a meter told. */
export interface Metered {
  readonly readings: readonly Reading[];
  /** What cannot be, and so does not count. */
  readonly leftOut?: readonly Doubted[];
  readonly signed?: readonly SignedValue[];
  /** Some of what is signed has no place in a CDR. */
  readonly isCut?: boolean;
}

export type SessionState =
  | { readonly status: 'absent' | 'invalid-ended' }
  | { readonly status: 'invalid'; readonly meterStartWh: string }
  | Reserved
  | (Running & {
      readonly status: 'active';
      readonly condition: Condition;
      /** When its station's socket was lost last. */
      readonly lostAt?: string;
    })
  /** The transaction has stopped, the car may still be there. */
  | (Running & { readonly status: 'parked'; readonly stay: Stay; readonly outcome: Outcome })
  | {
      readonly status: 'ended';
      readonly session: Session;
      readonly snapshots: Snapshots;
      /** None of a reservation that nobody charged on. */
      readonly transaction?: Transaction;
    };

export interface Reserved {
  readonly status: 'reserved';
  readonly session: Session;
  readonly snapshots: Snapshots;
  /** By which orders. */
  readonly orderIds: readonly string[];
}

export interface Running {
  readonly session: Session;
  readonly transaction: Transaction;
  readonly snapshots: Snapshots;
  readonly metering: Metering;
  readonly signed: SignedKept;
  /** One of each kind. */
  readonly findings: readonly Finding[];
}

export type Active = Extract<SessionState, { status: 'active' }>;
export type Parked = Extract<SessionState, { status: 'parked' }>;

export type Of<Type extends SessionEvent['type']> = Extract<SessionEvent, { type: Type }>;
export type To<Type extends SessionCommand['type']> = Extract<SessionCommand, { type: Type }>;
