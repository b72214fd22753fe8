import { type Decider, Rejected } from '#decider';
import { decimal } from '#money';
import { ERASED } from '#ocpi';
import { byCommand, coveredStart, groupOf, orderedStart } from './commanded.ts';
import { instant } from '#time';

/**
 * One charging station as a stream of events: what it said that counts, and who holds its socket.
 * The state stays small: connectors, open transactions, and enough of the past to know a repeat.
 */

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

/** A start that was ordered from afar and has not begun yet. */
export interface OrderedStart {
  readonly orderId: string;
  readonly connectorId: number;
  readonly idTag: string;
  readonly token: string;
  readonly reference?: string | undefined;
}

interface OpenTransaction {
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
  /** What identifies the latest StartTransactions, with the id that each was given. */
  readonly starts: readonly { readonly key: string; readonly transactionId: number; readonly status: string; readonly group?: string }[];
  /** Message id and digest of the latest frames without an identity of their own. */
  readonly frames: readonly string[];
  readonly ordered: readonly (OrderedStart & { readonly at: string })[];
  /** The latest orders that the station did not refuse, also those that began. */
  readonly commanded: readonly (OrderedStart & { readonly at: string })[];
}

const FRAMES_KEPT = 64;
const STARTS_KEPT = 16;
const ORDERS_KEPT = 16;

export type Refusal = 'socket-replaced' | 'owner-replaced';

export type StationCommand =
  | { readonly type: 'Connect'; readonly at: string; readonly version: string; readonly connection: string }
  | { readonly type: 'Disconnect'; readonly epoch: number; readonly at: string; readonly reason: string }
  | { readonly type: 'OrderStart'; readonly order: OrderedStart; readonly at: string }
  /** The station said no to it. */
  | { readonly type: 'DropOrder'; readonly orderId: string; readonly at: string }
  | { readonly type: 'ObeyOwner'; readonly ownerEpoch: number; readonly at: string }
  | FrameCommand;

/** What a station said; `epoch` is of the socket that heard it, `frame` its message id and digest. */
export type FrameCommand = { readonly epoch: number; readonly frame: string } & (
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
  /** In the station's own words: the same in every repeat, also where we do not believe its clock. */
  readonly saidAt: string;
  readonly startedAt: string;
  readonly authorization: Authorization;
  /** The reservation that the station used for it. S16-45 */
  readonly reservationId?: number;
}

export interface Stop {
  readonly transactionId: string;
  readonly meterStopWh: string;
  readonly stoppedAt: string;
  /** In the station's own words, where its clock is not believed. */
  readonly saidAt?: string;
  readonly reason: string;
  readonly idTag?: string | undefined;
  readonly readings: readonly MeterReading[];
  readonly signed?: readonly SignedMeterReading[];
}

export type StationEvent =
  | { readonly type: 'Connected'; readonly epoch: number; readonly at: string; readonly version: string; readonly connection: string }
  | { readonly type: 'Disconnected'; readonly epoch: number; readonly at: string; readonly reason: string }
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
  | ({ readonly type: 'TransactionStopped'; readonly connectorId: number; readonly frame?: string } & Stop);

