import { type Bus, Refused, Unanswered } from '#bus';
import { type CommandAnswer, startCharging, stopCharging } from '#contracts/ocpp-gateway';
import { toJsonBytes } from '#contracts';
import type { DueHandler, DueOutcome, Hold } from '#due';
import { currentTraceparent, type Log } from '#telemetry';
import { type Clock, instant } from '#time';
import type { CommandResult, CommandState, Task } from './command.ts';
import { ANSWER_TRAVELS_MS, type Config } from './config.ts';
import { type Finish, type KeepFree, results, unheard } from './keep-free.ts';
import { type Logs, passOnResult } from './logs.ts';
import type { Opening } from './openings.ts';
import { notThere, whenThere } from './when-there.ts';

export interface CarryOutParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Log;
  readonly logs: Logs;
  readonly keepFree: Pick<KeepFree, 'reserve' | 'cancel'>;
  /** Of a session that is still to be opened. */
  openingOf(sessionId: string): Promise<Opening | undefined>;
}

/** What workers do at our stations. */
export class CarryOut {
  constructor(private readonly parts: CarryOutParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'carry-out': async (due, attempt, hold) =>
      this.carryOut((due.body as { orderId: string }).orderId, attempt, hold),
    'stop-late': async (due, attempt) =>
      this.stopLate(due.body as { sessionId: string; since?: string }, attempt),
  };

  private async carryOut(orderId: string, attempt: number, hold: Hold): Promise<DueOutcome> {
    const { logs } = this.parts;
    const state = await whenThere(async () => {
      const { state: found } = await logs.commands.load(orderId);
      return found.taken ? found : undefined;
    });
    if (!state?.taken) return notThere(attempt);
    const { taken, finished } = state;
    const ended = finished ?? (await this.carried(orderId, taken, attempt, hold));
    if (!('result' in ended)) return ended;
    await this.finish(orderId, ended.result, ended.message);
    return 'done';
  }

  private carried(
    orderId: string,
    taken: NonNullable<CommandState['taken']>,
    attempt: number,
    hold: Hold,
  ): Promise<Finish | { retryAt: number }> {
    const { task } = taken;
    switch (task.kind) {
      case 'start':
        return this.start(orderId, { ...taken, task }, attempt, hold);
      case 'stop':
        return this.stop(orderId, { ...taken, task }, attempt);
      case 'reserve':
        return this.parts.keepFree.reserve(orderId, { ...taken, task }, attempt, hold);
      case 'cancel-reservation':
        return this.parts.keepFree.cancel(orderId, task.number);
    }
  }

  /** Asks the station, once: asked again, it would refuse the charge that it has begun. */
  private async start(
    orderId: string,
    { task, at, timeoutS }: Taken<'start'>,
    attempt: number,
    hold: Hold,
  ): Promise<Finish | { retryAt: number }> {
    if (attempt === 1) {
      hold.insist();
      return this.order(orderId, task);
    }
    const untilMs = instant(at) + timeoutS * 1_000;
    if (this.parts.clock.now() < untilMs) return { retryAt: untilMs };
    return { result: 'TIMEOUT', message: 'what the charging station answered was lost' };
  }

  /**
   * Asks until the station answers or the charge is over: to stop one transaction twice does no
   * harm. Asked before, it may have stopped, and the word of that is on its way.
   */
  private async stop(
    orderId: string,
    { task, at, timeoutS }: Taken<'stop'>,
    attempt: number,
  ): Promise<Finish | { retryAt: number }> {
    const {
      clock,
      config: { chargerTimeoutMs },
    } = this.parts;
    if (await this.isOver(task.sessionId))
      return { result: 'ACCEPTED', message: 'the charge is over' };
    const untilMs = instant(at) + timeoutS * 1_000;
    const leftMs = clock.realMs(untilMs - clock.now());
    if (attempt > 1 && leftMs <= 0)
      return { result: 'TIMEOUT', message: 'the charging station did not say that it stops' };
    const answer = await this.order(
      orderId,
      task,
      attempt > 1 ? Math.min(chargerTimeoutMs, Math.ceil(leftMs)) : chargerTimeoutMs,
    );
    // FAILED: whoever holds its socket had no time.
    const unclear =
      attempt > 1 ? answer.result !== 'ACCEPTED' : ['TIMEOUT', 'FAILED'].includes(answer.result);
    if (!unclear || clock.now() >= untilMs) return answer;
    return { retryAt: Math.min(untilMs, clock.now() + STOP_AGAIN_MS * clock.rate) };
  }

