import { connect } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { httpBounds } from './http-edge.ts';

let app: FastifyInstance;
afterEach(() => app.close());

/** Says what its requests ask for, and has a megabyte for each. */
async function listening(settings: { receive_timeout_ms: number; request_timeout_ms: number }): Promise<number> {
  app = fastify({ forceCloseConnections: true, ...httpBounds({ proxies: 0, ...settings }, { now: Date.now }) });
  app.get('/large', async () => 'x'.repeat(1_000_000));
  app.get('/*', async ({ url }) => ({ url }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as { port: number }).port;
}

const connections = () =>
  new Promise<number>((resolve, reject) => app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))));

test('who never reads its answers is cut off in time, and holds none of them any longer', async () => {
  const port = await listening({ receive_timeout_ms: 200, request_timeout_ms: 100 });
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.pause().write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
  await expect.poll(connections).toBe(1);
  await expect.poll(connections).toBe(0);
  socket.destroy();
});

test.each([
  ['/ocpi/versions?a=1', '/ocpi/versions?a=1'],
  ['http://elsewhere.example/ocpi/versions?a=http://b/', '/ocpi/versions?a=http://b/'],
  ['HTTPS://elsewhere.example?a=1', '/?a=1'],
  ['http://elsewhere.example', '/'],
])('a target that names a server, %s, is the path of it: no URL of ours is made of another one', async (target, url) => {
  const port = await listening({ receive_timeout_ms: 30_000, request_timeout_ms: 10_000 });
  let text = '';
  const socket = connect(port, '127.0.0.1').on('data', (data) => void (text += data));
  socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await expect.poll(() => text).toContain(JSON.stringify({ url }));
  socket.destroy();
});