export const stationDecider: Decider<Station, StationCommand, StationEvent> = {
  initial: { epoch: 0, connected: false, ownerEpoch: 0, open: {}, lastTransaction: 0, starts: [], frames: [], ordered: [], commanded: [] },

  decide(command, station) {
    switch (command.type) {
      case 'Connect':
        return [{ ...command, type: 'Connected', epoch: station.epoch + 1 }];
      case 'Disconnect':
        return station.connected && command.epoch === station.epoch ? [{ ...command, type: 'Disconnected' }] : [];
      case 'OrderStart':
        return station.ordered.some(({ orderId }) => orderId === command.order.orderId)
          ? []
          : [{ ...command, type: 'StartOrdered' }];
      case 'DropOrder':
        return station.ordered.some(({ orderId }) => orderId === command.orderId) ? [{ ...command, type: 'OrderDropped' }] : [];
      case 'ObeyOwner':
        if (command.ownerEpoch < station.ownerEpoch) {
          throw new Rejected<Refusal>('owner-replaced', `epoch ${command.ownerEpoch} is older than ${station.ownerEpoch}`);
        }
        return command.ownerEpoch === station.ownerEpoch ? [] : [{ ...command, type: 'OwnerObeyed' }];
      default:
        if (command.epoch !== station.epoch) {
          throw new Rejected<Refusal>('socket-replaced', `epoch ${command.epoch}, the newest is ${station.epoch}`);
        }
        return decideFrame(command, station);
    }
  },

  evolve(station, event) {
    switch (event.type) {
      case 'Connected':
        return { ...station, epoch: event.epoch, connected: true };
      case 'Disconnected':
        return { ...station, connected: false };
      case 'StartOrdered': {
        const order = { ...event.order, at: event.at };
        return {
          ...station,
          ordered: [...station.ordered, order].slice(-ORDERS_KEPT),
          commanded: [...station.commanded, order].slice(-ORDERS_KEPT),
        };
      }
      case 'OrderDropped':
        return {
          ...station, ordered: without(station.ordered, event.orderId), commanded: without(station.commanded, event.orderId),
        };
      case 'OwnerObeyed':
        return { ...station, ownerEpoch: event.ownerEpoch };
      case 'Booted':
      case 'StatusNotified':
        return remembering(station, onSocket(station, event.frame));
      case 'TransactionStarted':
        return {
          ...station,
          lastTransaction: Math.max(station.lastTransaction, event.transactionId),
          open: {
            ...station.open,
            [event.transactionId]: {
              connectorId: event.connectorId,
              idTag: event.idTag,
              startedAt: event.startedAt,
              meterWh: event.meterStartWh,
              meterAt: event.startedAt,
            },
          },
          starts: [
            ...station.starts,
            {
              key: startKey(event),
              transactionId: event.transactionId,
              status: event.authorization.status,
              ...groupOf(event.authorization),
            },
          ].slice(-STARTS_KEPT),
          ordered: without(station.ordered, event.authorization.orderId),
        };
      case 'MeterRead':
        return withMeter(remembering(station, event.frame), event);
      case 'TransactionStopped': {
        const { [event.transactionId]: _stopped, ...open } = station.open;
        return { ...(event.frame === undefined ? station : remembering(station, event.frame)), open };
      }
    }
  },
};

function decideFrame(command: FrameCommand, station: Station): readonly StationEvent[] {
  const { epoch: _epoch, frame } = command;
  switch (command.type) {
    case 'Boot':
      return station.frames.includes(onSocket(station, frame)) ? [] : [{ ...command.boot, type: 'Booted', frame }];
    case 'NotifyStatus':
      return station.frames.includes(onSocket(station, frame)) ? [] : [{ ...command.status, type: 'StatusNotified', frame }];
    case 'StartTransaction':
      return startTransaction(command.start, station);
    case 'ReadMeter': {
      const { connectorId, readings, signed = [] } = command;
      if (station.frames.includes(frame) || readings.length + signed.length === 0) return [];
      // Readings of a transaction that is not open (lost, closed) count as the connector's own. S16-49
      const transactionId = transactionOf(command, station);
      return [{
        type: 'MeterRead', frame, connectorId, readings,
        ...(signed.length > 0 ? { signed } : {}),
        ...(transactionId === undefined ? {} : { transactionId }),
        ...(transactionId === undefined || transactionId === command.transactionId ? {} : { isFound: true }),
      }];
    }
    case 'StopTransaction': {
      const { stop } = command;
      if (stop.transactionId === NEVER_HEARD) return stopUnnamed(stop, frame, station);
      const transaction = station.open[stop.transactionId];
      // Closed before, or never known: the first stop wins. S16-49, S16-50
      return transaction ? [{ ...stop, type: 'TransactionStopped', connectorId: transaction.connectorId }] : [];
    }
  }
}

/** What a station says that never heard a transaction's number. S16-43 */
const NEVER_HEARD = '-1';