  private async isOver(sessionId: string): Promise<boolean> {
    const { state } = await this.parts.logs.sessions.load(sessionId);
    return state.status !== 'active';
  }

  private async finish(orderId: string, result: CommandResult, message: string): Promise<void> {
    const { clock, logs } = this.parts;
    const at = clock.iso();
    const { state } = await logs.commands.execute(
      orderId,
      `finish ${orderId}`,
      { type: 'FinishCommand', result, message, at },
      currentTraceparent(),
    );
    await passOnResult(logs, orderId, state, at);
  }

  private async order(
    orderId: string,
    task: Extract<Task, { kind: 'start' | 'stop' }>,
    timeoutMs = this.parts.config.chargerTimeoutMs,
  ): Promise<Finish> {
    const { bus } = this.parts;
    const patience = { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS, commandId: orderId };
    try {
      if (task.kind === 'stop') {
        const { stationId, transactionId } = task;
        return outcome(
          await bus.ask(stopCharging, { stationId, transactionId, timeoutMs }, patience),
        );
      }
      return outcome(
        await bus.ask(
          startCharging,
          {
            stationId: task.stationId,
            connectorId: task.stationConnector,
            tokenJson: toJsonBytes(task.token),
            orderId,
            timeoutMs,
            ...(task.reference === undefined ? {} : { authorizationReference: task.reference }),
          },
          patience,
        ),
        task.evseStatus,
      );
    } catch (error) {
      return unheard(error);
    }
  }

  /**
   * Stops a charge that nobody waits for. A yes is not yet its end: only its end is. A station that is
   * silent for a day does not hear of it any more; people were told, and its bill says what it took.
   */
  private async stopLate(body: { sessionId: string; since?: string }, attempt: number): Promise<DueOutcome> {
    const { sessionId, since } = body;
    const {
      bus,
      clock,
      config: { chargerTimeoutMs: timeoutMs },
      log,
      logs,
      openingOf,
    } = this.parts;
    const { state } = await logs.sessions.load(sessionId);
    const opening = state.status === 'absent' ? await openingOf(sessionId) : undefined;
    const transaction = state.status === 'active' ? state.transaction : opening?.fact;
    if (!transaction) return 'done';
    const { stationId, transactionId } = transaction;
    const about = { session: sessionId, station: stationId };
    if (attempt === LATE_STOPS_TOLD) log.error('a charge that nobody waits for goes on', about);
    const startedAt = since ?? ('session' in state ? state.session.start_date_time : clock.iso());
    if (clock.now() - instant(startedAt) > LATE_STOP_GIVEN_UP_MS) {
      log.error('a charge that nobody waits for could not be stopped in a day', about);
      return 'done';
    }
    await bus
      .ask(
        stopCharging,
        { stationId, transactionId, timeoutMs },
        { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS },
      )
      .catch((error: unknown) => {
        if (!(error instanceof Refused || error instanceof Unanswered)) throw error;
      });
    return { retryInMs: Math.min(1_000 * 2 ** (attempt - 1), LATE_STOP_PAUSE_MS_MAX) };
  }
}

type Taken<Kind extends Task['kind']> = NonNullable<CommandState['taken']> & {
  readonly task: Extract<Task, { kind: Kind }>;
};

const STOP_AGAIN_MS = 2_000;
/** After so many orders to stop, people have to know. */
const LATE_STOPS_TOLD = 10;
const LATE_STOP_PAUSE_MS_MAX = 60_000;
/** Platform time. */
const LATE_STOP_GIVEN_UP_MS = 24 * 3_600_000;

function outcome({ outcome: answered, detail }: CommandAnswer, evseStatus?: string): Finish {
  const result = results[answered];
  return {
    result: result === 'REJECTED' && evseStatus === 'CHARGING' ? 'EVSE_OCCUPIED' : result,
    message: detail,
  };
}
