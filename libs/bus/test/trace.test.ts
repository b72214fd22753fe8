import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hears, listen, outbox, startRelay } from '#bus';
import { inSpan, readSpans, startTelemetry, tracer } from '#telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counted, echo } from './contracts.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

let place: Place;
let dir: string;
beforeEach(async () => {
  place = await freshPlace();
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-trace-'));
});
afterEach(async () => {
  await place.close();
  rmSync(dir, { recursive: true, force: true });
});

test('a trace goes from an ask to its handler and with the told fact to who hears it; two at once stay apart', async () => {
  const telemetry = await startTelemetry({
    service: 'test',
    platform: place.platform,
    tracesTo: dir,
  });
  const teller = await place.open('sessions');
  const box = outbox('sessions', teller);
  const sessions = await place.join('sessions');
  const relay = startRelay(sessions, box);
  await sessions.answer(echo, async (requests) => {
    await tellAll(
      teller,
      box,
      requests.map(({ value }) => value),
    );
    return requests.map(({ value }) => ({ value }));
  });
  const listener = await place.open('cdr_ledger');
  const heard: string[] = [];
  const listening = await listen(await place.join('cdr-ledger'), listener, {
    listener: 'cdr-ledger',
    hearings: [
      hears(counted, ({ value }) => {
        heard.push(value);
      }),
    ],
  });
  const portal = await place.join('portal');
  await Promise.all(
    ['a:1', 'b:1'].map((value) =>
      inSpan(tracer('portal'), 'a driver taps', {}, () => portal.ask(echo, { value })),
    ),
  );
  await eventually(
    async () => heard,
    (seen) => seen.length >= 2,
  );
  await listening.close();
  await relay.close();
  await telemetry.shutdown();

  const spans = readSpans(dir);
  const roots = spans.filter(({ name }) => name === 'a driver taps');
  expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(2);
  for (const { traceId } of roots) {
    const inOrder: string[] = [];
    for (
      let parent: string | undefined, rest = spans.filter((span) => span.traceId === traceId);
      rest.length > 0;
    ) {
      const next = rest.find((span) => span.parentId === parent);
      inOrder.push(`${next?.service}: ${next?.name}`);
      parent = next?.spanId;
      rest = rest.filter((span) => span !== next && next !== undefined);
    }
    expect(inOrder).toEqual([
      'portal: a driver taps',
      'portal: ask sessions.echo',
      'sessions: answer sessions.echo',
      'cdr-ledger: hear sessions number.counted.v1',
    ]);
  }
});
