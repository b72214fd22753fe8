import { randomUUID } from 'node:crypto';
import { CallRefused, type CallOutcome, type MeterValue16, type OcppConnection, parseInstant, type ReceivedCall } from '#ocpp';
import { Rejected } from '#decider';
import type { Executor } from '#event-store';
import { currentTraceparent, inSpan, type Log, type Tracer } from '#telemetry';
import { type Clock, instant, rfc3339 } from '#time';
import { caughtUpMs, startedAt as startedAtOf } from './clocks.ts';
import { commandedCard, coveredStart, endsCharge, groupOf, isBeforeOrder, isCard, orderedStart } from './commanded.ts';
import { frameName, instantOf, isDoubted, meterReadings, signedMeterReadings } from './frames.ts';
import { chargingProfile, type Limit } from './limits.ts';
import { type ReservationOrder } from './orders.ts';
import { repeatedStart } from './station.ts';
import type {
  CardAnswer, FrameCommand, OrderedStart, SignedMeterReading, Station, StationCommand, StationEvent, Stop,
} from './station-events.ts';

export interface StationParts {
  readonly journal: Executor<Station, StationCommand, StationEvent>;
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly heartbeatS: number;
  nextTransactionId(): Promise<number>;
  /** Whether a card may charge at the station, by what is known here or by asking. */
  authorize(stationId: string, connectorId: number | undefined, idTag: string): Promise<CardAnswer>;
}

export interface Answer {
  readonly outcome: 'accepted' | 'rejected' | 'not-supported' | 'unknown' | 'stale' | 'occupied' | 'inoperative';
  readonly detail: string;
}

/** One station on its open socket: every frame that counts is in the journal before it is answered. */
export class ConnectedStation {
  private readonly epoch: Promise<number>;
  /** Since then all that the station tells is taken at once; Infinity: what it told last was not. */
  private inTouchSinceMs: number;
  /** When it said something last, a heartbeat at least. */
  private heardMs: number;
  /** By so much the starts that it tells came late, by its clock. */
  private lateMs = 0;
  /** When cards were held to its reader, the newest last. */
  private readonly shownMs = new Map<string, number>();

  constructor(
    readonly id: string,
    private readonly connection: () => OcppConnection,
    private readonly parts: StationParts,
    /** Names this socket for ever: connecting is a command like any other. */
    { name, version, heardUntil }: { readonly name: string; readonly version: string; readonly heardUntil?: string | undefined },
  ) {
    this.inTouchSinceMs = this.heardMs = parts.clock.now();
    const connect = { at: rfc3339(this.heardMs), version, connection: name, ...(heardUntil === undefined ? {} : { heardUntil }) };
    this.epoch = parts.journal
      .execute(id, `connect ${name}`, { type: 'Connect', ...connect })
      .then(({ state }) => state.epoch);
    this.epoch.catch((error: Error) => {
      parts.log.error('a station could not be connected', { station: id, error });
      connection().close(1011, 'try again');
    });
  }

  /** The connection's epoch, once the journal has it. */
  connected(): Promise<number> {
    return this.epoch;
  }

  async disconnected(reason: string): Promise<void> {
    const epoch = await this.epoch;
    const at = rfc3339(this.parts.clock.now());
    const heardUntil = this.heardUntil();
    await this.parts.journal.execute(this.id, `disconnect ${epoch}`, {
      type: 'Disconnect', epoch, at, reason, ...(heardUntil === undefined ? {} : { heardUntil }),
    });
  }

  /** When it was last heard, where by then it had been able to tell everything for long enough. */
  heardUntil(): string | undefined {
    return this.heardMs - this.inTouchSinceMs > caughtUpMs(this.parts.clock) ? rfc3339(this.heardMs) : undefined;
  }

  /** What the station said: into the journal, then answered. */
  async handle(call: ReceivedCall): Promise<object> {
    const nowMs = this.parts.clock.now();
    // Who was silent for that long was cut off, or we were.
    if (nowMs - this.heardMs > caughtUpMs(this.parts.clock)) this.inTouchSinceMs = Math.max(this.inTouchSinceMs, nowMs);
    this.heardMs = nowMs;
    try {
      return await inSpan(this.parts.tracer, `ocpp ${call.action}`, { 'ocpp.station': this.id }, () => this.answer(call));
    } catch (error) {
      if (!(error instanceof CallRefused)) this.inTouchSinceMs = Infinity;
      throw error;
    }
  }

