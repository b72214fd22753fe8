export type { Attributes, Span, Tracer } from '@opentelemetry/api';
export { type Fields, log, type Level, type Log, type LogOptions } from './log.ts';
export { readSpans, type RecordedSpan, traceTree } from './trace-tree.ts';
export {
  currentTraceparent,
  inSpan,
  startTelemetry,
  type Telemetry,
  type TelemetryOptions,
  tracer,
  withTraceparent,
} from './telemetry.ts';
