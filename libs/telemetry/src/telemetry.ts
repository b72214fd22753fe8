import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { NodeSDK } from '@opentelemetry/sdk-node';
import { masked } from './mask.ts';
import { SpanFile } from './span-file.ts';

export interface TelemetryOptions {
  /** What the process is called: a service, or the host of several. */
  readonly service: string;
  readonly platform: string;
  /** Folder for JSON lines of spans; by default the environment's ROAMWATT_TRACE_DIR. */
  readonly tracesTo?: string | undefined;
  /** Where ROAMWATT_TRACE_DIR and OTEL_EXPORTER_OTLP_ENDPOINT are read; by default process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Telemetry {
  /** Whether spans go anywhere. */
  readonly traces: boolean;
  /** Writes out what is buffered. The last of a process's handles also stops the SDK. */
  shutdown(): Promise<void>;
}

let sdk: Promise<NodeSDK> | undefined;
let handles = 0;
let tracing = false;

/**
 * Starts tracing for this process: into `tracesTo` (one file per process, spans of all its services),
 * else over OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set, else nowhere; then the SDK is not even
 * loaded and `inSpan` is a plain call. Calling it again in one process (each service of a host does)
 * joins the first start; every handle has to be shut down.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const env = options.env ?? process.env;
  const tracesTo = options.tracesTo ?? env['ROAMWATT_TRACE_DIR'];
  if (!sdk && !tracesTo && !env['OTEL_EXPORTER_OTLP_ENDPOINT']) {
    return { traces: false, shutdown: async () => {} };
  }
  handles += 1;
  sdk ??= startSdk(options, tracesTo || undefined);
  await sdk;
  let open = true;
  return {
    traces: true,
    async shutdown() {
      if (!open) return;
      open = false;
      handles -= 1;
      if (handles === 0) await stopSdk();
    },
  };
}

async function startSdk(options: TelemetryOptions, tracesTo: string | undefined): Promise<NodeSDK> {
  const { NodeSDK } = await import('@opentelemetry/sdk-node'); // 0.4 s of CPU: only for those who trace.
  const started = new NodeSDK({
    serviceName: options.service,
    resourceDetectors: [
      { detect: () => ({ attributes: { 'service.namespace': options.platform, 'process.pid': process.pid } }) },
    ],
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    ...(tracesTo ? { spanProcessors: [new SpanFile(tracesTo, options)] } : {}),
  });
  started.start();
  tracing = true;
  return started;
}

async function stopSdk(): Promise<void> {
  const stopping = sdk;
  sdk = undefined;
  tracing = false;
  await (await stopping)?.shutdown();
  // Forgotten, so that a later start in this process (a test) can register again.
  trace.disable();
  context.disable();
  propagation.disable();
}

/** The tracer of one service; several services may live in one process. */
export function tracer(service: string): Tracer {
  return trace.getTracer(service);
}

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/**
 * Runs `fn` inside a span, ends it when `fn` (or its promise) is done, and marks it failed when it
 * throws. Values of secret-named attributes are masked.
 */
export function inSpan<T>(by: Tracer, name: string, attributes: Attributes, fn: (span: Span) => T): T {
  if (!tracing) return fn(NO_SPAN);
  return by.startActiveSpan(name, { attributes: masked(attributes) as Attributes }, (span) => {
    let result: T;
    try {
      result = fn(span);
    } catch (error) {
      throw failed(span, error);
    }
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    return result.then(
      (value) => {
        span.end();
        return value;
      },
      (error: unknown) => {
        throw failed(span, error);
      },
    ) as T;
  });
}

function failed(span: Span, error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException(error instanceof Error ? error : message);
  span.end();
  return error;
}

/** The active span as a W3C `traceparent`; undefined when nothing is traced here. */
export function currentTraceparent(): string | undefined {
  if (!tracing) return undefined;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'];
}

/**
 * Runs `fn` as a continuation of the trace that a message or request brought. Without a `traceparent`
 * (or with a broken one) `fn` starts a trace of its own, whatever span is active where it is called.
 */
export function withTraceparent<T>(traceparent: string | undefined, fn: () => T): T {
  if (!tracing) return fn();
  const parent = traceparent ? propagation.extract(ROOT_CONTEXT, { traceparent }) : ROOT_CONTEXT;
  return context.with(parent, fn);
}