  private async answer(call: ReceivedCall): Promise<object> {
    const nowMs = this.parts.clock.now();
    const now = rfc3339(nowMs);
    switch (call.action) {
      case 'BootNotification': {
        const { chargePointVendor: vendor, chargePointModel: model, chargePointSerialNumber, firmwareVersion } = call.payload;
        const boot = { at: now, vendor, model, serial: chargePointSerialNumber ?? '', firmware: firmwareVersion ?? '' };
        await this.record(call, { type: 'Boot', boot });
        return { status: 'Accepted', currentTime: now, interval: this.parts.heartbeatS };
      }
      case 'Heartbeat':
        return { currentTime: now };
      case 'StatusNotification': {
        const { connectorId, status, errorCode, info, timestamp } = call.payload;
        const report = { connectorId, status, errorCode, info: info ?? '', at: instantOf(timestamp, nowMs) };
        await this.record(call, { type: 'NotifyStatus', status: report });
        return {};
      }
      case 'Authorize': {
        const { state } = await this.parts.journal.load(this.id);
        const { idTag } = call.payload;
        this.noteShown(idTag, nowMs);
        const order = orderedStart(state, { idTag, startedAt: now }) ?? commandedCard(state, { idTag, startedAt: now });
        const own = order ? undefined : endsCharge(state, { idTag });
        if (own) return { idTagInfo: idTagInfo({ status: 'Accepted', ...own }) };
        const { status, token } = order ? { ...order, status: 'Accepted' } : await this.parts.authorize(this.id, undefined, idTag);
        const ends = status === 'Accepted' ? undefined : endsCharge(state, { idTag, ...groupOf({ status: 'Accepted', token }) });
        return { idTagInfo: idTagInfo(ends ? { status: 'Accepted', ...ends } : { status, ...groupOf({ status, token }) }) };
      }
      case 'StartTransaction':
        return this.startTransaction(call);
      case 'MeterValues': {
        const { connectorId, transactionId, meterValue } = call.payload;
        const readings = meterReadings(meterValue, nowMs);
        await this.record(call, {
          type: 'ReadMeter', connectorId, readings, ...this.signed(meterValue, nowMs),
          ...(transactionId === undefined ? {} : { transactionId: String(transactionId) }),
        });
        return {};
      }
      case 'StopTransaction': {
        const { transactionId, meterStop, timestamp, reason, idTag, transactionData } = call.payload;
        const stoppedAt = instantOf(timestamp, nowMs);
        const stop = {
          transactionId: String(transactionId), stoppedAt,
          ...(meterStop === undefined ? {} : { meterStopWh: String(meterStop) }),
          ...(isDoubted(timestamp, stoppedAt) ? { saidAt: timestamp } : {}),
          reason: reason ?? 'Local', readings: meterReadings(transactionData, nowMs),
          ...this.signed(transactionData, nowMs), ...(idTag === undefined ? {} : { idTag }),
        };
        const { state } = await this.parts.journal.load(this.id);
        await this.record(call, { type: 'StopTransaction', stop });
        if (state.abandoned?.includes(stop.transactionId)) this.warnOfLostStop(stop);
        return idTag === undefined ? {} : { idTagInfo: { status: 'Accepted' } };
      }
      case 'DataTransfer':
        return { status: 'UnknownVendorId' };
      default:
        throw new CallRefused('not-supported', `${call.action} is not handled here`);
    }
  }

  private warnOfLostStop({ transactionId, meterStopWh, stoppedAt }: Stop): void {
    this.parts.log.error('the stop came of a charge that was billed to its last reading, for it was taken for lost: its CDR may have to be corrected', {
      station: this.id, transaction: transactionId, meterStopWh, stoppedAt,
    });
  }

  private signed(values: readonly MeterValue16[] | undefined, nowMs: number): { signed?: readonly SignedMeterReading[] } {
    const { signed, leftOut } = signedMeterReadings(values, nowMs);
    if (leftOut > 0) this.parts.log.warn('signed meter values are too long to be kept', { station: this.id, count: leftOut });
    return signed.length > 0 ? { signed } : {};
  }

