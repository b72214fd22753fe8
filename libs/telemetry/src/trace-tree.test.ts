import { expect, test } from 'vitest';
import { type RecordedSpan, renderTrace } from './trace-tree.ts';

let last = 0;
function span(name: string, parentId?: string, more: Partial<RecordedSpan> = {}): RecordedSpan {
  last += 1;
  return {
    traceId: 't', spanId: `s${last}`, ...(parentId ? { parentId } : {}),
    platform: 'oasis', service: 'sessions', pid: 1, name, startedAtUs: last * 1_000,
    durationUs: 500, attributes: {}, ...more,
  };
}

test('a tree shows the order, the nesting, and a failure', () => {
  const root = span('charge', undefined, { durationUs: 9_000 });
  const frame = span('StartTransaction', root.spanId);
  const spans = [root, frame, span('append', frame.spanId), span('push', root.spanId, { error: 'partner is down' })];
  const lines = renderTrace(spans).split('\n');
  expect(lines[0]).toBe('trace t: 4 spans, 1 services, 9.0 ms');
  expect(lines[1]).toMatch(/^oasis\/sessions: charge +\+0\.0 ms +9\.0 ms$/);
  expect(lines[2]).toMatch(/^├─ oasis\/sessions: StartTransaction +\+1\.0 ms +0\.5 ms$/);
  expect(lines[3]).toMatch(/^│ {2}└─ oasis\/sessions: append/);
  expect(lines[4]).toMatch(/^└─ oasis\/sessions: push .* FAILED partner is down$/);
});

test('of many alike spans three are shown and the rest are counted', () => {
  const root = span('charge');
  const reads = Array.from({ length: 60 }, () => span('MeterValues', root.spanId));
  const tree = renderTrace([root, ...reads]);
  expect(tree.split('\n')).toHaveLength(7);
  expect(tree).toContain('└─ … 57 more oasis/sessions: MeterValues');
});

test('a span whose parent was never written stands at the top', () => {
  expect(renderTrace([span('orphan', 'gone')])).toMatch(/^oasis\/sessions: orphan/m);
});
