import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SpanStatusCode } from '@opentelemetry/api';
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { RecordedSpan } from './trace-tree.ts';

type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
type ReadableSpan = Parameters<SpanProcessor['onEnd']>[0];

const flushEveryMs = 50;

/**
 * Writes every ended span as one JSON line into `<dir>/<platform>-<service>-<pid>.jsonl`. Lines are
 * gathered for 50 ms and written in one call: a killed process loses at most that.
 */
export class SpanFile implements SpanProcessor {
  readonly #platform: string;
  readonly #file: number;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  constructor(dir: string, { platform, service }: { platform: string; service: string }) {
    mkdirSync(dir, { recursive: true });
    this.#platform = platform;
    this.#file = openSync(join(dir, `${platform}-${service}-${process.pid}.jsonl`), 'a');
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (!this.#open) return;
    this.#lines.push(JSON.stringify(recorded(span, this.#platform)));
    this.#timer ??= setTimeout(() => this.#write(), flushEveryMs).unref();
  }

  async forceFlush(): Promise<void> {
    this.#write();
  }

  async shutdown(): Promise<void> {
    if (!this.#open) return;
    this.#write();
    this.#open = false;
    closeSync(this.#file);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length > 0) writeSync(this.#file, `${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

function recorded(span: ReadableSpan, platform: string): RecordedSpan {
  const { traceId, spanId } = span.spanContext();
  const parentId = span.parentSpanContext?.spanId;
  return {
    traceId,
    spanId,
    ...(parentId ? { parentId } : {}),
    platform,
    service: span.instrumentationScope.name,
    pid: process.pid,
    name: span.name,
    startedAtUs: microseconds(span.startTime),
    durationUs: microseconds(span.duration),
    ...(span.status.code === SpanStatusCode.ERROR ? { error: span.status.message ?? 'failed' } : {}),
    attributes: span.attributes,
  };
}

function microseconds([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1e6 + Math.round(nanoseconds / 1e3);
}