  private async startTransaction(call: ReceivedCall & { action: 'StartTransaction' }): Promise<object> {
    const { connectorId, idTag, meterStart, timestamp, reservationId } = call.payload;
    const heardMs = this.parts.clock.now();
    const { state } = await this.parts.journal.load(this.id);
    const at = instantOf(timestamp, heardMs);
    this.noteLate(heardMs, heardMs - instant(at));
    const believed = startedAtOf(at, {
      heardMs, inTouchSinceMs: this.inTouchSinceMs, heardUntil: state.heardUntil, caughtUpMs: caughtUpMs(this.parts.clock),
    });
    const order = orderedStart(state, { connectorId, idTag, startedAt: believed });
    const startedAt = order && isBeforeOrder(order, believed) ? rfc3339(heardMs) : believed;
    // What is no time cannot tell a repeat from the card's next charge.
    const saidAt = parseInstant(timestamp) === undefined ? `${timestamp} ${startedAt}` : timestamp;
    const identity = { connectorId, idTag, meterStartWh: String(meterStart ?? 0), saidAt, startedAt };
    const known = repeatedStart(state, identity);
    if (known) return { transactionId: known.transactionId, idTagInfo: idTagInfo(known) };
    const ordered = order ?? coveredStart(state, identity);
    const isCardShown = order !== undefined && isCard(order)
      && (this.shownMs.get(idTag.toLowerCase()) ?? 0) > instant(order.at) + ASKS_FOR_ORDER_MS;
    const { isUnsaid, ...authorization }: CardAnswer = ordered
      ? { status: 'Accepted', authMethod: 'COMMAND' }
      : await this.parts.authorize(this.id, connectorId, idTag);
    // J-54: the car has charged, and nobody waits at it: the station says it again, when somebody can be asked.
    if (isUnsaid && heardMs - instant(startedAt) > LIVE_MS) throw new Error('nobody can be asked about the card of a charge that was kept');
    const transactionId = await this.parts.nextTransactionId();
    const after = await this.record(call, {
      type: 'StartTransaction',
      start: {
        ...identity, transactionId, authorization, ...(reservationId === undefined ? {} : { reservationId }),
        ...(meterStart === undefined ? { isMeterStartMissing: true } : {}), ...(isCardShown ? { isCardShown } : {}),
      },
    });
    const begun = repeatedStart(after, identity);
    return { transactionId: begun!.transactionId, idTagInfo: idTagInfo(begun!) };
  }

  private noteShown(idTag: string, nowMs: number): void {
    const tag = idTag.toLowerCase();
    this.shownMs.delete(tag);
    this.shownMs.set(tag, nowMs);
    if (this.shownMs.size > SHOWN_KEPT) this.shownMs.delete(this.shownMs.keys().next().value!);
  }

  /** A clock that is behind stays so: whose starts come less and less late still tells what it kept. */
  private noteLate(heardMs: number, lateMs: number): void {
    const isLess = lateMs <= this.lateMs - caughtUpMs(this.parts.clock);
    if (isLess) this.inTouchSinceMs = Math.max(this.inTouchSinceMs, heardMs);
    this.lateMs = isLess ? lateMs : Math.max(this.lateMs, lateMs);
  }

  /** Puts a frame into the journal; a socket that was replaced meanwhile is closed instead. */
  private async record(call: ReceivedCall, command: FrameContent): Promise<Station> {
    const frame = frameName(call);
    const heardAt = rfc3339(this.parts.clock.now());
    const epoch = await this.epoch;
    try {
      // Whether a frame is a repeat is the decider's to say: message ids may come again on another socket.
      const executed = await this.parts.journal.execute(
        this.id, `frame ${randomUUID()}`, { ...command, epoch, frame, heardAt } as FrameCommand, currentTraceparent(),
      );
      this.inTouchSinceMs = Math.min(this.inTouchSinceMs, this.parts.clock.now());
      return executed.state;
    } catch (error) {
      if (error instanceof Rejected && error.code === 'socket-replaced') this.connection().close(1008, 'replaced by a newer connection');
      throw error;
    }
  }

  // What the station is told to do. ----------------------------------------------------------------

