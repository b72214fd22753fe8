import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, Refused, Unanswered } from '#bus';
import { type EvseResolved, resolveEvse } from '#contracts/locations';
import { type CommandAnswer, Outcome, startCharging, stopCharging } from '#contracts/ocpp-gateway';
import { toJsonBytes } from '#contracts';
import { addDue, type DueHandler } from '#due';
import { type Party, sameParty, type Token } from '#ocpi';
import type { Database } from '#postgres';
import { currentTraceparent, type Log } from '#telemetry';
import { type Clock, instant } from '#time';
import type { CommandResult, Task } from './command.ts';
import type { Config } from './config.ts';
import { type Logs, passOnResult } from './logs.ts';

export interface CommandsParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Log;
  readonly logs: Logs;
  wake(): void;
}

export interface StartWish {
  readonly orderId: string;
  readonly token: Token;
  readonly locationId: string;
  readonly evseUid?: string | undefined;
  readonly connectorId?: string | undefined;
  readonly reference?: string | undefined;
}

export interface StopWish {
  readonly orderId: string;
  readonly sessionId: string;
  /** On whose behalf; the token must be one of theirs. */
  readonly parties: readonly Party[];
}

/** The answer at once; OCPI CommandResponseType. */
export interface Taken {
  readonly result: 'ACCEPTED' | 'REJECTED' | 'UNKNOWN_SESSION';
  readonly timeoutS: number;
  readonly message: string;
  readonly unknownLocation: boolean;
}

/** Partners' and our own drivers' orders to our stations. */
export class Commands {
  constructor(private readonly parts: CommandsParts) {}

  /** CMD-06: whether the token may charge is its owner's affair, and was settled before it was sent. */
  async start(wish: StartWish, from: 'partner' | 'own'): Promise<Taken> {
    const known = await this.known(wish.orderId);
    if (known) return known;
    const evse = await this.resolve(wish);
    if ('result' in evse) return evse;
    return this.take(wish.orderId, from, this.parts.config.startTimeoutS, {
      kind: 'start',
      stationId: evse.stationId,
      stationConnector: evse.stationConnector,
      token: JSON.stringify(wish.token),
      evseStatus: evse.evseStatus,
      ...(wish.reference === undefined ? {} : { reference: wish.reference }),
    });
  }

  async stop({ orderId, sessionId, parties }: StopWish, from: 'partner' | 'own'): Promise<Taken> {
    const known = await this.known(orderId);
    if (known) return known;
    const { state } = await this.parts.logs.sessions.load(sessionId);
    if (state.status !== 'active' && state.status !== 'ended') return refused('UNKNOWN_SESSION', 'there is no such session');
    const { session: { cdr_token: token }, transaction: { stationId, transactionId } } = state;
    if (!parties.some((party) => sameParty(party, token))) {
      return refused('REJECTED', "the session is charged by another party's token");
    }
    if (state.status === 'ended') return refused('REJECTED', 'the session has ended');
    return this.take(orderId, from, this.parts.config.stopTimeoutS, { kind: 'stop', stationId, transactionId, sessionId });
  }

