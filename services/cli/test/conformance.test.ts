import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { roamwatt } from '../src/roamwatt.ts';
import { Output } from '../src/terminal.ts';

/** The command in this process. */
async function run(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const stdout = new PassThrough();
  const out = text(stdout);
  const lines: string[] = [];
  const terminal = {
    stdin: new PassThrough(),
    out: new Output(stdout),
    err: (line: string) => void lines.push(line),
    status: undefined,
    now: Date.now,
  };
  const status = await roamwatt(['conformance', ...args], terminal);
  stdout.end();
  return { status, out: await out, err: lines.join('\n') };
}

const nowhere = 'http://127.0.0.1:9/versions';

test.each([
  [[], 'one versions URL is needed'],
  [['versions', '--token', 't'], 'versions is no http(s) URL'],
  [[nowhere], '--token: '],
  [[nowhere, '--token', 'two words'], '--token: '],
  [[nowhere, '--token', 't', '--party', 'Canada'], '--party: '],
  [[nowhere, '--token', 't', '--member-token', 'two words'], '--member-token: '],
  [[nowhere, '--token', 't', '--listen', '9000'], '--listen: HOST:PORT'],
  [[nowhere, '--token', 't', '--charge-at', '/EVSE-1'], '--charge-at: LOCATION/EVSE'],
  [[nowhere, '--token', 't', '--charge-at', 'SITE-1/EVSE-1/1'], '--charge-at: LOCATION/EVSE'],
  [[nowhere, '--token', 't', '--only', 'dancing'], '--only dancing: no check has that in its name'],
  [[nowhere, '--token', 't', '--minutes', '0'], '--minutes: '],
  [[nowhere, '--token', 't', '--role', 'driver'], '--role driver: '],
  [[nowhere, '--tokn', 't'], 'did you mean --token?'],
])('%j is a wrong use, and says what is right', async (args, message) => {
  const { status, err, out } = await run(...args);
  expect([status, out]).toEqual([2, '']);
  expect(err).toContain(message);
});

test('an address that cannot be listened at is a wrong use', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { status, err } = await run(nowhere, '--token', 't', '--listen', `127.0.0.1:${port}`);
  taken.close();
  expect(status).toBe(2);
  expect(err).toMatch(/--listen: .*EADDRINUSE.*Choose another address or port/);
});

test('a platform that is not there fails, and every rule that could not be tried says so', async () => {
  const { status, out, err } = await run(nowhere, '--token', 't');
  expect(status).toBe(1);
  expect(err).toContain('It may write, as far as the platform offers it:\n  registrations that have to be refused\n');
  expect(err).not.toContain('--charge-at');
  expect(err).not.toContain('  nothing');
  expect(out).toContain('no answer: ');
  expect(out).toMatch(/not tested: the version details could not be read\n( {2}.*\n)* {2}.*TRN-52/);
  expect(out).toContain(`Nothing answers at ${nowhere}: `);
  const json = await run(nowhere, '--token', 't', '--json', '--read-only');
  expect(json.out.match(/"[a-z]+[A-Z]\w*":/g), 'names are spelt as OCPI spells its own').toBeNull();
  const { verdicts, counts, written } = JSON.parse(json.out) as { verdicts: object[]; counts: Record<string, number>; written: string[] };
  expect(verdicts).toHaveLength(212);
  expect(counts['pass']).toBe(0);
  expect(written).toEqual([]);
});

/** A platform that says what it offers, and registers nobody: it can call no one. */
async function cautious(): Promise<{ versionsUrl: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { method, url = '', headers } = request;
    const isIncomplete = !(await text(request)).includes('"url"');
    const base = `http://${headers.host}`;
    const answer = (http: number, status_code: number, data?: unknown) => response.writeHead(http, {
      'x-request-id': headers['x-request-id'], 'x-correlation-id': headers['x-correlation-id'],
    }).end(JSON.stringify({ status_code, timestamp: new Date().toISOString(), data }));
    const isKnown = /^token dA==$/i.test(headers.authorization ?? '');
    if (!isKnown || url === '/cdrs') return answer(401, 2001);
    if (url === '/versions') return answer(200, 1000, [{ version: '2.2.1', url: `${base}/details` }]);
    const listed = ['credentials', 'cdrs'].map((identifier) => ({ identifier, role: 'SENDER', url: `${base}/${identifier}` }));
    if (url === '/details') return answer(200, 1000, { version: '2.2.1', endpoints: listed });
    if (method === 'GET') return answer(200, 1000, { token: 't', url: `${base}/versions`, roles: [] });
    return method === 'POST' ? answer(200, isIncomplete ? 2001 : 3001) : answer(405, 2000);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { versionsUrl: `http://127.0.0.1:${port}/versions`, close: () => void server.close() };
}

test.each([
  [[], 1, 'no partner of the platform, so that what needs a link was not tried: the check ended early: the platform could not call the kit at http:'],
  [['--read-only'], 1, 'not tried: the token opens no module (it is a registration token)'],
  [['--skip', 'credentials: registration'], 0, ''],
])('that the kit could become no partner, with %j, is the exit status %i, and why is said', async (args, expected, said) => {
  const { versionsUrl, close } = await cautious();
  const { status, out, err } = await run(versionsUrl, '--token', 't', '--json', ...args);
  close();
  expect((JSON.parse(out) as { counts: object }).counts).toMatchObject({ fail: 0 });
  expect(err).toContain(said);
  expect(status).toBe(expected);
});
