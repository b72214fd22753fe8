import { afterAll, beforeAll, expect, test } from 'vitest';
import { gaps, openYard } from './charger-yard.ts';
import type { Yard } from './charger-yard.ts';

let yard: Yard;
beforeAll(async () => {
  yard = await openYard([
    { id: 'offline' },
    { id: 'offline-card' },
    { id: 'offline-stranger', settings: { AllowOfflineTxForUnknownId: true } },
    { id: 'thrice' },
    { id: 'retried' },
    { id: 'mute' },
    { id: 'wrong', password: 'wrong' },
  ]);
});
afterAll(() => yard.close());

test('a charge goes on while the line is down, and what happened is told in order with its own times', async () => {
  const site = await yard.at('offline');
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.until({ event: 'transaction-known' });
  const before = site.received().length;
  await site.do({ do: 'drop-socket', forMs: 700 });
  await site.until({ event: 'disconnected' });
  const offline = site.later();
  await offline.until({ event: 'meter' });
  await offline.later().until({ event: 'meter' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.until({ event: 'transaction-stopped' });
  await site.until({ event: 'delivered', action: 'StopTransaction' });
  const told = site
    .received()
    .slice(before)
    .map((call) => call.action);
  expect(told).not.toContain('BootNotification');
  expect(told.filter((action) => action === 'StopTransaction').length).toBe(1);
  expect(told.lastIndexOf('MeterValues')).toBeLessThan(told.indexOf('StopTransaction'));
  // One that was on its way when the line dropped comes again.
  const times = new Set(
    site.calls('MeterValues').map(({ meterValue }) => Date.parse(meterValue[0]!.timestamp)),
  );
  expect(new Set(gaps([...times]))).toEqual(new Set([60_000]));
});

test('a charge begun and ended offline with a known card is told later, under the id it gets then', async () => {
  const site = await yard.at('offline-card');
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.do({ do: 'drop-socket', forMs: 600 });
  await site.until({ event: 'disconnected' });
  await site.do({ do: 'plug-in' });
  await site.until({ event: 'transaction-started' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.until({ event: 'delivered', action: 'StopTransaction' });
  const [stop] = site.calls('StopTransaction');
  const known = await site.until({ event: 'transaction-known' });
  expect(stop!.transactionId).toBe(known['transactionId']);
});

test('a refused card ends a charge that had begun', async () => {
  const site = await yard.at('offline-stranger');
  await site.do({ do: 'drop-socket', forMs: 4_000 });
  await site.until({ event: 'disconnected' });
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'STRANGER' });
  await site.until({ event: 'transaction-stopped', reason: 'DeAuthorized' });
  await site.until({ event: 'delivered', action: 'StopTransaction' });
});

test('a StopTransaction can come several times', async () => {
  const site = await yard.at('thrice');
  await site.do({ do: 'repeat-stop', times: 3 });
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.until({ event: 'transaction-known' });
  await site.do({ do: 'unplug' });
  await site.until(() => site.calls('StopTransaction').length === 3);
  const [first, ...others] = site.calls('StopTransaction');
  expect(first).toMatchObject({ reason: 'EVDisconnected' });
  for (const other of others) expect(other).toEqual(first);
});

test('a refused StopTransaction is tried again', async () => {
  const site = await yard.at('retried');
  yard.breakStops('retried', 2);
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.do({ do: 'unplug' });
  await site.until({ event: 'delivered', action: 'StopTransaction', tries: 3 });
});

test('a station that stops answering leaves the command unanswered, and may act all the same', async () => {
  const site = await yard.at('mute');
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'stop-answering', actions: ['RemoteStartTransaction'] });
  const start = () =>
    site.connection.call(
      'RemoteStartTransaction',
      { idTag: 'GOOD', connectorId: 1 },
      { timeoutMs: 150 },
    );
  expect(await start()).toEqual({ outcome: 'timeout', sent: true });
  const late = {
    do: 'stop-answering',
    actions: ['RemoteStartTransaction'],
    act: true,
    afterMs: 60_000,
  };
  await site.do(late);
  expect(await start()).toEqual({ outcome: 'timeout', sent: true });
  await site.until({ event: 'transaction-known' });
  expect(site.calls('StartTransaction').length).toBe(1);
});

test('a wrong password is told, and tried again later', async () => {
  await yard.charger.until({ station: 'wrong', event: 'not-connected', why: 'Unauthorized' });
});

test('nothing either side said was out of the standard', () => {
  expect(yard.charger.events.filter(({ event }) => event === 'not-strict')).toEqual([]);
  const odd = ['frame-unreadable', 'payload-repaired', 'own-answer-invalid', 'answer-invalid'];
  expect(yard.central.notices.filter(({ notice }) => odd.includes(notice))).toEqual([]);
});