  /** What workers do for this part. */
  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'carry-out': async (due, attempt) => this.carryOut((due.body as { orderId: string }).orderId, attempt),
    'stop-late': async (due, attempt) => this.stopLate((due.body as { sessionId: string }).sessionId, attempt),
  };

  /** The same command again gets the same answer. */
  private async known(orderId: string): Promise<Taken | undefined> {
    const { state: { taken } } = await this.parts.logs.commands.load(orderId);
    return taken && accepted(taken.timeoutS);
  }

  private async take(orderId: string, from: 'partner' | 'own', timeoutS: number, task: Task): Promise<Taken> {
    const { db, clock, logs, wake } = this.parts;
    // Intent first: a row without its event does nothing.
    await addDue(db, { id: `carry out ${orderId}`, key: `command ${orderId}`, kind: 'carry-out', at: clock.now(), body: { orderId } });
    const command = { type: 'TakeCommand', task, from, timeoutS, at: clock.iso() } as const;
    await logs.commands.execute(orderId, `take ${orderId}`, command, currentTraceparent());
    wake();
    return accepted(timeoutS);
  }

  private async resolve({ locationId, evseUid, connectorId }: StartWish): Promise<EvseResolved | Taken> {
    try {
      return await this.parts.bus.ask(resolveEvse, {
        locationId,
        ...(evseUid === undefined ? {} : { evseUid }),
        ...(connectorId === undefined ? {} : { connectorId }),
      });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { ...refused('REJECTED', error.detail), unknownLocation: error.code.startsWith('unknown-') };
    }
  }

  /** Asks the station, once: asked again, it would refuse the charge that it has begun. */
  private async carryOut(orderId: string, attempt: number) {
    const { clock, logs } = this.parts;
    const state = await whenThere(async () => {
      const { state: found } = await logs.commands.load(orderId);
      return found.taken ? found : undefined;
    });
    if (!state?.taken) return 'done';
    const { taken } = state;
    if (!state.finished && attempt > 1) {
      const untilMs = instant(taken.at) + taken.timeoutS * 1_000;
      if (clock.now() < untilMs) return { retryAt: untilMs };
    }
    const { result, message } = state.finished ?? (attempt > 1
      ? { result: 'TIMEOUT' as const, message: 'what the charging station answered was lost' }
      : await this.order(orderId, taken.task));
    await this.finish(orderId, result, message);
    return 'done';
  }

  private async finish(orderId: string, result: CommandResult, message: string): Promise<void> {
    const { clock, logs } = this.parts;
    const at = clock.iso();
    const { state } = await logs.commands.execute(
      orderId, `finish ${orderId}`, { type: 'FinishCommand', result, message, at }, currentTraceparent(),
    );
    await passOnResult(logs, orderId, state, at);
  }

  private async order(orderId: string, task: Task): Promise<Finish> {
    const { bus, config: { chargerTimeoutMs: timeoutMs } } = this.parts;
    const patience = { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS, commandId: orderId };
    try {
      if (task.kind === 'stop') {
        const { stationId, transactionId } = task;
        return outcome(await bus.ask(stopCharging, { stationId, transactionId, timeoutMs }, patience));
      }
      return outcome(await bus.ask(startCharging, {
        stationId: task.stationId, connectorId: task.stationConnector, tokenJson: toJsonBytes(task.token), orderId, timeoutMs,
        ...(task.reference === undefined ? {} : { authorizationReference: task.reference }),
      }, patience), task.evseStatus);
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
    const { bus, config: { chargerTimeoutMs: timeoutMs }, log, logs } = this.parts;
    const { state } = await logs.sessions.load(sessionId);
    if (state.status !== 'active') return 'done';
    const { stationId, transactionId } = state.transaction;
    const answer = await bus.ask(stopCharging, { stationId, transactionId, timeoutMs }, { timeoutMs: timeoutMs + ANSWER_TRAVELS_MS })
      .catch((error: unknown) => {
        if (error instanceof Refused || error instanceof Unanswered) return undefined;
        throw error;
      });
    if (answer?.outcome === Outcome.ACCEPTED) return 'done';
    if (attempt >= LATE_STOPS_MAX) {
      log.error('a charge that nobody waits for cannot be stopped', { session: sessionId, station: stationId });
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
  return { result: result === 'REJECTED' && evseStatus === 'CHARGING' ? 'EVSE_OCCUPIED' : result, message: detail };
}

function accepted(timeoutS: number): Taken {
  return { result: 'ACCEPTED', timeoutS, message: '', unknownLocation: false };
}

function refused(result: 'REJECTED' | 'UNKNOWN_SESSION', message: string): Taken {
  return { result, timeoutS: 0, message, unknownLocation: false };
}

const LOOKS = 6;
const LOOK_AGAIN_MS = 100;

/** The event is appended right after its row: a worker may be there before it, or it may never come. */
export async function whenThere<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let n = 1; n < LOOKS; n++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(LOOK_AGAIN_MS);
  }
  return look();
}
