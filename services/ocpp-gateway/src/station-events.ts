import type { ClockBehind } from './clocks.ts';

/** What a station says that counts, what happens to it, and what is then known of it. */

export interface Authorization {
  /** OCPP AuthorizationStatus. */
  readonly status: string;
  /** OCPI AuthMethod. */
  readonly authMethod: string;
  /** The OCPI Token's JSON; absent for an unknown card. */
  readonly token?: string | undefined;
  readonly reference?: string | undefined;
  /** The order that started it from afar. */
  readonly orderId?: string | undefined;
}

/** Of a card; `isUnsaid`: nobody could be asked, and no list says yes. */
export type CardAnswer = Authorization & { readonly isUnsaid?: true };

export interface MeterReading {
  readonly at: string;
  readonly context: string;
  readonly energyWh?: string;
  readonly powerW?: string;
  readonly currentMa?: readonly number[];
  readonly voltageV?: string;
  readonly socPercent?: string;
}

/** What the meter signed, out of its wrappings; see signedReadings of libs/ocpp. */
export interface SignedMeterReading {
  readonly at: string;
  readonly context: string;
  readonly encoding?: string;
  readonly text: string;
  readonly publicKey?: string;
}

export interface Away {
  readonly from: string;
  readonly until?: string;
  /** Losses before it, each of which was followed by the next within minutes of the return. */
  readonly before?: readonly string[];
}

/** A start that was ordered from afar and has not begun yet. */
export interface OrderedStart {
  readonly orderId: string;
  readonly connectorId: number;
  readonly idTag: string;
  readonly token: string;
  readonly reference?: string | undefined;
}

export interface OpenTransaction {
  readonly connectorId: number;
  readonly idTag: string;
  /** The station has heard its number. */
  readonly isNamed?: boolean;
  readonly startedAt: string;
  /** The newest register seen, Wh. */
  readonly meterWh: string;
  readonly meterAt: string;
}

export interface Station {
  readonly epoch: number;
  readonly connected: boolean;
  /** The site owner's epoch last obeyed. */
  readonly ownerEpoch: number;
  readonly open: Readonly<Record<string, OpenTransaction>>;
  readonly lastTransaction: number;
  /** The latest such of its connections. */
  readonly heardUntil?: string;
  /** Ended as lost when the next began on their connector; the latest. */
  readonly abandoned?: readonly string[];
  /** When its socket was lost last, and when it had one again. */
  readonly away?: Away;
  /** As its newest start showed it. */
  readonly clock?: ClockBehind | undefined;
  /** What identifies the latest StartTransactions, with the id that each was given. */
  readonly starts: readonly { readonly keys: readonly string[]; readonly transactionId: number; readonly status: string; readonly group?: string }[];
  /** Message id and digest of the latest frames without an identity of their own. */
  readonly frames: readonly string[];
  readonly ordered: readonly (OrderedStart & { readonly at: string })[];
  /** The latest orders that the station did not refuse, also those that began. */
  readonly commanded: readonly (OrderedStart & { readonly at: string })[];
}

export type Refusal = 'socket-replaced' | 'owner-replaced' | 'station-connected' | 'unknown-transaction';

export type StationCommand =
  | ({ readonly type: 'Connect' } & Connection)
  | ({ readonly type: 'Disconnect' } & Disconnection)
  | { readonly type: 'OrderStart'; readonly order: OrderedStart; readonly at: string }
  /** The station said no to it, or it was not sent; `epoch`: on which socket. */
  | { readonly type: 'DropOrder'; readonly epoch: number; readonly orderId: string; readonly at: string }
  | { readonly type: 'ObeyOwner'; readonly ownerEpoch: number; readonly at: string }
  /** By our operator; of a station that is connected only where that does not know it. */
  | { readonly type: 'CloseTransaction'; readonly transactionId: string; readonly because: string; readonly isUnknownThere: boolean }
  | FrameCommand;

export interface Connection {
  readonly at: string;
  readonly version: string;
  readonly connection: string;
  /** Of the connection that it replaced. */
  readonly heardUntil?: string;
}

