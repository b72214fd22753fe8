import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { natsFor, startNats } from './nats.ts';
import type { Server } from './server.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-servers-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a restart with an older copy of the store forgets what was told since', async () => {
  const first = await startNats({ dir, syncInterval: 'always' });
  await tellTwo(first);
  await first.stop();
  cpSync(join(dir, 'jetstream'), join(dir, 'older'), { recursive: true });
  const second = await startNats({ dir, port: first.port });
  await tellTwo(second);
  expect(await told(second)).toBe(4);
  await second.stop();

  rmSync(join(dir, 'jetstream'), { recursive: true });
  cpSync(join(dir, 'older'), join(dir, 'jetstream'), { recursive: true });
  const third = await startNats({ dir, port: first.port });
  expect(third.url).toBe(first.url);
  expect(await told(third)).toBe(2);
  await third.stop();
});

test('two servers started at the same moment get ports of their own', async () => {
  const [one, two] = await Promise.all(
    ['one', 'two'].map((name) => startNats({ dir: join(dir, name) })),
  );
  expect(one?.port).not.toBe(two?.port);
  await Promise.all([one?.stop(), two?.stop()]);
});

test('a JetStream store is served by one server at a time', async () => {
  const server = await startNats({ dir });
  await expect(startNats({ dir })).rejects.toThrow(/in use by process/);
  await server.stop();
});

test('a client without the password is refused', async () => {
  const server = await startNats({ dir });
  await expect(connect({ servers: `127.0.0.1:${server.port}` })).rejects.toThrow(/authorization/i);
  await server.stop();
});

test('a configuration that the server refuses is told with its words', async () => {
  await expect(startNats({ dir, config: 'max_connections: "many"' })).rejects.toThrow(
    /did not start[\s\S]*nats\.conf:13:1/,
  );
});

test('a server given by its URL is used as it is', async () => {
  expect(await natsFor('nats://mq.example', { dir })).toMatchObject({
    url: 'nats://mq.example',
    port: 4222,
    pid: 0,
  });
});

async function tellTwo(server: Server): Promise<void> {
  await withServer(server, async (connection) => {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 60_000 });
    await manager.streams.add({ name: 'told', subjects: ['told.>'] });
    for (const fact of ['told.one', 'told.two']) await connection.request(fact, undefined, { timeout: 60_000 });
  });
}

async function told(server: Server): Promise<number> {
  return withServer(
    server,
    async (connection) =>
      (await (await jetstreamManager(connection, { checkAPI: false, timeout: 60_000 })).streams.info('told')).state.messages,
  );
}

async function withServer<T>(
  server: Server,
  work: (c: Awaited<ReturnType<typeof connect>>) => Promise<T>,
): Promise<T> {
  const url = new URL(server.url);
  const connection = await connect({ servers: url.host, user: url.username, pass: url.password });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
