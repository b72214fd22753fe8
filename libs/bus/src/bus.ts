import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  mergeFromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { connect, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import {
  currentTraceparent,
  inSpan,
  log as logOf,
  type Log,
  tracer as tracerOf,
  type Tracer,
} from '#telemetry';
import { type Answering, type AnsweringOptions, startAnswering } from './answering.ts';
import { Asking } from './asking.ts';
import type { AskContract, Context, TellContract } from './contract.ts';
import { type Answered, type AnswersHandler, handling } from './handling.ts';
import {
  type AskFailure,
  isAskFailure,
  LARGEST_ITEM_BYTES,
  Refused,
  TooLarge,
} from './failures.ts';
import { inboxPrefix } from './permissions.ts';
import { Standstill } from './standstill.ts';
import { askSubject, holderSubject } from './subjects.ts';
import { type Watching, watchTold } from './watching.ts';
import { type AskItem, whole } from './wire.ts';

export interface BusOptions {
  /** `nats://user:password@host:port` (`tls://…`), or several with commas between. */
  readonly natsUrl: string;
  readonly platform: string;
  /** The service that talks; names its connection and its inboxes. */
  readonly service: string;
  readonly log?: Log;
}

export interface AskOptions {
  /** Real time; default 5,000. */
  readonly timeoutMs?: number;
  /** For an ask that changes something: the same on every retry. */
  readonly commandId?: string;
}

const DEFAULT_TIMEOUT_MS = 5_000;

/** Connects, waiting for the server if need be, and reconnects for ever. */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { platform, service } = options;
  const inbox = inboxPrefix(platform, service);
  const servers = options.natsUrl.split(',').map((text) => new URL(text.trim()));
  const [first] = servers as [URL];
  const connection = await connect({
    servers: servers.map((server) => server.host),
    ...(first.username === ''
      ? {}
      : { user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) }),
    ...(first.protocol === 'tls:' ? { tls: {} } : {}),
    name: `roamwatt ${platform} ${service}`,
    inboxPrefix: inbox,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 200,
    pingInterval: 10_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    // Else each request makes an error for the case that it fails.
    noAsyncTraces: true,
  });
  return new Bus(connection, inbox, options);
}

const NO_PERMISSION = 'its user of NATS may not do this: make the permissions anew (npm run nats-users)';

/** One service's connection to its platform's NATS. */
export class Bus {
  readonly platform: string;
  readonly service: string;
  readonly log: Log;
  readonly tracer: Tracer;
  private readonly asking: Asking;
  private readonly standstill: Standstill;
  private readonly answering = new Set<Answering>();
  private readonly whenReconnected = new Set<() => void>();

  /** @param connection for the bus's own parts: services ask, answer, tell and hear. */
  constructor(
    readonly connection: NatsConnection,
    inboxPrefix: string,
    options: BusOptions,
  ) {
    this.platform = options.platform;
    this.service = options.service;
    this.log = options.log ?? logOf(options.service);
    this.tracer = tracerOf(options.service);
    this.asking = new Asking(connection, inboxPrefix);
    this.standstill = new Standstill(connection);
    void this.followConnection();
  }

  /**
   * Asks, and gives the answer. Rejects with `Refused`, `Unanswered`, or, before anything is sent,
   * `TooLarge`.
   */
  ask<Q extends DescMessage, A extends DescMessage>(
    contract: AskContract<Q, A>,
    request: MessageInitShape<Q>,
    options: AskOptions = {},
  ): Promise<MessageShape<A>> {
    return inSpan(this.tracer, `ask ${contract.context}.${contract.verb}`, {}, async () => {
      const message = create(contract.request, request);
      // Without an id there is nobody to ask.
      const wrong = contract.to && contract.check(message);
      if (wrong !== undefined) throw new Refused('malformed', wrong);
      const bytes = toBinary(contract.request, message);
      if (bytes.length > LARGEST_ITEM_BYTES) {
        throw new TooLarge(`${contract.context}.${contract.verb}`, bytes.length);
      }
      const parts = await this.asking.ask({
        subject: contract.to
          ? holderSubject(this.platform, contract, contract.to(message))
          : askSubject(this.platform, contract),
        request: bytes,
        commandId: options.commandId ?? '',
        timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        traceparent: currentTraceparent(),
        alone: contract.alone ?? false,
      });
      return merged(contract.answer, parts);
    });
  }

  /** Asks each; gives an answer or the failure for each, in order. Throws only on a bug. */
  askMany<Q extends DescMessage, A extends DescMessage>(
    contract: AskContract<Q, A>,
    requests: readonly MessageInitShape<Q>[],
    options: Omit<AskOptions, 'commandId'> & { readonly commandIds?: readonly string[] } = {},
  ): Promise<(MessageShape<A> | AskFailure)[]> {
    return Promise.all(
      requests.map((request, index) => {
        const commandId = options.commandIds?.[index] ?? '';
        return this.ask(contract, request, { ...options, commandId }).catch((error: unknown) => {
          if (isAskFailure(error)) return error;
          throw error;
        });
      }),
    );
  }

