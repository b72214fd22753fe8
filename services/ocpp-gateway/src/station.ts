import { type Decider, Rejected } from '#decider';
import { decimal } from '#money';
import { ERASED } from '#ocpi';
import { instant } from '#time';
import { byOurClock, clockBehind, lossesBefore, lostAgain } from './clocks.ts';
import { byCommand, coveredStart, groupOf, orderedStart, ordersWith, stillOrdered } from './commanded.ts';
import type {
  FrameCommand, MeterReading, OpenTransaction, Refusal, Start, Station, StationCommand, StationEvent, Stop, Stopped,
} from './station-events.ts';

/**
 * One charging station as a stream of events: what it said that counts, and who holds its socket.
 * The state stays small: connectors, open transactions, and enough of the past to know a repeat.
 */

const FRAMES_KEPT = 64;
const STARTS_KEPT = 16;
const ABANDONED_KEPT = 64;

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
      case 'DropOrder': {
        const { epoch, orderId, at } = command;
        // Who holds a socket that was replaced knows nothing of what was said on the newer one.
        const isDropped = epoch === station.epoch && station.ordered.some((order) => order.orderId === orderId);
        return isDropped ? [{ type: 'OrderDropped', orderId, at }] : [];
      }
      case 'ObeyOwner':
        if (command.ownerEpoch < station.ownerEpoch) {
          throw new Rejected<Refusal>('owner-replaced', `epoch ${command.ownerEpoch} is older than ${station.ownerEpoch}`);
        }
        return command.ownerEpoch === station.ownerEpoch ? [] : [{ ...command, type: 'OwnerObeyed' }];
      case 'CloseTransaction':
        return closeTransaction(command, station);
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
        return { ...station, epoch: event.epoch, connected: true, ...heardUntilOf(event), ...backAgain(station, event) };
      case 'Disconnected':
        return { ...station, connected: false, ...heardUntilOf(event), away: lostAgain(station.away, event.at) };
      case 'StartOrdered': {
        const order = { ...event.order, at: event.at };
        return {
          ...station,
          ordered: ordersWith(station.ordered, order),
          commanded: ordersWith(station.commanded, order),
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
            ...station.starts.filter(({ transactionId }, n, { length }) => n > length - STARTS_KEPT || station.open[transactionId]),
            {
              keys: startKeys(event),
              transactionId: event.transactionId,
              status: event.authorization.status,
              ...groupOf(event.authorization),
            },
          ],
          ordered: stillOrdered(station.ordered, event),
        };
      case 'MeterRead':
        return withMeter(remembering(station, event.frame), event);
      case 'TransactionStopped': {
        const { [event.transactionId]: _stopped, ...open } = station.open;
        const { abandoned = [] } = station;
        return {
          ...(event.frame === undefined ? station : remembering(remembering(station, event.frame), unnamedStop(event))), open,
          ...(event.isAbandoned ? { abandoned: [...abandoned, event.transactionId].slice(-ABANDONED_KEPT) } : {}),
        };
      }
      case 'LostStopCame':
        return { ...station, abandoned: station.abandoned!.filter((id) => id !== event.transactionId) };
    }
  },
};

function heardUntilOf({ heardUntil }: Pick<Station, 'heardUntil'>): Pick<Station, 'heardUntil'> {
  return heardUntil === undefined ? {} : { heardUntil };
}

function backAgain({ away }: Station, { at: until }: { readonly at: string }): Pick<Station, 'away'> {
  return away && away.until === undefined ? { away: { ...away, until } } : {};
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
      if (station.abandoned?.includes(stop.transactionId)) return [lostStop(stop)];
      // Closed before, or never known: the first stop wins. S16-49, S16-50
      return transaction ? [{ type: 'TransactionStopped', ...stoppedOf(stop, transaction, station) }] : [];
    }
  }
}

/** What a station says that never heard a transaction's number. S16-43 */
const NEVER_HEARD = '-1';

/** By its time and register, and by its card where it says one; what is not known for sure goes on. */
function stopUnnamed(stop: Stop, frame: string, station: Station): readonly StationEvent[] {
  const { open, frames } = station;
  if (frames.includes(frame) || frames.includes(unnamedStop(stop))) return [];
  const [found, ...others] = Object.entries(open).filter(([, { isNamed, idTag, startedAt, meterWh }]) =>
    !isNamed && (stop.idTag === undefined || idTag.toLowerCase() === stop.idTag.toLowerCase()) &&
    instant(startedAt) <= instant(stop.stoppedAt) &&
    (stop.meterStopWh === undefined || decimal(meterWh).compare(decimal(stop.meterStopWh)) <= 0));
  if (!found || others.length > 0) return [];
  const [transactionId, transaction] = found;
  return [{ type: 'TransactionStopped', ...stoppedOf({ ...stop, transactionId }, transaction, station), frame }];
}

/** What it says, under whatever message id. */
function unnamedStop({ saidAt, stoppedAt, idTag = '', meterStopWh = '', isLastKnown }: Stop & Pick<Partial<Stopped>, 'isLastKnown'>): string {
  return ['stop', saidAt ?? stoppedAt, idTag.toLowerCase(), isLastKnown ? '' : meterStopWh].join(' ');
}