export interface Disconnection {
  readonly epoch: number;
  readonly at: string;
  readonly reason: string;
  /** When it was last heard, where by then it had been able to tell us everything for long enough. */
  readonly heardUntil?: string;
}

/** What a station said; `epoch` is of the socket that heard it, `frame` its message id and digest. */
export type FrameCommand = { readonly epoch: number; readonly frame: string; readonly heardAt: string } & (
  | { readonly type: 'Boot'; readonly boot: Boot }
  | { readonly type: 'NotifyStatus'; readonly status: ConnectorStatus }
  | { readonly type: 'StartTransaction'; readonly start: Start }
  | {
      readonly type: 'ReadMeter'; readonly connectorId: number; readonly transactionId?: string | undefined;
      readonly readings: readonly MeterReading[]; readonly signed?: readonly SignedMeterReading[];
    }
  | { readonly type: 'StopTransaction'; readonly stop: Stop }
);

export interface Boot {
  readonly at: string;
  readonly vendor: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
}

export interface ConnectorStatus {
  readonly connectorId: number;
  readonly status: string;
  readonly errorCode: string;
  readonly info: string;
  readonly at: string;
}

export interface Start {
  /** Drawn before deciding; unused when the frame is a repeat. */
  readonly transactionId: number;
  readonly connectorId: number;
  readonly idTag: string;
  readonly meterStartWh: string;
  /** The station said no register: 0 stands for it. */
  readonly isMeterStartMissing?: true;
  /** In the station's own words: the same in every repeat, also where we do not believe its clock. */
  readonly saidAt: string;
  readonly startedAt: string;
  readonly authorization: Authorization;
  /** The reservation that the station used for it. S16-45 */
  readonly reservationId?: number;
  /** Of a card that an order names: it was held to a reader since. */
  readonly isCardShown?: true;
}

export interface Stop {
  readonly transactionId: string;
  /** Where the station says none, its newest reading stands for it. */
  readonly meterStopWh?: string;
  readonly stoppedAt: string;
  /** In the station's own words, where its clock is not believed. */
  readonly saidAt?: string;
  readonly reason: string;
  readonly idTag?: string | undefined;
  readonly readings: readonly MeterReading[];
  readonly signed?: readonly SignedMeterReading[];
}

export type StationEvent =
  | ({ readonly type: 'Connected'; readonly epoch: number } & Connection)
  | ({ readonly type: 'Disconnected' } & Disconnection)
  | { readonly type: 'StartOrdered'; readonly order: OrderedStart; readonly at: string }
  | { readonly type: 'OrderDropped'; readonly orderId: string; readonly at: string }
  | { readonly type: 'OwnerObeyed'; readonly ownerEpoch: number; readonly at: string }
  | ({ readonly type: 'Booted'; readonly frame: string } & Boot)
  | ({ readonly type: 'StatusNotified'; readonly frame: string } & ConnectorStatus)
  | ({ readonly type: 'TransactionStarted' } & Start)
  | {
      readonly type: 'MeterRead'; readonly frame: string; readonly connectorId: number;
      readonly transactionId?: string | undefined; readonly readings: readonly MeterReading[];
      readonly signed?: readonly SignedMeterReading[];
      /** The frame did not name the transaction. */
      readonly isFound?: boolean;
    }
  /** `frame`: of a stop that did not name the transaction. */
  | ({ readonly type: 'TransactionStopped' } & Stopped & { readonly frame?: string; readonly isAbandoned?: true })
  /** Of a transaction that had been taken for lost: it counts no more. */
  | ({ readonly type: 'LostStopCame' } & Pick<Stop, 'transactionId' | 'meterStopWh' | 'stoppedAt' | 'reason'>);

export type Stopped = Stop & {
  readonly connectorId: number;
  readonly meterStopWh: string;
  /** It is the newest reading: the station said none for the stop, or the stop was lost. */
  readonly isLastKnown?: true;
  /** When the station's socket was lost, where it said that stop no sooner than it was back. */
  readonly lostAt?: string;
  /** And before that, where it was back for minutes only. */
  readonly alsoLostAt?: readonly string[];
  /** Our operator's words, who ended it. */
  readonly closedBecause?: string;
};