  /**
   * Answers a contract's asks, sharing them with its context's other replicas, from when this
   * resolves.
   */
  answer<Q extends DescMessage, A extends DescMessage>(
    contract: AskContract<Q, A>,
    handler: AnswersHandler<Q, A>,
  ): Promise<Answering> {
    if (contract.to) {
      throw new TypeError(`${contract.context}.${contract.verb} goes to one holder: use hold`);
    }
    const name = `${contract.context}.${contract.verb}`;
    const subject = askSubject(this.platform, contract);
    return this.startAnswering(
      { subject, name, queue: contract.context, alone: contract.alone ?? false },
      handling(contract, handler, this.log),
    );
  }

  /**
   * Answers a contract's asks to `id`, alone, until `release` (which waits for what is being
   * handled).
   */
  async hold<Q extends DescMessage, A extends DescMessage>(
    contract: AskContract<Q, A>,
    id: string,
    handler: AnswersHandler<Q, A>,
  ): Promise<{ release(): Promise<void> }> {
    if (!contract.to) {
      throw new TypeError(`${contract.context}.${contract.verb} has no holder: use answer`);
    }
    const name = `${contract.context}.${contract.verb}`;
    const subject = holderSubject(this.platform, contract, id);
    const held = await this.startAnswering(
      { subject, name },
      handling(contract, handler, this.log),
    );
    return { release: () => held.stop() };
  }

  /**
   * Calls `fn` with each fact of a contract as it passes by, from when this resolves: for screens,
   * never for state. Nothing is kept: what is told while the connection is away is not seen, a fact
   * may be seen twice (from racing relays), and every replica sees all of them. What does not parse
   * is left out.
   */
  async watch<F extends DescMessage>(
    contract: TellContract<F>,
    fn: (fact: MessageShape<F>) => void,
  ): Promise<Watching> {
    const { connection, platform, log } = this;
    const watching = watchTold({ connection, platform, log }, contract, fn);
    await connection.flush().catch(() => {});
    return watching;
  }

  /**
   * For the bus's own asks, which have no contract: one request in bytes, answered by the context's
   * replicas.
   */
  askBytes(
    to: { context: Context; verb: string },
    request: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    return inSpan(this.tracer, `ask ${to.context}.${to.verb}`, {}, async () =>
      whole(await this.asking.ask({
        subject: askSubject(this.platform, to),
        request,
        commandId: '',
        timeoutMs,
        traceparent: currentTraceparent(),
      })),
    );
  }

  answerBytes(
    to: { context: Context; verb: string },
    handler: (request: Uint8Array) => Promise<Uint8Array>,
  ): Promise<Answering> {
    const where = {
      subject: askSubject(this.platform, to),
      name: `${to.context}.${to.verb}`,
      queue: to.context,
    };
    return this.startAnswering(where, (items) =>
      Promise.all(items.map(async ({ request }) => ({ parts: [await handler(request)] }))),
    );
  }

  /** Calls `fn` whenever the connection is there again; the result ends that. */
  onReconnect(fn: () => void): () => void {
    this.whenReconnected.add(fn);
    return () => void this.whenReconnected.delete(fn);
  }

  /** Takes no more asks, answers those that it has, and leaves. */
  async close(): Promise<void> {
    await Promise.all([...this.answering].map((each) => each.stop()));
    this.asking.close();
    this.standstill.end();
    if (!this.connection.isClosed()) {
      await this.connection.drain().catch(() => this.connection.close());
    }
  }

  private async startAnswering(
    where: Pick<AnsweringOptions, 'subject' | 'name' | 'queue' | 'alone'>,
    handle: (items: readonly AskItem[]) => Promise<Answered[]>,
  ): Promise<Answering> {
    const { connection, tracer, log } = this;
    const mayLieMs = () => this.standstill.mayLieMs();
    const answering = startAnswering({ connection, tracer, log, mayLieMs, ...where }, handle);
    const kept = {
      stop: () => {
        this.answering.delete(kept);
        return answering.stop();
      },
    };
    this.answering.add(kept);
    // The server has the subscription when it answers this, or gets it at the reconnect.
    await this.connection.flush().catch(() => {});
    return kept;
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        this.log.warn('NATS is gone; reconnecting', { server: status.server });
        this.asking.disconnected();
      } else if (status.type === 'reconnect') {
        this.log.warn('NATS is back', { server: status.server });
        this.asking.reconnected();
        for (const fn of this.whenReconnected) fn();
      } else if (status.type === 'error') {
        const error = status.error.message;
        const isRefused = status.error instanceof PermissionViolationError;
        this.log.error('NATS complains', { error, ...(isRefused ? { advice: NO_PERMISSION } : {}) });
      }
    }
  }
}

/** Not copied together before it is read. */
function merged<A extends DescMessage>(schema: A, parts: readonly Uint8Array[]): MessageShape<A> {
  const message = fromBinary(schema, parts[0]!);
  for (const part of parts.slice(1)) mergeFromBinary(schema, message, part);
  return message;
}
