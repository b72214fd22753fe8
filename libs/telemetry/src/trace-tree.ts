import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One span, as a line of a trace file says it. Times are real, not the platform's faster clock. */
export interface RecordedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string;
  readonly platform: string;
  /** The service that made the span; one process may hold several. */
  readonly service: string;
  readonly pid: number;
  readonly name: string;
  readonly startedAtUs: number;
  readonly durationUs: number;
  readonly error?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** All spans of all processes that wrote into `dir`; a line that a killed process left half is skipped. */
export function readSpans(dir: string): RecordedSpan[] {
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.jsonl')).sort() : [];
  return files.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').flatMap(parsedLine));
}

function parsedLine(line: string): RecordedSpan[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line) as RecordedSpan];
  } catch {
    return [];
  }
}

/**
 * The spans of one trace: of those that hold a span which `rootFilter` accepts, the one that crosses
 * the most services, then the largest. Empty when there is none.
 */
export function readTrace(dir: string, rootFilter: (span: RecordedSpan) => boolean): RecordedSpan[] {
  const traces = Map.groupBy(readSpans(dir), (span) => span.traceId);
  const candidates = [...traces.values()].filter((spans) => spans.some(rootFilter));
  candidates.sort((a, b) => places(b).size - places(a).size || b.length - a.length);
  return candidates[0] ?? [];
}

/** `readTrace`, drawn; a plain sentence when no such trace was written. */
export function traceTree(dir: string, rootFilter: (span: RecordedSpan) => boolean): string {
  const spans = readTrace(dir, rootFilter);
  return spans.length === 0 ? `No such trace in ${dir}.\n` : renderTrace(spans);
}

interface Row {
  readonly left: string;
  readonly span?: RecordedSpan;
}

const shownAlike = 3;

/**
 * A trace as a tree: each line a span with its service, when it started after the first, and how long
 * it took. Of more than three alike siblings the rest are counted on one line.
 */
export function renderTrace(spans: readonly RecordedSpan[]): string {
  const ordered = [...spans].sort((a, b) => a.startedAtUs - b.startedAtUs);
  const known = new Set(ordered.map((span) => span.spanId));
  // A span whose parent was never written (its process was killed) stands at the top.
  const children = Map.groupBy(ordered, ({ parentId }) => (parentId && known.has(parentId) ? parentId : ''));
  const rows: Row[] = [];
  addRows(rows, children, '', '');

  const startUs = ordered[0]?.startedAtUs ?? 0;
  const endUs = Math.max(...ordered.map((span) => span.startedAtUs + span.durationUs));
  const width = Math.min(90, Math.max(...rows.map((row) => row.left.length)));
  const lines = rows.map(({ left, span }) => (span ? `${left.padEnd(width)} ${figures(span, startUs)}` : left));
  const counts = `${ordered.length} spans, ${places(spans).size} services`;
  const title = `trace ${ordered[0]?.traceId}: ${counts}, ${ms(endUs - startUs)}`;
  return `${[title, ...lines].map((line) => line.trimEnd()).join('\n')}\n`;
}

function addRows(rows: Row[], children: Map<string, RecordedSpan[]>, parent: string, indent: string): void {
  const siblings = children.get(parent) ?? [];
  const seen = new Map<string, number>();
  const shown = siblings.filter((span) => {
    const count = (seen.get(alike(span)) ?? 0) + 1;
    seen.set(alike(span), count);
    return count <= shownAlike;
  });
  const rest = [...seen].flatMap(([like, count]) =>
    count > shownAlike ? [`${count - shownAlike} more ${like}`] : []);
  const isRoot = parent === '';
  shown.forEach((span, i) => {
    const isLast = i === shown.length - 1 && rest.length === 0;
    rows.push({ left: `${indent}${isRoot ? '' : isLast ? '└─ ' : '├─ '}${alike(span)}`, span });
    addRows(rows, children, span.spanId, `${indent}${isRoot ? '' : isLast ? '   ' : '│  '}`);
  });
  rest.forEach((text, i) => {
    rows.push({ left: `${indent}${isRoot ? '' : i === rest.length - 1 ? '└─ ' : '├─ '}… ${text}` });
  });
}

function alike(span: RecordedSpan): string {
  return `${span.platform}/${span.service}: ${span.name}`;
}

function figures(span: RecordedSpan, startUs: number): string {
  const what = Object.entries(span.attributes).slice(0, 4).map(([key, value]) => `${key}=${short(value)}`);
  return [
    `+${ms(span.startedAtUs - startUs)}`.padStart(12),
    ms(span.durationUs).padStart(11),
    ...(span.error === undefined ? [] : [`FAILED ${short(span.error)}`]),
    ...what,
  ].join(' ');
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function ms(microseconds: number): string {
  return `${(microseconds / 1e3).toFixed(1)} ms`;
}

function places(spans: readonly RecordedSpan[]): Set<string> {
  return new Set(spans.map((span) => `${span.platform}/${span.service}`));
}