/** By its time and register, and by its card where it says one; what is not known for sure goes on. */
function stopUnnamed(stop: Stop, frame: string, { open, frames }: Station): readonly StationEvent[] {
  if (frames.includes(frame)) return [];
  const [found, ...others] = Object.entries(open).filter(([, { isNamed, idTag, startedAt, meterWh }]) =>
    !isNamed && (stop.idTag === undefined || idTag.toLowerCase() === stop.idTag.toLowerCase()) &&
    instant(startedAt) <= instant(stop.stoppedAt) && decimal(meterWh).compare(decimal(stop.meterStopWh)) <= 0);
  if (!found || others.length > 0) return [];
  const [transactionId, { connectorId }] = found;
  return [{ ...stop, type: 'TransactionStopped', transactionId, connectorId, frame }];
}

/**
 * S16-29: readings that name no transaction are of the one that was open on their connector then; S16-43: a
 * station that never heard its number says -1. The main meter's are of none.
 */
function transactionOf(
  { connectorId, transactionId, readings, signed = [] }: Extract<FrameCommand, { type: 'ReadMeter' }>,
  { open }: Station,
): string | undefined {
  if (transactionId !== undefined && transactionId !== NEVER_HEARD) return transactionId in open ? transactionId : undefined;
  return Object.keys(open).find((id) => {
    const began = open[id]!;
    const isSince = ({ at }: { readonly at: string }) => instant(at) >= instant(began.startedAt);
    return connectorId > 0 && began.connectorId === connectorId && [...readings, ...signed].every(isSince);
  });
}

/** S16-44: the same start again is the same transaction; one on a connector in use means that a stop was lost. */
function startTransaction(start: Start, station: Station): readonly StationEvent[] {
  if (repeatedStart(station, start)) return [];
  const abandoned = Object.entries(station.open)
    .filter(([, { connectorId }]) => connectorId === start.connectorId)
    .map(([transactionId, { connectorId, meterWh, meterAt }]): StationEvent => ({
      type: 'TransactionStopped', transactionId, connectorId, meterStopWh: meterWh, stoppedAt: meterAt,
      reason: 'Other', readings: [],
    }));
  const order = orderedStart(station, start);
  const authorization = order
    ? { ...byCommand(order), orderId: order.orderId }
    : (coveredStart(station, start) ?? start.authorization);
  return [...abandoned, { ...start, type: 'TransactionStarted', authorization }];
}

type StartIdentity = Pick<Start, 'connectorId' | 'idTag' | 'saidAt' | 'meterStartWh'>;

/** What a repeat of a StartTransaction was answered with; also where whose card it was is erased since. */
export function repeatedStart(station: Station, start: StartIdentity) {
  const keys = [startKey(start), startKey({ ...start, idTag: ERASED })];
  return station.starts.find(({ key }) => keys.includes(key));
}

function without(orders: Station['ordered'], orderId: string | undefined): Station['ordered'] {
  return orders.filter((order) => order.orderId !== orderId);
}

function startKey({ connectorId, idTag, saidAt, meterStartWh }: StartIdentity): string {
  return [connectorId, idTag.toLowerCase(), saidAt, meterStartWh].join(' ');
}

/**
 * Message ids are unique on one socket only (OCPP-J 4.1.4): who counts them from 1 on the next may
 * well say the same under the same id, and mean it. A meter's readings have their own instant.
 */
function onSocket({ epoch }: Station, frame: string): string {
  return `${epoch} ${frame}`;
}

function remembering(station: Station, frame: string): Station {
  return { ...station, frames: [...station.frames, frame].slice(-FRAMES_KEPT) };
}

function withMeter(
  station: Station, { transactionId, readings, isFound = false }: Extract<StationEvent, { type: 'MeterRead' }>,
): Station {
  const transaction = transactionId === undefined ? undefined : station.open[transactionId];
  if (!transaction) return station;
  const newest = readings.findLast(({ energyWh }) => energyWh !== undefined);
  const isNewer = newest !== undefined && instant(newest.at) >= instant(transaction.meterAt);
  const read = isNewer && newest.energyWh ? { meterWh: newest.energyWh, meterAt: newest.at } : {};
  const known = isFound ? {} : { isNamed: true };
  return { ...station, open: { ...station.open, [transactionId!]: { ...transaction, ...read, ...known } } };
}
