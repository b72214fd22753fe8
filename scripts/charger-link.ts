import ocppRpc from 'ocpp-rpc';
import type { Clock } from '#time';

// A CommonJS package whose spread exports Node cannot name.
const { createRPCError, NOREPLY, RPCClient } = ocppRpc;

/**
 * A message that belongs to a transaction: kept in order, through outages, until it was answered
 * (S16-08).
 */
export interface TransactionMessage {
  readonly action: 'StartTransaction' | 'StopTransaction' | 'MeterValues';
  /** Made when it is sent: a transaction begun offline has its id only then. */
  readonly payload: () => object;
  readonly answered?: (answer: Record<string, unknown>) => void;
}

export interface LinkOptions {
  readonly url: string;
  readonly station: string;
  readonly password: string | undefined;
  readonly clock: Clock;
  readonly callTimeoutMs: number;
  readonly say: (event: string, fields?: object) => void;
  /** The answer's payload; `undefined` = never answer. Throw `callError` to refuse. */
  readonly onCall: (action: string, payload: never) => Promise<object | undefined>;
  readonly onOpen: () => void;
  /** [attempts, seconds of platform time between] for transaction messages. */
  readonly retry: () => readonly [number, number];
}

interface Queued extends TransactionMessage {
  tries: number;
}

export function callError(code: string, message: string): Error {
  return createRPCError(code, message, {}) as Error;
}

const BACK_OFF_MS = { first: 100, most: 5_000 } as const;

/**
 * The station's line to the central system: an ocpp-rpc client in strict mode, dialled again
 * whenever it drops.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #queue: Queued[] = [];
  #client: InstanceType<typeof RPCClient> | undefined;
  #password: string | Buffer | undefined;
  #stopped = false;
  #holdUntil = 0;
  #backOffMs: number = BACK_OFF_MS.first;
  #pumping = false;
  #wake: (() => void) | undefined;
  /** Transaction messages wait until the station is accepted (J-73). */
  ready = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#password = options.password;
  }

  get open(): boolean {
    return this.#client?.state === RPCClient.OPEN;
  }
  get queued(): number {
    return this.#queue.length;
  }

  async run(): Promise<void> {
    const { say, onOpen } = this.#options;
    while (!this.#stopped) {
      const client = this.#newClient();
      // A close can come in the same turn as the opening: listen first.
      const closed = new Promise<{ code?: number; reason?: string }>((resolve) =>
        client.once('close', resolve),
      );
      try {
        await client.connect();
        this.#client = client;
        this.#backOffMs = BACK_OFF_MS.first;
        say('connected', { version: client.protocol });
        onOpen();
        void this.pump();
        const { code, reason } = await closed;
        this.#client = undefined;
        say('disconnected', { code, reason: String(reason ?? '') });
      } catch (error) {
        say('not-connected', { why: error instanceof Error ? error.message : String(error) });
      }
      await this.#pause();
    }
  }

  /** One CALL, not kept: rejects when offline, refused, or unanswered in time. */
  async call(action: string, payload: object): Promise<Record<string, unknown>> {
    const client = this.#client;
    if (!client || client.state !== RPCClient.OPEN) throw new Error('offline');
    return (await client.call(action, payload)) as Record<string, unknown>;
  }

  enqueue(message: TransactionMessage): void {
    this.#queue.push({ ...message, tries: 0 });
    void this.pump();
  }

  /** Sends what waits, one after the other, in the order in which it happened. */
  async pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let next = this.#queue[0]; next && this.open && this.ready; next = this.#queue[0]) {
        await this.#deliver(next);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** The socket goes without a word, and comes back after so many real milliseconds. */
  drop(forMs: number): void {
    this.#holdUntil = Date.now() + forMs;
    void this.#client?.close({ force: true });
  }

  /** The next connection presents another password. */
  usePassword(password: string | Buffer): void {
    this.#password = password;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#client?.close({ code: 1001, reason: 'station goes away' });
  }

  async #deliver(message: Queued): Promise<void> {
    const { say, clock, retry } = this.#options;
    try {
      const answer = await this.call(message.action, message.payload());
      this.#queue.shift();
      say('delivered', { action: message.action, tries: message.tries + 1 });
      message.answered?.(answer);
    } catch (error) {
      // A dropped line is no refusal: the message is sent again on the next one.
      if (!this.open) return;
      message.tries++;
      const [attempts, intervalS] = retry();
      say('not-delivered', { action: message.action, tries: message.tries, why: String(error) });
      if (message.tries >= attempts) {
        this.#queue.shift();
        say('given-up', { action: message.action });
      } else await clock.sleep(intervalS * 1_000 * message.tries);
    }
  }

  #newClient(): InstanceType<typeof RPCClient> {
    const { url, station, callTimeoutMs, onCall, say } = this.#options;
    const options = {
      endpoint: url,
      identity: station,
      protocols: ['ocpp1.6'],
      strictMode: true,
      // Dialled again by `run`: the library's own way back keeps state that a test wants to see.
      reconnect: false,
      callTimeoutMs,
      ...(this.#password !== undefined && { password: this.#password }),
    };
    const client = new RPCClient(options as ConstructorParameters<typeof RPCClient>[0]);
    const handler = async ({ method, params }: { method: string; params: never }) => {
      const answer = await onCall(method, params);
      say('command', { action: method, payload: params, answer: answer ?? 'none' });
      return answer ?? NOREPLY;
    };
    client.handle(handler as never);
    client.on('strictValidationFailure', ({ method, error, outbound }: Record<string, unknown>) =>
      say('not-strict', { action: method, outbound, why: String(error) }),
    );
    return client;
  }

  async #pause(): Promise<void> {
    const heldMs = this.#holdUntil - Date.now();
    const forMs = heldMs > 0 ? heldMs : this.#backOffMs;
    this.#backOffMs = Math.min(BACK_OFF_MS.most, this.#backOffMs * 2);
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, forMs);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }
}
