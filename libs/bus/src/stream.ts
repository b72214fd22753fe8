import {
  jetstreamManager,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  DiscardPolicy,
  type StreamConfig,
} from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { Context } from './contract.ts';
import { kindOfSubject, streamName, tellSubjects, token } from './subjects.ts';
import type { ToldRow } from './tell-source.ts';

/** A told fact as it lies in the stream, with the position of the one told before it. */
export interface StreamFact extends ToldRow {
  /** The position of the last fact told before: whoever has read up to there misses nothing. */
  readonly after: bigint;
}

export interface StreamOptions {
  readonly platform: string;
  readonly context: Context;
  readonly retentionMs: number;
  readonly replicas: number;
}

export function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(connection, { checkAPI: false, timeout: 5_000 });
}

/** Makes the context's stream, or brings its configuration up to date. */
export async function ensureStream(
  manager: JetStreamManager,
  options: StreamOptions,
): Promise<void> {
  const name = streamName(options.platform, options.context);
  const wanted: Partial<StreamConfig> & { name: string } = {
    name,
    subjects: tellSubjects(options.platform, options.context),
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: options.retentionMs * 1_000_000,
    // Nothing here relies on it; the server wants it within max_age.
    duplicate_window: Math.min(options.retentionMs, 60_000) * 1_000_000,
    num_replicas: options.replicas,
    allow_direct: true,
    allow_atomic: true,
  };
  const { config } = await manager.streams.add(wanted).catch((error: unknown) => {
    if (isCode(error, STREAM_NAME_IN_USE)) return manager.streams.info(name);
    throw error;
  });
  const differs = (Object.keys(wanted) as (keyof StreamConfig)[]).some(
    (key) => JSON.stringify(config[key]) !== JSON.stringify(wanted[key]),
  );
  if (differs) await manager.streams.update(name, wanted);
}

const STREAM_NAME_IN_USE = 10058;
export const STREAM_NOT_FOUND = 10059;
export const WRONG_LAST_SEQUENCE = 10071;

export function isCode(error: unknown, code: number): boolean {
  return (error as { code?: unknown } | null)?.code === code;
}

export interface StreamEnd {
  readonly lastSequence: number;
  /** Absent when the stream is empty: new, or all that it had has expired. */
  readonly last?: StreamFact;
}

/** The stream's end as its leader knows it. Throws `STREAM_NOT_FOUND`. */
export async function streamEnd(manager: JetStreamManager, name: string): Promise<StreamEnd> {
  const { state } = await manager.streams.info(name);
  // The last that is there: a message that was removed from the end is told again.
  const message =
    state.messages > 0 ? await manager.streams.getMessage(name, { last_by_subj: '>' }) : null;
  if (!message) return { lastSequence: state.last_seq };
  return {
    lastSequence: state.last_seq,
    last: readFact(message.subject, message.header, message.data),
  };
}

/**
 * The sequence of the first message after a position, by halving: positions grow with the sequence,
 * whatever the sequences are after the stream was made anew.
 */
export async function sequenceAfter(
  manager: JetStreamManager,
  name: string,
  position: bigint,
): Promise<number> {
  const { state } = await manager.streams.info(name);
  let low = Math.max(state.first_seq, 1);
  let high = state.last_seq + 1;
  while (low < high) {
    // Most listeners are at the end or near it: look there first.
    const middle = high > state.last_seq ? state.last_seq : Math.floor((low + high) / 2);
    // The first message from there on: single ones may have been removed.
    const query = { seq: middle, next_by_subj: '>' };
    const message = await manager.streams.getMessage(name, query);
    if (
      message &&
      message.seq < high &&
      readFact(message.subject, message.header, message.data).position <= position
    ) {
      low = message.seq + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

export function factHeaders(row: ToldRow, after: bigint): MsgHdrs {
  const made = headers();
  made.set('Position', String(row.position));
  made.set('After', String(after));
  made.set('Event', token(row.id));
  made.set('Key', token(row.key));
  made.set('At', row.at);
  if (row.trace) made.set('traceparent', row.trace);
  return made;
}

/** Throws when the message is none of ours. */
export function readFact(
  subject: string,
  header: MsgHdrs | undefined,
  bytes: Uint8Array,
): StreamFact {
  const kind = kindOfSubject(subject);
  const position = header?.get('Position');
  if (!header || !position || kind === undefined) {
    throw new Error(`a message without a position in ${subject}`);
  }
  return {
    position: BigInt(position),
    after: BigInt(header.get('After')),
    id: decodeURIComponent(header.get('Event')),
    key: decodeURIComponent(header.get('Key')),
    kind,
    bytes,
    trace: header.get('traceparent') || undefined,
    at: header.get('At'),
  };
}
