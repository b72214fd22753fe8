import { type Decider, Rejected } from '#decider';
import { decimal } from '#money';
import { ERASED } from '#ocpi';
import { instant } from '#time';
import { byOurClock, clockBehind } from './clocks.ts';
import { byCommand, coveredStart, groupOf, orderedStart } from './commanded.ts';
import type {
  FrameCommand, MeterReading, OpenTransaction, Refusal, Start, Station, StationCommand, StationEvent, Stop, Stopped,
} from './station-events.ts';

/**
 * One charging station as a stream of events: what it said that counts, and who holds its socket.
 * The state stays small: connectors, open transactions, and enough of the past to know a repeat.
 */

const FRAMES_KEPT = 64;
const STARTS_KEPT = 16;
const ORDERS_KEPT = 16;

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
        return decideFrame(byOurClock(command, station), station);
    }
  },

  evolve(station, event) {
    switch (event.type) {
      case 'Connected':
        return { ...station, epoch: event.epoch, connected: true, ...heardUntilOf(event) };
      case 'Disconnected':
        return { ...station, connected: false, ...heardUntilOf(event) };
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
          clock: clockBehind(event),
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

function heardUntilOf({ heardUntil }: Pick<Station, 'heardUntil'>): Pick<Station, 'heardUntil'> {
  return heardUntil === undefined ? {} : { heardUntil };
}

function decideFrame(command: FrameCommand, station: Station): readonly StationEvent[] {
  const { frame } = command;
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
      return transaction ? [{ type: 'TransactionStopped', ...stoppedOf(stop, transaction) }] : [];
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
    instant(startedAt) <= instant(stop.stoppedAt) &&
    (stop.meterStopWh === undefined || decimal(meterWh).compare(decimal(stop.meterStopWh)) <= 0));
  if (!found || others.length > 0) return [];
  const [transactionId, transaction] = found;
  return [{ type: 'TransactionStopped', ...stoppedOf({ ...stop, transactionId }, transaction), frame }];
}

function stoppedOf(stop: Stop, { connectorId, ...known }: OpenTransaction): Stopped {
  const { meterStopWh } = stop;
  if (meterStopWh !== undefined) return { ...stop, meterStopWh, connectorId };
  const { meterWh } = withNewest(known, stop.readings);
  return { ...stop, meterStopWh: meterWh, connectorId, isLastKnown: true };
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
      type: 'TransactionStopped', transactionId, connectorId, meterStopWh: meterWh, isLastKnown: true,
      stoppedAt: meterAt, reason: 'Other', readings: [],
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
  const known = isFound ? {} : { isNamed: true };
  const read = { ...transaction, ...withNewest(transaction, readings), ...known };
  return { ...station, open: { ...station.open, [transactionId!]: read } };
}

function withNewest(
  { meterWh, meterAt }: Pick<OpenTransaction, 'meterWh' | 'meterAt'>, readings: readonly MeterReading[],
): Pick<OpenTransaction, 'meterWh' | 'meterAt'> {
  const newest = readings.findLast(({ energyWh }) => energyWh !== undefined);
  const isNewer = newest?.energyWh !== undefined && instant(newest.at) >= instant(meterAt);
  return isNewer ? { meterWh: newest.energyWh!, meterAt: newest.at } : { meterWh, meterAt };
}
