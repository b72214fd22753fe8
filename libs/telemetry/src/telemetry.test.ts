import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { log } from './log.ts';
import { currentTraceparent, inSpan, startTelemetry, tracer, withTraceparent } from './telemetry.ts';
import { readSpans, readTrace, traceTree } from './trace-tree.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'roamwatt-traces-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const indexFile = JSON.stringify(new URL('index.ts', import.meta.url).href);

/** Runs a script as a process of its own. */
function runNode(script: string, env: Record<string, string | undefined>) {
  const args = ['--input-type=module', '-e', script];
  return promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
}

const start = () => startTelemetry({ service: 'all-in-one', platform: 'oasis', tracesTo: dir, env: {} });

test('without a place to write to nothing is traced, and the work is done', async () => {
  const telemetry = await startTelemetry({ service: 'sessions', platform: 'oasis', env: {} });
  expect(telemetry.traces).toBe(false);
  const seen = inSpan(tracer('sessions'), 'start', {}, () => withTraceparent(undefined, currentTraceparent));
  expect(seen).toBeUndefined();
  await telemetry.shutdown();
});

test('a trace follows a charge from one service to the next, by the traceparent between them', async () => {
  const telemetry = await start();
  let carried: string | undefined;
  await inSpan(tracer('ocpp-gateway'), 'StartTransaction', { station: 'CA*BCT*1' }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    carried = currentTraceparent();
  });
  expect(carried).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  withTraceparent(carried, () => inSpan(tracer('sessions'), 'SessionStarted', {}, () => {}));
  await telemetry.shutdown();

  const [gateway, sessions] = readTrace(dir, (span) => span.name === 'StartTransaction');
  expect(gateway).toMatchObject({ platform: 'oasis', service: 'ocpp-gateway', attributes: { station: 'CA*BCT*1' } });
  expect(gateway!.durationUs).toBeGreaterThan(1_000);
  expect(sessions).toMatchObject({ service: 'sessions', parentId: gateway!.spanId, traceId: gateway!.traceId });
});

test('a message without a traceparent starts a trace of its own, also inside another span', async () => {
  const telemetry = await start();
  inSpan(tracer('a'), 'outer', {}, () => {
    withTraceparent(undefined, () => inSpan(tracer('a'), 'alone', {}, () => {}));
    withTraceparent('00-nonsense', () => inSpan(tracer('a'), 'broken', {}, () => {}));
  });
  await telemetry.shutdown();
  expect(new Set(readSpans(dir).map((span) => span.traceId)).size).toBe(3);
});

test('a span of failed work says so, and the error goes on', async () => {
  const telemetry = await start();
  expect(() => inSpan(tracer('a'), 'sync', {}, () => { throw new Error('no'); })).toThrow('no');
  const later = inSpan(tracer('a'), 'async', {}, async () => { throw new Error('later no'); });
  await expect(later).rejects.toThrow('later no');
  await telemetry.shutdown();
  expect(readSpans(dir).map(({ name, error }) => [name, error])).toEqual([['sync', 'no'], ['async', 'later no']]);
});

test('services of one process share one start, and the last one out writes the end', async () => {
  const first = await start();
  const second = await startTelemetry({ service: 'sessions', platform: 'oasis', env: {} });
  expect(second.traces).toBe(true);
  await first.shutdown();
  await first.shutdown();
  inSpan(tracer('sessions'), 'after the first left', {}, () => {});
  await second.shutdown();
  expect(readSpans(dir).map((span) => span.name)).toEqual(['after the first left']);
});

test('secrets in attributes are masked, and a log line names its trace', async () => {
  const telemetry = await start();
  const lines: string[] = [];
  inSpan(tracer('a'), 'authorize', { uid: '04AB', station: 'S' }, () => {
    log('a', { write: (line) => lines.push(line) }).warn('unknown card');
  });
  await telemetry.shutdown();
  const [span] = readSpans(dir);
  expect(span!.attributes).toEqual({ uid: '***', station: 'S' });
  expect(JSON.parse(lines[0]!).trace).toBe(span!.traceId);
});

test('spans of several processes make one tree; one left half by a kill spoils nothing', async () => {
  const telemetry = await start();
  const script = `
    const { inSpan, startTelemetry, tracer, withTraceparent } = await import(${indexFile});
    const telemetry = await startTelemetry({ service: 'locations', platform: 'plunk' });
    withTraceparent(process.env.PARENT, () => inSpan(tracer('locations'), 'PATCH EVSE', {}, () => {}));
    await telemetry.shutdown();`;
  await inSpan(tracer('ocpi-gateway'), 'push status', {}, () =>
    runNode(script, { ROAMWATT_TRACE_DIR: dir, PARENT: currentTraceparent() }));
  await telemetry.shutdown();
  writeFileSync(join(dir, 'killed.jsonl'), '{"traceId":"4b');

  const tree = traceTree(dir, (span) => span.name === 'push status');
  expect(tree).toMatch(/2 spans, 2 services/);
  expect(tree).toMatch(/^oasis\/ocpi-gateway: push status .* ms$/m);
  expect(tree).toMatch(/^└─ plunk\/locations: PATCH EVSE .* ms$/m);
  expect(traceTree(dir, () => false)).toMatch(/^No such trace/);
});

test('with an OTLP endpoint the spans are sent there, under the service and its platform', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (part: string) => { body += part; }).on('end', () => {
      bodies.push(`${request.url} ${body}`);
      response.end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const script = `
    const { inSpan, startTelemetry, tracer } = await import(${indexFile});
    const telemetry = await startTelemetry({ service: 'locations', platform: 'plunk' });
    inSpan(tracer('locations'), 'PATCH EVSE', {}, () => {});
    await telemetry.shutdown();`;
  const { port } = collector.address() as AddressInfo;
  await runNode(script, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  collector.close();
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toMatch(/^\/v1\/traces [^]*locations[^]*PATCH EVSE/);
  expect(bodies[0]).toContain('plunk');
});
