import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import {
  type AskContract, type Bus, busMigrations, connectBus, type Context, type Fact, hears, listen, type Outbox, outbox,
  Refused, startRelay, TooLarge, Unanswered,
} from '#bus';
import { type CdrIssued, cdrIssued, type CdrReceived, cdrReceived } from '#contracts/cdr-ledger';
import { type Database, DatabaseFailure, openDatabase } from '#postgres';
import pg from 'pg';
import { log } from '#telemetry';
import type { LedgerSide } from './torture-stage.ts';

export interface Ears {
  issued(fact: CdrIssued): void;
  received(fact: CdrReceived): void;
}

/** Who lives beside a ledger on its platform: tells it facts, asks it, hears what it tells. */
export interface Neighbour {
  readonly side: LedgerSide;
  /** Tells them, however often it takes: when a commit's outcome is not known, they are told twice. */
  tell(as: 'sessions' | 'ocpi-gateway' | 'agreements' | 'tokens-auth', ...facts: Fact[]): Promise<void>;
  /** Asks until there is an answer or a refusal for good; under the same command id. */
  ask<Q extends DescMessage, A extends DescMessage>(
    contract: AskContract<Q, A>,
    request: MessageInitShape<Q>,
    commandId?: string,
  ): Promise<MessageShape<A> | Refused>;
  /** How many asks were asked again, by the reason. */
  readonly askedAgain: Map<string, number>;
  /** A superuser's query on the ledger's tables, when no server is struck any more. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const ASK_TIMEOUT_MS = 3_000;
const PAUSE_MS = 100;
/** A minute of pauses at least: no fault lasts so long. */
const TRIES = 600;
/** Of the bus and of ledgers whose database is away: they pass. */
const PASSING = new Set(['internal', 'unanswered', 'overloaded', 'too-late']);

export async function neighbourOf(side: LedgerSide, ears: Ears): Promise<Neighbour> {
  const quiet = log('neighbours', { level: 'silent' });
  const { natsUrl, platform, databaseUrl } = side;
  const bus = await connectBus({ natsUrl, platform, service: 'neighbours', log: quiet });
  const open = (schema: string) => openDatabase({ url: databaseUrl, schema, migrations: busMigrations });
  const contexts = ['sessions', 'ocpi-gateway', 'agreements', 'tokens-auth'] as const satisfies readonly Context[];
  const [own, ...dbs] = await Promise.all(['neighbours', ...contexts].map((name) => open(name.replace('-', '_'))));
  const boxes = new Map(contexts.map((context, n) => [context, { db: dbs[n]!, box: outbox(context, dbs[n]!) }]));
  const relays = [...boxes.values()].map(({ box }) => startRelay(bus, box));
  const listening = await listen(bus, own!, {
    listener: 'neighbours',
    hearings: [hears(cdrIssued, (fact) => ears.issued(fact)), hears(cdrReceived, (fact) => ears.received(fact))],
  });
  const superuser = new pg.Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 500 });
  superuser.on('error', () => {});
  const askedAgain = new Map<string, number>();
  const again = (reason: string) => askedAgain.set(reason, (askedAgain.get(reason) ?? 0) + 1);
  return {
    side,
    tell: (as, ...facts) => tellThrough(boxes.get(as)!, facts),
    ask: (contract, request, commandId) => askUntilAnswered(() =>
      bus.ask(contract, request, { timeoutMs: ASK_TIMEOUT_MS, ...(commandId ? { commandId } : {}) }), again),
    askedAgain,
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await superuser.query<Row>(text, [...values])).rows,
    async close() {
      await listening.close();
      await Promise.all(relays.map((relay) => relay.close()));
      await Promise.all([closeAll(bus, [own!, ...dbs]), superuser.end()]);
    },
  };
}

async function closeAll(bus: Bus, dbs: readonly Database[]): Promise<void> {
  await bus.close();
  await Promise.all(dbs.map((db) => db.close()));
}

function tellThrough({ db, box }: { db: Database; box: Outbox }, facts: readonly Fact[]): Promise<void> {
  return untilDone(() => db.tx((tx) => box.tell(tx, facts)));
}

async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof DatabaseFailure) || error.failure === 'database-error' || tries === TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

async function askUntilAnswered<A>(attempt: () => Promise<A>, again: (reason: string) => void): Promise<A | Refused> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof TooLarge) return new Refused('too-large', error.message);
      const isPassing = error instanceof Unanswered || (error instanceof Refused && PASSING.has(error.code));
      if (error instanceof Refused && !isPassing) return error;
      if (!isPassing || tries === TRIES) throw error;
      again(error instanceof Refused ? error.code : error.reason);
      await sleep(PAUSE_MS);
    }
  }
}
