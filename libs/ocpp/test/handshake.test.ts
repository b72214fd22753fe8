import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Admission } from '#ocpp';
import { centralSystem } from './central-system.ts';
import type { CentralSystem } from './central-system.ts';

let central: CentralSystem;
afterEach(() => central.stop());

const serve = async (admit?: (identity: string, password: Buffer | undefined) => Admission) => {
  central = await centralSystem({ handle: async () => ({}), ...(admit && { admit }) });
  return central;
};

function refusal(url: string, options: { auth?: string } = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, ['ocpp1.6'], options);
    ws.on('unexpected-response', (_, response) => {
      response.resume();
      ws.on('error', () => resolve(response.statusCode));
      ws.terminate();
    });
    ws.on('open', () => reject(new Error('was let in')));
  });
}

const gate = (identity: string, password: Buffer | undefined): Admission => {
  if (identity !== 'CA 1') return { status: 404 };
  return password?.equals(Buffer.from('s3cret:x'))
    ? { status: 101, enabled: ['ocpp1.6'] }
    : { status: 401 };
};

test('J-04, J-06: an unknown identity is 404 and a wrong password 401, both before the switch', async () => {
  const { url } = await serve(gate);
  expect(await refusal(`${url}/CA-2`)).toBe(404);
  expect(await refusal(`${url}/CA%201`)).toBe(401);
  expect(await refusal(`${url}/CA%201`, { auth: 'CA 1:wrong' })).toBe(401);
  expect(await refusal(`${url}/%ff`)).toBe(404);
});

test('the right password comes in, and the negotiated version is echoed', async () => {
  const { url } = await serve(gate);
  const ws = new WebSocket(`${url}/CA%201`, ['ocpp2.0.1', 'ocpp1.6'], { auth: 'CA 1:s3cret:x' });
  await once(ws, 'open');
  expect(ws.protocol).toBe('ocpp1.6');
  expect((await central.connection('CA 1')).version).toBe('ocpp1.6');
  ws.terminate();
});

test('J-08: with no version in common the handshake completes without one and the socket closes', async () => {
  const { url } = await serve();
  const { port } = new URL(url);
  const raw = connect(Number(port), '127.0.0.1');
  raw.write(
    'GET /ocpp/CA-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n',
  );
  const chunks: Buffer[] = [];
  raw.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    // 0x88 = a close frame; answer it as a client has to.
    if (chunk.includes(0x88)) raw.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  });
  await once(raw, 'close');
  const text = Buffer.concat(chunks).toString('latin1');
  expect(text).toMatch(/^HTTP\/1\.1 101 /);
  expect(text).not.toMatch(/sec-websocket-protocol/i);
  expect(text).toContain('no common subprotocol');
});

test('J-09: a missing subprotocol header is no 1.6', async () => {
  const { url } = await serve();
  const ws = new WebSocket(`${url}/CA-1`);
  const [code] = (await once(ws, 'close')) as [number];
  expect(code).toBe(1002);
});

test('an admission that throws or does not end is 503, not a hanging socket', async () => {
  const { url } = await serve(() => {
    throw new Error('database is down');
  });
  expect(await refusal(`${url}/CA-1`)).toBe(503);
});

test('a peer that resets during the handshake harms nobody', async () => {
  const { url } = await serve();
  const { port } = new URL(url);
  const raw = connect(Number(port), '127.0.0.1');
  await once(raw, 'connect');
  raw.write(
    'GET /ocpp/CA-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  );
  raw.resetAndDestroy();
  const ws = new WebSocket(`${url}/CA-1`, ['ocpp1.6']);
  await once(ws, 'open');
  ws.terminate();
});
