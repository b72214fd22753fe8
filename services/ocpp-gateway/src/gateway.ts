import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { callerAddress, GuessLimit } from '#admission';
import { type Bus, Refused, Unanswered } from '#bus';
import { cancelReservation, reserve, setLimit, startCharging, stopCharging, unlockConnector } from '#contracts/ocpp-gateway';
import { authorize } from '#contracts/tokens-auth';
import { fromJsonBytes } from '#contracts';
import type { Executor } from '#event-store';
import { type Admission, type Admitted, asSpelt, type Handshake, OcppConnection, OcppUpgrade, type UidOrder } from '#ocpp';
import type { Database } from '#postgres';
import type { Log, Tracer } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import { CardCache } from './card-cache.ts';
import type { Config } from './config.ts';
import { ConnectedStation, type StationParts } from './connected-station.ts';
import { forgetHolders, holdSocket, leaveHolders, lostSockets, stayAlive } from './holders.ts';
import { commandAnswer, limitOf, orderOf, reservationOf } from './orders.ts';
import type { Authorization, CardAnswer, Station, StationCommand, StationEvent } from './station-events.ts';
import { nextTransactionId, replaceStations, secretOf } from './station-rows.ts';

export interface GatewayParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly journal: Executor<Station, StationCommand, StationEvent>;
  readonly clock: Clock;
  readonly config: Config;
  /** Hashes the stations' passwords. */
  readonly key: Buffer;
  readonly log: Log;
  readonly tracer: Tracer;
}

/** The station's own message time-out may be 30 s; tokens-auth may ask a partner for 5 s. */
const AUTHORIZE_WITHIN_MS = 7_000;
const ASK_AGAIN_MS = 250;
/** How often a process says that it lives, and looks for sockets that nobody holds any more. */
const WATCH_EVERY_MS = 3_000;

interface Held {
  readonly connection: OcppConnection;
  readonly station: ConnectedStation;
  release(): Promise<unknown>;
}

/** The door for chargers: `ws://host:port/ocpp/<station>`. */
export class Gateway {
  private readonly http: Server;
  private readonly held = new Map<string, Held>();
  private readonly leaving = new Set<Promise<unknown>>();
  private readonly cards = new CardCache();
  private readonly uidOrders: ReadonlyMap<string, UidOrder>;
  /** This process among those that hold sockets. */
  private readonly name = randomUUID();
  private readonly guesses: GuessLimit;
  private watching: NodeJS.Timeout | undefined;

  constructor(private readonly parts: GatewayParts) {
    this.uidOrders = new Map(parts.config.stations.map(({ id, card_uid: order }) => [id, order]));
    this.guesses = new GuessLimit(parts.config.guesses);
    const upgrade = new OcppUpgrade({
      admit: (handshake) => this.admit(handshake),
      connected: (ws, admitted) => this.connected(ws, admitted),
      refused: (identity, why) => parts.log.warn('a station was not let in', { station: identity ?? '', why }),
    });
    this.http = createServer((_request, response) => response.writeHead(426).end());
    this.http.on('upgrade', upgrade.handle);
  }

  async listen(): Promise<string> {
    const { config, db, key } = this.parts;
    const secrets = new Map(config.stations.map(({ id, password }) => [id, secretHash(key, id, Buffer.from(password))]));
    await replaceStations(db, secrets);
    await this.watch();
    this.watching = setInterval(() => void this.watch(), WATCH_EVERY_MS);
    await new Promise<void>((ready, failed) => this.http.once('error', failed).listen(config.port, config.host, ready));
    const { port } = this.http.address() as AddressInfo;
    return `ws://${config.host}:${port}/ocpp`;
  }

  async close(): Promise<void> {
    clearInterval(this.watching);
    const closed = new Promise((done) => this.http.close(done));
    for (const { connection } of this.held.values()) connection.close(1001, 'the central system restarts');
    this.http.closeAllConnections();
    await closed;
    // Sockets that end after this belong to nobody: their stations will be seen again, or not.
    while (this.leaving.size > 0 || this.held.size > 0) {
      await Promise.allSettled([...this.leaving, new Promise((later) => setTimeout(later, 20))]);
    }
    await leaveHolders(this.parts.db, this.name).catch(() => {});
  }

  forgetCards(): void {
    this.cards.forget();
  }

