import { type Bus, Refused, Unanswered } from '#bus';
import { type CommandAnswer, Outcome, startCharging, stopCharging } from '#contracts/ocpp-gateway';
import { toJsonBytes } from '#contracts';
import type { DueHandler } from '#due';
import { currentTraceparent, type Log } from '#telemetry';
import { type Clock, instant } from '#time';
import type { CommandResult, Task } from './command.ts';
import type { Config } from './config.ts';
import { type Logs, passOnResult } from './logs.ts';
import { notThere, whenThere } from './when-there.ts';

export interface CarryOutParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Log;
  readonly logs: Logs;
}

/** What workers do at our stations. */
export class CarryOut {
  constructor(private readonly parts: CarryOutParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'carry-out': async (due, attempt) =>
      this.carryOut((due.body as { orderId: string }).orderId, attempt),
    'stop-late': async (due, attempt) =>
      this.stopLate((due.body as { sessionId: string }).sessionId, attempt),
  };

  /** Asks the station, once: asked again, it would refuse the charge that it has begun. */
  private async carryOut(orderId: string, attempt: number) {
    const { clock, logs } = this.parts;
    const state = await whenThere(async () => {
      const { state: found } = await logs.commands.load(orderId);
      return found.taken ? found : undefined;
    });
    if (!state?.taken) return notThere(attempt);
    const { taken } = state;
    if (!state.finished && attempt > 1) {
      const untilMs = instant(taken.at) + taken.timeoutS * 1_000;
      if (clock.now() < untilMs) return { retryAt: untilMs };
    }
    const { result, message } =
      state.finished ??
      (attempt > 1
        ? { result: 'TIMEOUT' as const, message: 'what the charging station answered was lost' }
        : await this.order(orderId, taken.task));
    await this.finish(orderId, result, message);
    return 'done';
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

  private async order(orderId: string, task: Task): Promise<Finish> {
    const {
      bus,
      config: { chargerTimeoutMs: timeoutMs },
    } = this.parts;
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
      if (error instanceof Refused) return { result: 'FAILED', message: error.message };
      if (!(error instanceof Unanswered)) throw error;
      return error.reason === 'offline'
        ? { result: 'EVSE_INOPERATIVE', message: 'the charging station is not connected' }
        : { result: 'TIMEOUT', message: 'the charging station did not answer in time' };
    }
  }

  /** Stops a charge that nobody waits for any more, until it has ended. */
  private async stopLate(sessionId: string, attempt: number) {
    const {
      bus,
      config: { chargerTimeoutMs: timeoutMs },
      log,
      logs,
    } = this.parts;
    const { state } = await logs.sessions.load(sessionId);
    if (state.status !== 'active') return 'done';
    const { stationId, transactionId } = state.transaction;
    const answer = await bus
      .ask(
        stopCharging,
        { stationId, transactionId, timeoutMs },
        { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS },
      )
      .catch((error: unknown) => {
        if (error instanceof Refused || error instanceof Unanswered) return undefined;
        throw error;
      });
    if (answer?.outcome === Outcome.ACCEPTED) return 'done';
    if (attempt >= LATE_STOPS_MAX) {
      log.error('a charge that nobody waits for cannot be stopped', {
        session: sessionId,
        station: stationId,
      });
      return 'done';
    }
    return { retryInMs: Math.min(1_000 * 2 ** attempt, LATE_STOP_PAUSE_MS_MAX) };
  }
}

interface Finish {
  readonly result: CommandResult;
  readonly message: string;
}

const ANSWER_TRAVELS_MS = 2_000;
const LATE_STOPS_MAX = 40;
const LATE_STOP_PAUSE_MS_MAX = 60_000;

const results: Readonly<Record<Outcome, CommandResult>> = {
  [Outcome.UNSPECIFIED]: 'FAILED',
  [Outcome.ACCEPTED]: 'ACCEPTED',
  [Outcome.REJECTED]: 'REJECTED',
  [Outcome.NOT_SUPPORTED]: 'NOT_SUPPORTED',
  [Outcome.UNKNOWN]: 'TIMEOUT',
  [Outcome.STALE]: 'FAILED',
};

function outcome({ outcome: answered, detail }: CommandAnswer, evseStatus?: string): Finish {
  const result = results[answered];
  return {
    result: result === 'REJECTED' && evseStatus === 'CHARGING' ? 'EVSE_OCCUPIED' : result,
    message: detail,
  };
}