function lostStop({ transactionId, meterStopWh, stoppedAt, reason }: Stop): StationEvent {
  return { type: 'LostStopCame', transactionId, stoppedAt, reason, ...(meterStopWh === undefined ? {} : { meterStopWh }) };
}

function stoppedOf(stop: Stop, { connectorId, ...known }: OpenTransaction, { away }: Pick<Station, 'away'>): Stopped {
  const { meterStopWh } = stop;
  const said = { ...stop, connectorId, ...lossesBefore(stop, known, away) };
  if (meterStopWh !== undefined) return { ...said, meterStopWh };
  const { meterWh } = withNewest(known, stop.readings);
  return { ...said, meterStopWh: meterWh, isLastKnown: true };
}

/**
 * S16-29: readings that name no transaction are of the one that was open on their connector then; S16-43: a
 * station that never heard its number says -1. The main meter's are of none. Those that name the transaction of another
 * connector are of the one on their own: a register belongs to its connector.
 */
function transactionOf(
  { connectorId, transactionId, readings, signed = [] }: Extract<FrameCommand, { type: 'ReadMeter' }>,
  { open }: Station,
): string | undefined {
  if (connectorId === 0) return undefined;
  const isNamed = transactionId !== undefined && transactionId !== NEVER_HEARD;
  const named = isNamed ? open[transactionId] : undefined;
  if (isNamed && (!named || named.connectorId === connectorId)) return named && transactionId;
  const found = Object.keys(open).find((id) => {
    const began = open[id]!;
    const isSince = ({ at }: { readonly at: string }) => instant(at) >= instant(began.startedAt);
    return began.connectorId === connectorId && [...readings, ...signed].every(isSince);
  });
  return found ?? (isNamed ? transactionId : undefined);
}

/**
 * S16-44: the same start again is the same transaction; one on a connector in use means that a stop was lost. But one that
 * began before what runs there was kept, and is told after it.
 */
function startTransaction(start: Start, station: Station): readonly StationEvent[] {
  if (repeatedStart(station, start)) return [];
  const abandoned = Object.entries(station.open)
    .filter(([, { connectorId, startedAt }]) =>
      connectorId === start.connectorId && instant(startedAt) <= instant(start.startedAt))
    .map(([transactionId, transaction]) => abandonedAt(transactionId, transaction));
  const order = orderedStart(station, start);
  const authorization = order
    ? { ...byCommand(order), orderId: order.orderId }
    : (coveredStart(station, start) ?? start.authorization);
  return [...abandoned, { ...start, type: 'TransactionStarted', authorization }];
}

function abandonedAt(transactionId: string, { connectorId, meterWh, meterAt }: OpenTransaction): Extract<StationEvent, { type: 'TransactionStopped' }> {
  return {
    type: 'TransactionStopped', transactionId, connectorId, meterStopWh: meterWh, isLastKnown: true,
    stoppedAt: meterAt, reason: 'Other', readings: [], isAbandoned: true,
  };
}

const CONNECTED =
  'the charging station is connected, and ends its charges itself; one that it has lost can be closed once it says that its connector is free';

/** S16-57: should the station tell of the stop after all, that is as of a lost one. */
function closeTransaction(
  { transactionId, because, isUnknownThere }: Extract<StationCommand, { type: 'CloseTransaction' }>, { open, abandoned, connected }: Station,
): readonly StationEvent[] {
  const transaction = open[transactionId];
  if (!transaction) {
    if (abandoned?.includes(transactionId)) return [];
    throw new Rejected<Refusal>('unknown-transaction', `transaction ${transactionId} does not run`);
  }
  if (connected && !isUnknownThere) throw new Rejected<Refusal>('station-connected', CONNECTED);
  return [{ ...abandonedAt(transactionId, transaction), closedBecause: because }];
}

type StartIdentity = Pick<Start, 'connectorId' | 'idTag' | 'saidAt' | 'startedAt' | 'meterStartWh'>;

/** What a repeat of a StartTransaction was answered with; also where whose card it was is erased since. */
export function repeatedStart({ starts }: Station, start: StartIdentity) {
  const wanted = [...startKeys(start), ...startKeys({ ...start, idTag: ERASED })];
  return starts.find(({ keys }) => keys.some((key) => wanted.includes(key)));
}

function without(orders: Station['ordered'], orderId: string | undefined): Station['ordered'] {
  return orders.filter((order) => order.orderId !== orderId);
}

/**
 * As it was said; and by its card and instant alone, for some stations read the meter anew, or write the time otherwise, each
 * time that they say it. Nobody begins two charges at once.
 */
function startKeys({ connectorId, idTag, saidAt, startedAt, meterStartWh }: StartIdentity): string[] {
  const card = `${connectorId} ${idTag.toLowerCase()}`;
  return [`${card} ${saidAt} ${meterStartWh}`, `${card} ${instant(startedAt)}`];
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