  /** Says that this process lives, and that the sockets of those that do not are lost. */
  private async watch(): Promise<void> {
    const { db, journal, clock, log } = this.parts;
    try {
      if (!await stayAlive(db, this.name)) this.giveUpAfterStall();
      await forgetHolders(db);
      for (const { stationId, epoch } of await lostSockets(db)) {
        await journal.execute(stationId, `disconnect ${epoch}`, {
          type: 'Disconnect', epoch, at: rfc3339(clock.now()), reason: 'the process that held its socket is gone',
        });
      }
    } catch (error) {
      log.warn('sockets cannot be watched', { error: error as Error });
    }
  }

  /** Silent for too long, this process was taken for gone: its stations shall connect anew. */
  private giveUpAfterStall(): void {
    if (this.held.size > 0) this.parts.log.warn('sockets are closed after a stall', { sockets: this.held.size });
    for (const { connection } of this.held.values()) connection.close(1001, 'the central system had stalled');
  }

  /** Wrong passwords are counted, and soon no longer looked at; who has the right one is not held up by those of others. */
  private async admit({ identity, credentials, request }: Handshake): Promise<Admission> {
    const guess = { address: callerAddress(request, this.parts.config.proxies), as: identity, secret: credentials?.password ?? '' };
    let refused: Admission = { status: 401 };
    const { found, waitS } = await this.guesses.look(guess, async () => {
      const { db, key } = this.parts;
      const secret = await secretOf(db, identity);
      if (!secret) refused = { status: 404 };
      if (!secret || credentials?.user !== identity) return undefined;
      const given = secretHash(key, identity, credentials.password);
      return timingSafeEqual(secret, given) ? { status: 101, enabled: ['ocpp1.6'] } as const : undefined;
    });
    return waitS > 0 ? { status: 429, retryAfterS: waitS } : found ?? refused;
  }

  private connected(ws: WebSocket, { identity, version }: Admitted): void {
    const { config, log } = this.parts;
    const older = this.held.get(identity);
    older?.connection.close(1008, 'replaced by a newer connection');
    // A socket that is half open takes its time to close: what it may no longer send it would refuse in the newer one's place.
    void older?.release().catch(() => {});
    const connection = new OcppConnection(ws, {
      station: identity,
      version,
      handle: (call) => station.handle(call),
      onClosed: ({ cause, code, reason }) => this.left(identity, held, `${cause} ${code} ${reason}`.trim()),
      onNotice: (notice) => log.info('from a station\'s connection', { station: identity, ...notice }),
      limits: { callTimeoutMs: config.callTimeoutMs, pingIntervalMs: config.pingIntervalMs },
    });
    const socket = { name: randomUUID(), version, heardUntil: older?.station.heardUntil() };
    const station = new ConnectedStation(identity, () => connection, this.stationParts(), socket);
    const holding = station.connected().then(async (epoch) => {
      await holdSocket(this.parts.db, identity, epoch, this.name);
      return this.hold(station);
    });
    holding.catch((error: Error) => log.error('a station\'s commands cannot be taken', { station: identity, error }));
    const held: Held = { connection, station, release: () => holding.then((release) => release(), () => undefined) };
    this.held.set(identity, held);
  }

  private left(identity: string, held: Held, reason: string): void {
    if (this.held.get(identity) === held) this.held.delete(identity);
    const leaving: Promise<unknown> = Promise.allSettled([held.release(), held.station.disconnected(reason)]);
    this.leaving.add(leaving);
    void leaving.then(() => this.leaving.delete(leaving));
  }

