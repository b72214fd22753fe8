import {
  type Bus,
  busMigrations,
  connectBus,
  type Outbox,
  outbox,
  type Relay,
  startRelay,
  told,
} from '#bus';
import {
  connectorStatusChanged,
  LimitKind,
  meterRead,
  Outcome,
  type SetLimit,
  setLimit,
  stationBooted,
  stationConnected,
  stationDisconnected,
  transactionStarted,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import { type Database, openDatabase } from '#postgres';
import type { TestPlatform } from '#test-servers';
import { instant, rfc3339 } from '#time';

type Answers = (order: SetLimit) => Outcome | Promise<Outcome>;

/** What a station's connector holds of the orders that it obeyed. */
interface Held {
  failSafeMa: number;
  lease: { readonly limitMa: number; readonly until: number } | undefined;
}

/**
 * The other side of the contract with ocpp-gateway: it holds the asks of stations and tells their
 * facts from a log of its own. Every order is kept, with the current that all may draw after it.
 */
export class GatewaySide {
  readonly orders: SetLimit[] = [];
  readonly sumsMa: number[] = [];
  answer: Answers = () => Outcome.ACCEPTED;
  private readonly held = new Map<string, Held>();
  private readonly holds = new Map<string, { release(): Promise<void> }>();
  private readonly connections = new Map<string, number>();
  private transactions = 0;

  private constructor(
    readonly bus: Bus,
    private readonly db: Database,
    private readonly log: Outbox,
    private readonly relay: Relay,
  ) {}

  static async on({ env, platform, databaseUrl }: TestPlatform): Promise<GatewaySide> {
    const bus = await connectBus({ natsUrl: env['NATS_URL']!, platform, service: 'ocpp-gateway' });
    const db = await openDatabase({
      url: databaseUrl,
      schema: 'ocpp_gateway',
      migrations: busMigrations,
    });
    const log = outbox('ocpp-gateway', db);
    return new GatewaySide(bus, db, log, startRelay(bus, log));
  }

  async close(): Promise<void> {
    await this.relay.close();
    await this.bus.close();
    await this.db.close();
  }

  /** The most that a station lets its car draw. */
  mayDrawMa(stationId: string, now = Date.now()): number {
    const held = this.held.get(stationId);
    if (!held) return 0;
    return held.lease && held.lease.until > now ? held.lease.limitMa : held.failSafeMa;
  }

  async connect(...stationIds: string[]): Promise<void> {
    for (const stationId of stationIds) {
      this.connections.set(stationId, (this.connections.get(stationId) ?? 0) + 1);
      const held = await this.bus.hold(setLimit, stationId, (orders) => this.obey(orders));
      this.holds.set(stationId, held);
    }
    const at = now();
    await this.say(
      ...stationIds.flatMap((stationId) => [
        told(stationConnected, {
          stationId,
          at,
          epoch: this.connections.get(stationId)!,
          ocppVersion: '1.6',
        }),
        told(stationBooted, {
          stationId,
          at,
          vendor: 'Test',
          model: 'L2',
          serial: stationId,
          firmware: '1',
        }),
        told(connectorStatusChanged, {
          stationId,
          connectorId: 1,
          status: 'Available',
          errorCode: 'NoError',
          at,
        }),
      ]),
    );
  }

  async disconnect(stationId: string): Promise<void> {
    await this.holds.get(stationId)?.release();
    const epoch = this.connections.get(stationId)!;
    await this.say(told(stationDisconnected, { stationId, at: now(), epoch, reason: 'closed' }));
  }

  async start(stationId: string, status = 'Accepted', startedAt = now()): Promise<string> {
    const transactionId = String((this.transactions += 1));
    const authorization = { status, authMethod: 'WHITELIST' };
    await this.say(
      told(transactionStarted, {
        stationId,
        transactionId,
        connectorId: 1,
        idTag: 'TAG',
        meterStartWh: '0',
        startedAt,
        authorization,
      }),
      told(connectorStatusChanged, {
        stationId,
        connectorId: 1,
        status: 'Charging',
        errorCode: 'NoError',
        at: startedAt,
      }),
    );
    return transactionId;
  }

  async stop(stationId: string, transactionId: string, stoppedAt = now()): Promise<void> {
    await this.say(
      told(transactionStopped, {
        stationId,
        transactionId,
        connectorId: 1,
        meterStopWh: '100',
        stoppedAt,
        reason: 'EVDisconnected',
      }),
      told(connectorStatusChanged, {
        stationId,
        connectorId: 1,
        status: 'Available',
        errorCode: 'NoError',
        at: stoppedAt,
      }),
    );
  }

  async measure(stationId: string, currentMa: number): Promise<void> {
    const readings = [{ at: now(), currentMa: [currentMa], context: 'Sample.Periodic' }];
    await this.say(told(meterRead, { stationId, connectorId: 1, readings }));
  }

  private async obey(orders: SetLimit[]) {
    const answers = [];
    for (const order of orders) {
      this.orders.push(order);
      const outcome = await this.answer(order);
      if (outcome === Outcome.ACCEPTED) this.install(order);
      const sumMa = [...this.held.keys()].reduce(
        (sum, stationId) => sum + this.mayDrawMa(stationId),
        0,
      );
      this.sumsMa.push(sumMa);
      answers.push({ outcome });
    }
    return answers;
  }

  private install({ stationId, kind, limitMa, leaseUntil }: SetLimit): void {
    const held = this.held.get(stationId) ?? { failSafeMa: 0, lease: undefined };
    if (kind === LimitKind.FAIL_SAFE) held.failSafeMa = limitMa;
    else held.lease = { limitMa, until: instant(leaseUntil!) };
    this.held.set(stationId, held);
  }

  private say(...facts: Parameters<Outbox['tell']>[1]): Promise<void> {
    return this.db.tx((tx) => this.log.tell(tx, facts));
  }
}

const now = (): string => rfc3339(Date.now());