  async start(order: OrderedStart, timeoutMs: number): Promise<Answer> {
    const { orderId, connectorId, idTag } = order;
    await this.parts.journal.execute(
      this.id, `order ${orderId}`, { type: 'OrderStart', order, at: rfc3339(this.parts.clock.now()) }, currentTraceparent(),
    );
    const answer = answerOf(
      await this.connection().call('RemoteStartTransaction', { connectorId, idTag }, { timeoutMs, priority: 'high' }),
    );
    if (answer.outcome === 'rejected' || answer.outcome === 'not-supported') {
      await this.parts.journal.execute(
        this.id, `drop ${orderId}`, { type: 'DropOrder', epoch: await this.epoch, orderId, at: rfc3339(this.parts.clock.now()) }, currentTraceparent(),
      );
    }
    return answer;
  }

  async stop(transactionId: string, timeoutMs: number): Promise<Answer> {
    return answerOf(await this.connection().call(
      'RemoteStopTransaction', { transactionId: Number(transactionId) }, { timeoutMs, priority: 'high' },
    ));
  }

  async reserve(order: ReservationOrder, timeoutMs: number): Promise<Answer> {
    return answerOf(await this.connection().call('ReserveNow', order, { timeoutMs, priority: 'high' }));
  }

  async cancelReservation(reservationId: number, timeoutMs: number): Promise<Answer> {
    return answerOf(await this.connection().call('CancelReservation', { reservationId }, { timeoutMs, priority: 'high' }));
  }

  async unlock(connectorId: number, timeoutMs: number): Promise<Answer> {
    return answerOf(await this.connection().call('UnlockConnector', { connectorId }, { timeoutMs, priority: 'high' }));
  }

  async limit(limit: Limit, ownerEpoch: number, timeoutMs: number): Promise<Answer> {
    const nowMs = this.parts.clock.now();
    if (limit.kind === 'lease' && (limit.leaseUntilMs ?? 0) <= nowMs) return { outcome: 'rejected', detail: 'the lease is over' };
    try {
      await this.parts.journal.execute(this.id, `owner ${ownerEpoch}`, { type: 'ObeyOwner', ownerEpoch, at: rfc3339(nowMs) });
    } catch (error) {
      if (error instanceof Rejected && error.code === 'owner-replaced') return { outcome: 'stale', detail: error.detail };
      throw error;
    }
    const csChargingProfiles = chargingProfile(limit, nowMs);
    return answerOf(await this.connection().call(
      'SetChargingProfile', { connectorId: limit.connectorId, csChargingProfiles }, { timeoutMs },
    ));
  }
}

function idTagInfo({ status, group }: { readonly status: string; readonly group?: string }): object {
  return { status, ...(group === undefined ? {} : { parentIdTag: group }) };
}

type FrameContent = FrameCommand extends infer C ? (C extends FrameCommand ? Omit<C, 'epoch' | 'frame' | 'heardAt'> : never) : never;

const SHOWN_KEPT = 64;
/** S16-67: for so long a station may ask about an order's card by itself (AuthorizeRemoteTxRequests). */
const ASKS_FOR_ORDER_MS = 30_000;
/** A start that comes later was kept. */
const LIVE_MS = 5 * 60_000;

/** ReserveNow says more than no. */
const NO: Readonly<Record<string, Answer['outcome']>> = {
  NotSupported: 'not-supported', Occupied: 'occupied', Faulted: 'inoperative', Unavailable: 'inoperative',
};
const YES = new Set(['Accepted', 'Unlocked']);

/** A time-out means unknown, never no; only what was never sent is a plain no. */
function answerOf(outcome: CallOutcome<{ readonly status: string }>): Answer {
  switch (outcome.outcome) {
    case 'answered': {
      const { status } = outcome.payload;
      if (YES.has(status)) return { outcome: 'accepted', detail: status };
      return { outcome: NO[status] ?? 'rejected', detail: status };
    }
    case 'error':
      if (outcome.from === 'us') return { outcome: 'unknown', detail: outcome.description };
      return {
        outcome: outcome.code === 'NotSupported' || outcome.code === 'NotImplemented' ? 'not-supported' : 'rejected',
        detail: `${outcome.code}: ${outcome.description}`,
      };
    case 'timeout':
    case 'closed':
      return outcome.sent
        ? { outcome: 'unknown', detail: 'the station did not answer' }
        : { outcome: 'rejected', detail: 'it was not sent' };
    case 'queue-full':
      return { outcome: 'rejected', detail: 'too many orders wait for this station' };
  }
}
