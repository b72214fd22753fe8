import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inSpan, startTelemetry, tracer } from '#telemetry';
import { expect, test } from 'vitest';
import { envelope, outboundAgent } from '../src/index.ts';
import { exchange } from '../src/exchange.ts';
import { type Answering, at, client, partner, say, startPartner, success } from './partner.ts';

startPartner();

test('TRN-01 TRN-11 TRN-80 HUB-01 a request carries token, ids, routing and its content type', async () => {
  const outcome = await client().put(`${partner.url}/tariffs/CA/BCT/L2`, { id: 'L2' });
  expect(outcome).toMatchObject({ kind: 'ok', http: 200, data: { id: 'L2' } });
  const { method, url, headers, body } = partner.received[0]!;
  expect([method, url, body]).toEqual(['PUT', '/tariffs/CA/BCT/L2', '{"id":"L2"}']);
  expect(headers).toMatchObject({
    authorization: 'Token ZXhhbXBsZS10b2tlbg==', 'content-type': 'application/json', 'user-agent': 'Roamwatt',
    'ocpi-from-party-id': 'BCT', 'ocpi-from-country-code': 'CA',
    'ocpi-to-party-id': 'CPK', 'ocpi-to-country-code': 'CA',
  });
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('HUB-02 TRN-11 a configuration module gets no routing headers, and a GET no content type', async () => {
  await client().get(`${partner.url}/versions`, { routing: false });
  const names = Object.keys(partner.received[0]!.headers);
  expect(names.filter((name) => name.startsWith('ocpi-') || name === 'content-type')).toEqual([]);
});

test('TRN-82 each request has an id of its own, an exchange keeps its correlation id', async () => {
  await client().post(`${partner.url}/a`, {}, { correlationId: 'c-1' });
  await client().post(`${partner.url}/b`, {}, { correlationId: 'c-1' });
  const [first, second] = partner.received.map(({ headers }) => headers);
  expect([first!['x-correlation-id'], second!['x-correlation-id']]).toEqual(['c-1', 'c-1']);
  expect(first!['x-request-id']).not.toBe(second!['x-request-id']);
});

test('CDR-01 JSON text goes out byte for byte, and the Location of what was created comes back', async () => {
  const location = `${partner.url}/cdrs/7`;
  const created = envelope(undefined, 1000, undefined, at);
  partner.answer = (_, response) => say(response, 201, created, { Location: location });
  const outcome = await client().post(`${partner.url}/cdrs`, '{"total_cost":{"excl_vat":4.00}}');
  expect(partner.received[0]!.body).toBe('{"total_cost":{"excl_vat":4.00}}');
  expect(outcome).toMatchObject({ kind: 'ok', http: 201, headers: { location } });
});

test('TRN-04 a partner who takes its token as it is gets it so', async () => {
  await client({ tokenEncoding: 'raw' }).get(partner.url);
  expect(partner.received[0]!.headers.authorization).toBe('Token example-token');
});

test('CMD-05 a refusal says the HTTP status, the OCPI status, the reason, and the data with it', async () => {
  const data = { result: 'REJECTED', timeout: 0 };
  partner.answer = (_, response) => say(response, 200, envelope(data, 2003, 'unknown EVSE', at));
  expect(await client().post(`${partner.url}/START_SESSION`, {})).toEqual({
    kind: 'refused', http: 200, statusCode: 2003, message: 'unknown EVSE', data,
  });
});

test('TOK-06 an HTTP error is a refusal, with or without an envelope', async () => {
  partner.answer = (_, response) => say(response, 404, envelope(undefined, 2004, undefined, at));
  expect(await client().get(partner.url)).toMatchObject({ kind: 'refused', http: 404, statusCode: 2004 });
  partner.answer = (_, response) => say(response, 401, 'Unauthorized');
  expect(await client().get(partner.url)).toMatchObject({ kind: 'refused', http: 401 });
});

test('a partner that is asked too often says when to come again', async () => {
  partner.answer = (_, response) =>
    say(response, 429, envelope(undefined, 2000, 'slow down', at), { 'Retry-After': '7' });
  expect(await client().get(partner.url)).toMatchObject({ kind: 'refused', http: 429, retryAfterMs: 7_000 });
});

test('redirects are not followed', async () => {
  partner.answer = (_, response) => say(response, 302, '', { Location: 'http://169.254.169.254/' });
  const outcome = await client().get(partner.url);
  expect(outcome).toEqual({ kind: 'refused', http: 302, message: 'redirects are not followed', redirect: 'http://169.254.169.254/' });
  expect(partner.received).toHaveLength(1);
});

test('a partner that is not there was not reached', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const outcome = await client().get(`http://127.0.0.1:${port}/`);
  expect(outcome).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
});

test('a partner that does not answer in time may have done it', async () => {
  partner.answer = () => {};
  const outcome = await client({ timeoutMs: 3_000 }).post(`${partner.url}/cdrs`, {});
  expect(outcome).toEqual({ kind: 'unclear', message: 'no answer within 3000 ms' });
});

const halfAnAnswer: Answering = (request, response) => {
  response.writeHead(200, { 'Content-Length': '100' });
  response.write('{', () => request.socket.destroy());
};

test.each<[string, Answering]>([
  ['drops the connection', (request) => request.socket.destroy()],
  ['answers half', halfAnAnswer],
  ['answers no OCPI', (_, response) => say(response, 200, '<html>')],
  ['answers nothing', (_, response) => say(response, 204, '')],
  ['is behind a proxy without an answer', (_, response) => say(response, 502, 'Bad Gateway')],
])('a partner that %s may have done it', async (_, answer) => {
  partner.answer = answer;
  expect(await client().put(`${partner.url}/x`, {})).toMatchObject({ kind: 'unclear' });
});

test('an answer without an end is cut at the limit', async () => {
  partner.answer = (_, response) => {
    response.writeHead(200);
    const more = setInterval(() => response.write('x'.repeat(10_000)), 1);
    response.on('close', () => clearInterval(more));
  };
  expect(await client({ maxBytes: 50_000 }).get(partner.url)).toEqual({
    kind: 'unclear', message: 'the answer is longer than 50000 bytes',
  });
});

test('a request that waited for a connection until its time was over is never sent', async () => {
  const held: ServerResponse[] = [];
  partner.answer = (_, response) => { held.push(response); };
  const agent = outboundAgent({ allowPrivate: true, connectionsPerOrigin: 1 });
  const slow = client({ agent }).get(`${partner.url}/slow`);
  await expect.poll(() => partner.received.length).toBe(1);
  const late = await client({ agent, timeoutMs: 100 }).post(`${partner.url}/late`, {});
  expect(late).toEqual({ kind: 'unreachable', message: 'no answer within 100 ms', waited: true });
  success(held[0]!, []);
  expect(await slow).toMatchObject({ kind: 'ok' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(partner.received.map(({ url }) => url)).toEqual(['/slow']);
  await agent.destroy();
});

test('a request that nobody wants any more when it has a connection is never sent, and the connection serves the next', async () => {
  const held: ServerResponse[] = [];
  partner.answer = (_, response) => { held.push(response); };
  const agent = outboundAgent({ allowPrivate: true, connectionsPerOrigin: 1 });
  let isWanted = true;
  const slow = client({ agent }).get(`${partner.url}/slow`);
  await expect.poll(() => partner.received.length).toBe(1);
  const late = client({ agent }).put(`${partner.url}/late`, {}, { isWanted: () => isWanted });
  const next = client({ agent }).put(`${partner.url}/next`, {}, { isWanted: () => true });
  isWanted = false;
  success(held[0]!, []);
  partner.answer = (_, response) => success(response, []);
  expect(await late).toEqual({ kind: 'unreachable', message: 'not wanted any more' });
  expect([await slow, await next]).toMatchObject([{ kind: 'ok' }, { kind: 'ok' }]);
  expect(partner.received.map(({ url }) => url)).toEqual(['/slow', '/next']);
  await agent.destroy();
});

test('a process that sleeps while it connects does not send what its time is over for', async () => {
  const agent = outboundAgent({ allowPrivate: true });
  const late = client({ agent, timeoutMs: 100 }).post(`${partner.url}/commands/START_SESSION`, {});
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(await late).toEqual({ kind: 'unreachable', message: 'no answer within 100 ms', waited: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(partner.received).toEqual([]);
  await agent.destroy();
});

test('a private address is not called unless allowed, also behind a public name', async () => {
  expect(await client({ allowPrivate: false }).get(partner.url)).toEqual({
    kind: 'unreachable', message: 'the URL is not https',
  });
  const strict = outboundAgent({ allowPrivate: false });
  const url = new URL(partner.url.replace('127.0.0.1', 'localhost'));
  const limits = { timeoutMs: 30_000, maxBytes: 1_000 };
  const exchanged = await exchange(strict, { method: 'GET', url, headers: {} }, limits);
  const message = expect.stringMatching(/localhost resolves to .*, a private address/);
  expect(exchanged).toMatchObject({ kind: 'unreachable', message });
  expect(partner.received).toEqual([]);
  await strict.destroy();
});

test('TYP-04 too many digits make an answer unclear, or are rounded for a partner with that quirk', async () => {
  const text = `{"data":[1.97222222222222222222],"status_code":1000,"timestamp":"${at}"}`;
  partner.answer = (_, response) => say(response, 200, text);
  const message = expect.stringContaining('more digits');
  expect(await client().get(partner.url)).toMatchObject({ kind: 'unclear', message });
  expect(await client({ rounded: true }).get(partner.url)).toMatchObject({ kind: 'ok', data: [1.9722222222222223] });
});

test('the active trace goes along as a traceparent', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'roamwatt-traces-'));
  const telemetry = await startTelemetry({ service: 'test', platform: 'oasis', tracesTo: dir, env: {} });
  await inSpan(tracer('ocpi-gateway'), 'push', {}, () => client().get(partner.url));
  await telemetry.shutdown();
  rmSync(dir, { recursive: true });
  expect(partner.received[0]!.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});
