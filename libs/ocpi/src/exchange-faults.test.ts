import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { ocpiClient } from './client.ts';
import { faultText } from './exchange.ts';

test('TRN-08: an https URL whose port speaks plain HTTP is told as what it is', async () => {
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const outcome = await ocpiClient({ token: 'x', allowPrivate: true }).get(`https://127.0.0.1:${port}/versions`, { routing: false });
  expect(outcome).toMatchObject({ kind: 'unreachable', message: 'ERR_SSL_WRONG_VERSION_NUMBER: it does not speak TLS there: http, or another port' });
});

test.each([
  ['CERT_HAS_EXPIRED', 'certificate has expired', 'CERT_HAS_EXPIRED: its certificate has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate; if the root CA …', 'DEPTH_ZERO_SELF_SIGNED_CERT: its certificate is self-signed'],
  [
    'SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in chain',
    'SELF_SIGNED_CERT_IN_CHAIN: its certificate is of an authority that is not known here (NODE_EXTRA_CA_CERTS may name it)',
  ],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Host: a. is not in: DNS:b', 'ERR_TLS_CERT_ALTNAME_INVALID: Host: a. is not in: DNS:b'],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
])('%s is said in words of what is wrong with the partner, not with this program', (code, message, text) => {
  expect(faultText(Object.assign(new Error(message), { code }))).toBe(text);
});

test.each([
  ['gzip', gzipSync('{"status_code":1000,"timestamp":"2022-02-01T17:00:00Z"}'), /^HTTP 200, and the body is coded in gzip, which was not asked for$/],
  ['Identity', Buffer.from('<html>'), /^HTTP 200, and (?!the body is coded)/],
])('no coding of the body is asked for, and one that comes all the same is named: %s', async (coding, body, said) => {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers['accept-encoding']);
    response.writeHead(200, { 'Content-Encoding': coding }).end(body);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const outcome = await ocpiClient({ token: 'x', allowPrivate: true }).get(`http://127.0.0.1:${port}/versions`, { routing: false });
  expect(outcome).toMatchObject({ kind: 'unclear', message: expect.stringMatching(said) });
  expect(asked).toEqual(['identity']);
});
