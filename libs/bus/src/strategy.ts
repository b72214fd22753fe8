import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Database } from '#postgres';
import type { Bus } from './bus.ts';
import type { Context } from './contract.ts';
import type { AnswersHandler } from './handling.ts';
import type { Hearing } from './hearing.ts';
import { listen, type ListenOptions } from './listen.ts';
import { BUS_TRANSPORT, type Handles, patternOf } from './nest.ts';

export interface StrategyOptions extends Omit<ListenOptions, 'listener' | 'hearings'> {
  readonly bus: Bus;
  /**
   * Whose schema keeps the positions and takes the handlers' rows; needed where something is heard.
   */
  readonly db?: Database | undefined;
  /** Default: the bus's service. */
  readonly listener?: string | undefined;
}

/**
 * Serves a Nest application's asks and tells over the bus: one strategy for both, one per
 * application.
 */
export class BusStrategy extends Server implements CustomTransportStrategy {
  override transportId = BUS_TRANSPORT;
  /** Otherwise Nest would log a handler's error, and it would look handled. */
  override propagatesEventHandlerErrors = true;
  private running: (() => Promise<void>)[] = [];

  constructor(private readonly options: StrategyOptions) {
    super();
  }

  override addHandler(
    pattern: string,
    callback: MessageHandler,
    isEvent?: boolean,
    extras?: Record<string, unknown>,
  ): void {
    if (!extras || !('answers' in extras || 'hears' in extras)) {
      throw new TypeError(
        `a handler of ${JSON.stringify(pattern)} is on the bus without @Answers, @Hears or @HearsMany`,
      );
    }
    if (this.messageHandlers.has(pattern)) {
      throw new TypeError(`two handlers of ${pattern} in one application`);
    }
    super.addHandler(pattern, callback, isEvent, extras);
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      // Who answers may be asked by who hears: answers first.
      await Promise.all(
        [...this.messageHandlers.values()].map((handler) => this.startAnswering(handler)),
      );
      await Promise.all(
        this.hearings().map(([context, hearings]) => this.startHearing(context, hearings)),
      );
      callback();
    } catch (error) {
      await this.close();
      callback(error);
    }
  }

  /** Hears and answers no more; what is under way is finished first. */
  async close(): Promise<void> {
    const { running } = this;
    this.running = [];
    await Promise.all(running.map((stop) => stop()));
  }

  on(): never {
    throw new Error('the bus has no events of its own to subscribe to');
  }

  unwrap<T>(): T {
    return this.options.bus as T;
  }

  private async startAnswering(handler: MessageHandler): Promise<void> {
    const handles = handler.extras as unknown as Handles;
    if (!('answers' in handles)) return;
    const answer = (async (requests, asked) =>
      resultOf(handler(requests, asked))) as AnswersHandler<never, never>;
    const answering = await this.options.bus.answer(handles.answers as never, answer);
    this.running.push(() => answering.stop());
  }

  private hearings(): [Context, Hearing[]][] {
    const byContext = new Map<Context, Hearing[]>();
    for (const [pattern, handler] of this.messageHandlers) {
      const handles = handler.extras as unknown as Handles;
      if (!('hears' in handles)) continue;
      const contract = handles.hears.find((each) => patternOf(each) === pattern);
      if (!contract) throw new TypeError(`no contract for ${pattern}`);
      const call = async (fact: unknown, heard: unknown) =>
        void (await resultOf(handler(fact, heard)));
      const hearing = (
        handles.many ? { contract, many: call } : { contract, one: call }
      ) as Hearing;
      byContext.set(contract.context, [...(byContext.get(contract.context) ?? []), hearing]);
    }
    return [...byContext];
  }

  private async startHearing(context: Context, hearings: Hearing[]): Promise<void> {
    const { bus, db, listener = bus.service, ...options } = this.options;
    if (!db) throw new TypeError(`hearing ${context} needs a database`);
    const listening = await listen(bus, db, { ...options, listener, hearings });
    this.running.push(() => listening.close());
  }
}

/** Nest gives a value, a promise, or a stream of them; a filter gives a stream that fails. */
async function resultOf(returned: unknown): Promise<unknown> {
  const result: unknown = await returned;
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
