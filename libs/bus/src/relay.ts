import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager } from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import type { Bus } from './bus.ts';
import { slotOf, streamName, tellSubject } from './subjects.ts';
import {
  ensureStream,
  factHeaders,
  isCode,
  managerOf,
  streamEnd,
  WRONG_LAST_SEQUENCE,
} from './stream.ts';
import type { TellSource, ToldRow } from './tell-source.ts';
import { startTellingAgain } from './tell-again.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface RelayOptions {
  /** How long the stream keeps facts; default 7 days. Listeners further behind ask the source. */
  readonly retentionMs?: number;
  /** JetStream replicas in a cluster; default 1. */
  readonly replicas?: number;
}

export interface Relay {
  /** Resolves after `close`; rejects with `LogMismatch`, after which nothing more is told. */
  readonly stopped: Promise<void>;
  close(): Promise<void>;
}

/**
 * The stream holds a fact that the log does not: one of them was put back, or is another
 * platform's.
 */
export class LogMismatch extends Error {
  override readonly name = 'LogMismatch';
  constructor(
    readonly stream: string,
    readonly position: bigint,
    readonly idInStream: string,
    readonly idInLog: string | undefined,
  ) {
    super(
      `the stream ${stream} was not told from this log: at position ${position} it has ${idInStream}, ` +
        `the log ${idInLog ?? 'nothing'}`,
    );
  }
}

const RETENTION_MS = 7 * 24 * 3_600_000;
const MOST_MESSAGES = 500;
const MOST_BYTES = 1_000_000;
const ACK_TIMEOUT_MS = 5_000;
/** A relay that lost a race leaves the field to the winner for this long. */
const STAND_BY_MS = 200;
/** One that had not lost for this long did not race, but had not seen yet what another told: it goes on at once. */
const BEHIND_MS = 100;
const COMPACT_EVERY_MS = 3_600_000;

/**
 * Publishes what a source tells, in position order, in atomic batches that the server accepts only
 * at the end of the stream that this relay saw. It keeps no checkpoint: at the start, after any
 * error and after a reconnect it reads the stream's last message and goes on after its position. So
 * a relay beside it is refused by the server and reads again, and a stream that lost its tail gets
 * it back. Also answers listeners that come late (tell-again).
 */
export function startRelay(bus: Bus, source: TellSource, options: RelayOptions = {}): Relay {
  const closing = new AbortController();
  const again = startTellingAgain(bus, source);
  const relaying = new Relaying(bus, source, options);
  const stopped = relaying.run(closing.signal);
  stopped.catch((error: unknown) =>
    bus.log.error('nothing more is told', { context: source.context, error }),
  );
  return {
    stopped,
    async close() {
      closing.abort();
      await Promise.all([again.then((answering) => answering.stop()), stopped.catch(() => {})]);
    },
  };
}

class Relaying {
  private readonly name: string;
  private readonly retentionMs: number;
  private readonly replicas: number;
  private compactedAt = performance.now();

  constructor(
    private readonly bus: Bus,
    private readonly source: TellSource,
    options: RelayOptions,
  ) {
    this.name = streamName(bus.platform, source.context);
    this.retentionMs = options.retentionMs ?? RETENTION_MS;
    this.replicas = options.replicas ?? 1;
  }

  async run(closing: AbortSignal): Promise<void> {
    const manager = await managerOf(this.bus.connection);
    let lostAt = -Infinity;
    for (let failures = 0; !closing.aborted;) {
      const round = new AbortController();
      const forget = this.bus.onReconnect(() => round.abort());
      const signal = AbortSignal.any([closing, round.signal]);
      try {
        await unlessAborted(signal, this.relay(manager, signal));
        failures = 0;
      } catch (error) {
        if (error instanceof LogMismatch) throw error;
        const isLost = isCode(error, WRONG_LAST_SEQUENCE);
        failures = isLost ? 0 : failures + 1;
        if (failures > 0 && !signal.aborted) {
          this.bus.log.warn('telling is interrupted', { context: this.source.context, error });
        }
        const wasBehind = isLost && performance.now() - lostAt > BEHIND_MS;
        if (isLost) lostAt = performance.now();
        const ms = wasBehind ? 0 : STAND_BY_MS * (1 + Math.random()) * Math.min(2 ** failures, 32);
        await sleep(ms, undefined, { signal }).catch(() => {});
      } finally {
        forget();
        round.abort();
      }
    }
  }

  /** From the stream's end on, until the signal or an error. */
  private async relay(manager: JetStreamManager, signal: AbortSignal): Promise<void> {
    const { context } = this.source;
    const { retentionMs, replicas } = this;
    await ensureStream(manager, { platform: this.bus.platform, context, retentionMs, replicas });
    const end = await streamEnd(manager, this.name);
    let position =
      end.last?.position ?? (await this.source.positionBefore(new Date(Date.now() - retentionMs)));
    let sequence = end.lastSequence;
    if (end.last) {
      const idInLog = await this.source.idAt(position);
      if (idInLog !== end.last.id) throw new LogMismatch(this.name, position, end.last.id, idInLog);
    }
    await this.source.follow(
      position,
      async ({ rows }) => {
        for (const batch of cut(rows)) {
          if (signal.aborted) return;
          sequence = await this.publish(batch, { sequence, position });
          position = batch.at(-1)?.position ?? position;
        }
        await this.compact();
      },
      signal,
    );
  }

  /** The stream's last sequence afterwards. */
  private async publish(
    rows: readonly ToldRow[],
    end: { sequence: number; position: bigint },
  ): Promise<number> {
    const { connection, platform } = this.bus;
    const batch = nuid.next();
    let after = end.position;
    for (const [index, row] of rows.entries()) {
      const last = index === rows.length - 1;
      const header = factHeaders(row, after);
      after = row.position;
      if (index === 0) header.set('Nats-Expected-Last-Sequence', String(end.sequence));
      if (rows.length > 1) {
        header.set('Nats-Batch-Id', batch);
        header.set('Nats-Batch-Sequence', String(index + 1));
        if (last) header.set('Nats-Batch-Commit', '1');
      }
      const subject = tellSubject(platform, this.source.context, slotOf(row.key), row.kind);
      if (!last) {
        connection.publish(subject, row.bytes, { headers: header });
        continue;
      }
      const reply = await connection.request(subject, row.bytes, {
        headers: header,
        timeout: ACK_TIMEOUT_MS,
      });
      return sequenceOf(reply.json());
    }
    return end.sequence;
  }

  private async compact(): Promise<void> {
    if (!this.source.compact || performance.now() - this.compactedAt < COMPACT_EVERY_MS) return;
    this.compactedAt = performance.now();
    // Twice the retention, so that the row of the stream's last message is never among them.
    await this.source.compact(new Date(Date.now() - 2 * this.retentionMs));
  }
}

class NotTaken extends Error {
  constructor(
    readonly code: number | undefined,
    description: string,
  ) {
    super(`JetStream did not take the facts: ${description}`);
  }
}

function sequenceOf(ack: {
  seq?: number;
  error?: { err_code?: number; description?: string };
}): number {
  if (ack.error || ack.seq === undefined) {
    throw new NotTaken(ack.error?.err_code, ack.error?.description ?? 'no sequence');
  }
  return ack.seq;
}

/** Into batches that JetStream takes at once. */
function* cut(rows: readonly ToldRow[]): Generator<readonly ToldRow[]> {
  let batch: ToldRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (
      batch.length === MOST_MESSAGES ||
      (batch.length > 0 && bytes + row.bytes.length > MOST_BYTES)
    ) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += row.bytes.length;
  }
  if (batch.length > 0) yield batch;
}