  /** Takes the station's commands: only the process that holds its socket hears them. */
  private async hold(station: ConnectedStation): Promise<() => Promise<unknown>> {
    const { bus, clock } = this.parts;
    const holds = await Promise.all([
      bus.hold(startCharging, station.id, (orders) =>
        Promise.all(
          orders.map(async (order) =>
            commandAnswer(
              await station.start(
                orderOf(order, this.uidOrder(station.id)),
                order.timeoutMs || this.parts.config.callTimeoutMs,
              ),
            ),
          ),
        ),
      ),
      bus.hold(stopCharging, station.id, (orders) =>
        Promise.all(
          orders.map(async ({ transactionId, timeoutMs }) =>
            commandAnswer(await station.stop(transactionId, timeoutMs || this.parts.config.callTimeoutMs)),
          ),
        ),
      ),
      bus.hold(setLimit, station.id, (orders) =>
        Promise.all(
          orders.map(async (order) =>
            commandAnswer(
              await station.limit(
                limitOf(order, clock.now()),
                order.ownerEpoch,
                order.timeoutMs || this.parts.config.callTimeoutMs,
              ),
            ),
          ),
        ),
      ),
      bus.hold(reserve, station.id, (orders) =>
        Promise.all(
          orders.map(async (order) =>
            commandAnswer(
              await station.reserve(
                reservationOf(order, this.uidOrder(station.id)),
                order.timeoutMs || this.parts.config.callTimeoutMs,
              ),
            ),
          ),
        ),
      ),
      bus.hold(cancelReservation, station.id, (orders) =>
        Promise.all(
          orders.map(async ({ reservationId, timeoutMs }) =>
            commandAnswer(await station.cancelReservation(reservationId, timeoutMs || this.parts.config.callTimeoutMs)),
          ),
        ),
      ),
      bus.hold(unlockConnector, station.id, (orders) =>
        Promise.all(
          orders.map(async ({ connectorId, timeoutMs }) =>
            commandAnswer(await station.unlock(connectorId, timeoutMs || this.parts.config.callTimeoutMs)),
          ),
        ),
      ),
    ]);
    return () => Promise.all(holds.map((hold) => hold.release()));
  }

  private stationParts(): StationParts {
    const { journal, clock, tracer, log, config, db } = this.parts;
    return {
      journal, clock, tracer, log, heartbeatS: config.heartbeatS,
      nextTransactionId: () => nextTransactionId(db),
      authorize: (stationId, connectorId, idTag) => this.authorize(stationId, connectorId, idTag),
    };
  }

  private uidOrder(stationId: string): UidOrder {
    return this.uidOrders.get(stationId) ?? 'in-order';
  }

  /** With a connector it is for a charge that starts there: an owner's yes is for one. */
  private async authorize(stationId: string, connectorId: number | undefined, said: string): Promise<CardAnswer> {
    const { log } = this.parts;
    const idTag = asSpelt(said, this.uidOrder(stationId));
    const atStation = { stationId, idTag };
    const shown = connectorId === undefined ? atStation : { ...atStation, connectorId };
    const known = connectorId === undefined
      ? this.cards.fresh(shown, performance.now())
      : (this.cards.forStart(shown, performance.now()) ?? this.cards.forStart(atStation, performance.now()));
    if (known) return known;
    try {
      const answer = await this.askWhoever(shown);
      const authorization: Authorization = {
        status: answer.status,
        authMethod: answer.authMethod,
        ...(answer.tokenJson ? { token: JSON.stringify(fromJsonBytes(answer.tokenJson)) } : {}),
        ...(answer.authorizationReference ? { reference: answer.authorizationReference } : {}),
      };
      // What its owner did not say, or is otherwise at another connector, is asked again.
      const isUnsure = answer.refusal === 'owner-silent' || (answer.byConnector && connectorId === undefined);
      if (isUnsure) this.cards.noteUnsure(shown, authorization);
      else this.cards.note(shown, authorization, performance.now());
      if (connectorId !== undefined) this.cards.forStart(shown, performance.now());
      return authorization;
    } catch (error) {
      if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
      const fallback = this.cards.fallback(shown, performance.now());
      log.warn('nobody could say whether a card may charge', {
        station: stationId,
        error: error.message,
        fallback: fallback !== undefined,
      });
      return fallback ?? { status: 'Invalid', authMethod: 'WHITELIST', isUnsaid: true };
    }
  }

  /**
   * Waits for tokens-auth where it is not there: after a restart stations come back with the starts of
   * charges that nobody could be billed for if their cards were said to be invalid.
   */
  private async askWhoever(card: { stationId: string; idTag: string; connectorId?: number }) {
    const giveUpAt = performance.now() + AUTHORIZE_WITHIN_MS;
    for (;;) {
      const timeoutMs = Math.max(giveUpAt - performance.now(), 1);
      try {
        return await this.parts.bus.ask(authorize, card, { timeoutMs });
      } catch (error) {
        const isAway = error instanceof Unanswered && error.reason === 'offline';
        if (!isAway || performance.now() + ASK_AGAIN_MS > giveUpAt) throw error;
        await sleep(ASK_AGAIN_MS);
      }
    }
  }
}

/** What is kept of a station's password: of no use without the platform's secret. */
function secretHash(key: Buffer, stationId: string, password: Buffer): Buffer {
  const digest = createHash('sha256').update(password).digest();
  return createHmac('sha256', key).update(`${stationId}\0`).update(digest).digest();
}
