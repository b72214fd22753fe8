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
