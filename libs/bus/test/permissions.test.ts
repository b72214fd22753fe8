import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hears, listen, outbox, permissionsOf, startRelay, type Talks, Unanswered } from '#bus';
import { type NatsServer, startNats, stateRoot } from '#servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { command, counted, echo, grow, keyOf, numberOf } from './contracts.ts';
import { heardRows } from './heard.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

const PLATFORM = 'guarded';
const talks: Record<string, Talks> = {
  sessions: { contexts: ['sessions'], tells: ['sessions'], asks: ['ocpp-gateway.command.*'], hears: [] },
  'ocpp-gateway': { contexts: ['ocpp-gateway'], tells: [], asks: [], hears: [] },
  portal: { contexts: ['portal'], tells: [], asks: ['sessions.echo'], hears: ['sessions.number.counted'] },
};

let dir: string;
let server: NatsServer;
let place: Place;

beforeAll(async () => {
  dir = mkdtempSync(join(stateRoot(), 'permissions-'));
  const users = Object.entries(talks).map(([name, talk]) => ({ name, ...permissionsOf(PLATFORM, name, talk) }));
  server = await startNats({ dir, users });
});
afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true });
});
beforeEach(async () => { place = await freshPlace(server.url, { platform: PLATFORM, urlOf: server.urlOf }); });
afterEach(() => place.close());

const exclaimed = (requests: readonly { value: string }[]) => requests.map(({ value }) => ({ value: `${value}!` }));

test('a service may do all that it does: answer, ask, ask a holder, tell and hear', async () => {
  const [sessions, gateway, portal] = [await place.join('sessions'), await place.join('ocpp-gateway'), await place.join('portal')];
  await sessions.answer(echo, async (requests) => exclaimed(requests));
  await gateway.hold(command, 'CA*1', async (requests) => exclaimed(requests));
  expect(await portal.ask(echo, { value: 'hello' })).toMatchObject({ value: 'hello!' });
  expect(await sessions.ask(command, { value: 'CA*1' })).toMatchObject({ value: 'CA*1!' });

  const [theirs, ours] = [await place.open('sessions'), await place.open('portal')];
  const box = outbox('sessions', theirs);
  const relay = startRelay(sessions, box);
  const listening = await listen(portal, ours, {
    listener: 'portal',
    hearings: [hears(counted, async ({ value }, { tx }) => {
      await tx.query('INSERT INTO heard (key, number) VALUES ($1, $2)', [keyOf(value), numberOf(value)]);
    })],
  });
  await tellAll(theirs, box, ['a:1', 'b:1', 'a:2']);
  expect(await eventually(() => heardRows(ours), (rows) => rows.length === 3)).toMatchObject([
    { key: 'a', number: 1 }, { key: 'b', number: 1 }, { key: 'a', number: 2 },
  ]);
  await listening.close();
  await relay.close();
  expect(place.logged.filter((line) => line.includes('Permissions'))).toEqual([]);
});

test('and nothing else: others\' asks, facts, streams and answers are closed to it, and the log says what to do', async () => {
  const [sessions, portal] = [await place.join('sessions'), await place.join('portal')];
  await sessions.answer(grow, async (requests) => requests.map(() => ({ value: new Uint8Array(1) })));
  await expect(portal.ask(grow, { value: '1' }, { timeoutMs: 500 })).rejects.toThrow(Unanswered);
  const refused = await eventually(
    () => Promise.resolve(place.logged.filter((line) => line.includes('Permissions Violation'))),
    (lines) => lines.length > 0,
  );
  expect(refused[0]).toContain('roamwatt.guarded.sessions.ask.grow.v1');
  expect(refused[0]).toContain('npm run nats-users');

  const { connection } = portal;
  for (const subject of ['_INBOX_guarded_sessions.>', 'roamwatt.guarded.sessions.ask.echo.v1', 'roamwatt.>', '>']) {
    const seen = connection.subscribe(subject);
    const error = await new Promise<Error | void>((resolve) => void seen.closed.then(resolve));
    expect(String(error), subject).toContain('Permissions Violation');
  }
  const admin = await connect({ servers: `127.0.0.1:${server.port}`, user: 'roamwatt', pass: new URL(server.url).password });
  const all = await jetstreamManager(admin, { checkAPI: false, timeout: 60_000 });
  await all.streams.add({ name: 'ROAMWATT_guarded_agreements', subjects: ['roamwatt.guarded.agreements.1.>'] });
  const names = async () => {
    const found: string[] = [];
    for await (const name of all.streams.names()) found.push(name);
    return found.sort();
  };
  const [before, { state }] = [await names(), await all.streams.info('ROAMWATT_guarded_sessions')];
  const { streams, consumers } = await jetstreamManager(connection, { checkAPI: false, timeout: 500 });
  await expect(streams.delete('ROAMWATT_guarded_sessions')).rejects.toThrow(/timeout|Permissions/);
  await expect(streams.purge('ROAMWATT_guarded_sessions')).rejects.toThrow(/timeout|Permissions/);
  await expect(streams.add({ name: 'MINE', subjects: ['roamwatt.guarded.portal.>'] })).rejects.toThrow(/timeout|Permissions/);
  // In a stream of one's own one may gather what others say: who tells nothing has none.
  await expect(streams.add({ name: 'ROAMWATT_guarded_portal', subjects: ['_INBOX_guarded_sessions.>'] })).rejects.toThrow(/timeout|Permissions/);
  await expect(streams.info('ROAMWATT_guarded_agreements')).rejects.toThrow(/timeout|Permissions/);
  await expect(consumers.add('ROAMWATT_guarded_agreements', { name: 'reader' })).rejects.toThrow(/timeout|Permissions/);
  connection.publish('roamwatt.guarded.sessions.3.number.counted.v1', 'invented');
  await connection.flush();
  expect(await names()).toEqual(before);
  expect((await all.streams.info('ROAMWATT_guarded_sessions')).state).toMatchObject({ messages: state.messages, last_seq: state.last_seq });
  await admin.close();
});
