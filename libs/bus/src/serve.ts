import type {
  INestApplication,
  INestApplicationContext,
  LoggerService,
  NestApplicationOptions,
} from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { type Relay, type RelayOptions, startRelay } from './relay.ts';
import { BusStrategy, type StrategyOptions } from './strategy.ts';
import type { TellSource } from './tell-source.ts';

export interface ServeOptions extends StrategyOptions {
  /** The service's one module, static or dynamic. */
  readonly module: Parameters<typeof NestFactory.create>[0];
  /** The logs that the service tells from, one per context. */
  readonly tells?: readonly TellSource[];
  readonly relay?: RelayOptions;
  /** Serves HTTP beside the bus, such as with a `FastifyAdapter` of the service's own. */
  readonly http?: {
    readonly adapter: AbstractHttpAdapter;
    readonly port: number;
    /** Default 127.0.0.1. */
    readonly host?: string;
    /** Before it listens: prefixes, filters, raw routes. */
    readonly prepare?: (app: INestApplication) => void | Promise<void>;
  };
}

export interface Serving {
  readonly app: INestApplicationContext;
  /** Where HTTP is served, when it is. */
  readonly url?: string;
  /**
   * Rejects with `LogMismatch`, which ends the process unless it is caught; else resolves when
   * closed.
   */
  readonly stopped: Promise<void>;
  /** Finishes what is under way. The bus and the database stay the caller's to close. */
  close(): Promise<void>;
}

/**
 * Runs one service: its Nest application on the bus (and HTTP), and the relays of what it tells.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { module, tells = [], relay, http, ...strategyOptions } = options;
  const strategy = new BusStrategy(strategyOptions);
  const nest = {
    logger: nestLogger(options),
    abortOnError: false,
  } satisfies NestApplicationOptions;
  const { app, url } = http
    ? await startHybrid(module, http, strategy, nest)
    : { app: await startOnBus(module, strategy, nest), url: undefined };
  const relays: Relay[] = tells.map((source) => startRelay(options.bus, source, relay));
  return {
    app,
    ...(url === undefined ? {} : { url }),
    stopped: Promise.all(relays.map((each) => each.stopped)).then(() => {}),
    async close() {
      await app.close();
      await Promise.all(relays.map((each) => each.close()));
    },
  };
}

async function startOnBus(
  module: ServeOptions['module'],
  strategy: BusStrategy,
  nest: NestApplicationOptions,
) {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    ...nest,
    strategy,
  });
  await app.listen();
  return app;
}

async function startHybrid(
  module: ServeOptions['module'],
  http: NonNullable<ServeOptions['http']>,
  strategy: BusStrategy,
  nest: NestApplicationOptions,
) {
  const app = await NestFactory.create(module, http.adapter, nest);
  app.connectMicroservice<MicroserviceOptions>({ strategy });
  await http.prepare?.(app);
  await app.startAllMicroservices();
  await app.listen(http.port, http.host ?? '127.0.0.1');
  return { app, url: await app.getUrl() };
}

/** Nest's own lines, into the service's log; what it says when all is well is of no interest. */
function nestLogger({ bus }: StrategyOptions): LoggerService {
  const say =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...more: unknown[]) => {
      bus.log[level](message instanceof Error ? message.message : String(message), {
        from: 'nest',
        more,
        ...(message instanceof Error ? { error: message } : {}),
      });
    };
  return {
    log: say('debug'),
    debug: say('debug'),
    verbose: say('debug'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('error'),
  };
}
