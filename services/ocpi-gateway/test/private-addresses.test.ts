import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { listDifferences, listPartners, pullPartner } from '#contracts/ocpi-gateway';
import { commandFinished } from '#contracts/sessions';
import { exampleToken } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// A partner is registered; then the operator no longer allows private addresses. Whatever URL it names, none of them is called.

let oasis: Side;
let montreal: HandPartner;
/** A neighbour of ours that is not to be called. */
let inside: Server;
let connections = 0;
const systemLookup = dns.lookup;

beforeAll(async () => {
  oasis = await openSide({ party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' } });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['SENDER locations', 'SENDER commands']);
  await montreal.register(oasis);
  const file = oasis.platform.env.ROAMWATT_CONFIG!;
  const settings = JSON.parse(readFileSync(file, 'utf8')) as { ocpi: object };
  writeFileSync(file, JSON.stringify({ ...settings, ocpi: { ...settings.ocpi, allow_private_urls: false } }));
  await oasis.gateway.stop();
  await oasis.restart();
  inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  dns.lookup = systemLookup;
  syncBuiltinESMExports();
  await new Promise((resolve) => inside?.close(resolve));
  await montreal?.close();
  await oasis?.close();
});

const port = () => new URL(montreal.url).port;
const urls: readonly [string, () => string][] = [
  ['an address of this machine', () => `https://127.0.0.1:${port()}/`],
  ['a name of this machine', () => `https://localhost:${port()}/`],
  ['a decimal address', () => `https://2130706433:${port()}/`],
  ['an octal one', () => `https://0177.0.0.1:${port()}/`],
  ['a hexadecimal one', () => `https://0x7f000001:${port()}/`],
  ['a short one', () => `https://127.1:${port()}/`],
  ['an IPv6 address of this machine', () => `https://[::1]:${port()}/`],
  ['an IPv4 address in IPv6', () => `https://[::ffff:127.0.0.1]:${port()}/`],
  ['an IPv6 address of a private network', () => 'https://[fd00::1]/'],
  ['one of a link', () => 'https://[fe80::1]/'],
  ['one that NAT64 takes inside', () => 'https://[64:ff9b::7f00:1]/'],
  ["a cloud's metadata", () => 'https://169.254.169.254/latest/meta-data'],
  ['a name without a dot', () => 'https://postgres/'],
  ['a name of a closed network', () => 'https://nats.internal/'],
  ['a user before the host', () => `https://oasis.example@127.0.0.1:${port()}/`],
  ['a public host without TLS', () => 'http://oasis.example/'],
  ['a file', () => 'file:///etc/passwd'],
  ['no host', () => 'https:///'],
];

test.each(urls)('a response_url and a versions URL with %s are not called', async (_, url) => {
  const seen = montreal.seen.length;
  const token = { ...exampleToken, party_id: 'MTL' };
  const post = (path: string, body: object, method = 'POST') => call(oasis, `/ocpi/2.2.1/${path}`, { token: montreal.token, method, body });
  expect(await post('receiver/commands/START_SESSION', { response_url: url(), location_id: 'L', token }))
    .toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('response_url') });
  const renewed = await post('credentials', { ...montreal.credentials(), url: url() }, 'PUT');
  expect(renewed.http).toBe(200);
  expect([2001, 3001]).toContain(renewed.status_code);
  expect(oasis.neighbours.orders).toEqual([]);
  expect(montreal.seen.length).toBe(seen);
});

/** The system's resolver, which knows a name of a hostile domain as well: these addresses, or others each time. */
function resolving(name: string, ...turns: (readonly string[])[]): void {
  let asked = 0;
  const lookup = (
    hostname: string,
    options: dns.LookupAllOptions,
    callback: (error: Error | null, addresses: dns.LookupAddress[]) => void,
  ) => {
    if (hostname !== name) return void (systemLookup as (...given: unknown[]) => void)(hostname, options, callback);
    const addresses = turns[Math.min(asked, turns.length - 1)]!.map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    asked += 1;
    setImmediate(() => callback(null, addresses));
  };
  dns.lookup = lookup as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
}

const view = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Montreal')!;

test.each([
  ['of this machine', ['127.0.0.1']],
  ['of this machine in IPv6', ['::1']],
  ['of this machine as IPv4 in IPv6', ['::ffff:127.0.0.1']],
  ['of a private network', ['10.1.2.3']],
  ["of a cloud's metadata", ['169.254.169.254']],
  ['public and private ones', ['93.184.215.14', '127.0.0.1']],
])('a name whose addresses are %s is not called, as response_url or as versions URL', async (what, answers) => {
  const name = `${what.replaceAll(/\W/g, '-')}.evil.test`.toLowerCase();
  const url = `https://${name}:${(inside.address() as AddressInfo).port}/`;
  resolving(name, answers);
  const token = { ...exampleToken, party_id: 'MTL' };
  oasis.neighbours.answers.startSession = async ({ orderId }) => {
    await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
    return { result: 'ACCEPTED' };
  };
  const post = (path: string, body: object, method = 'POST') =>
    call(oasis, `/ocpi/2.2.1/${path}`, { token: montreal.token, method, body });
  expect(await post('receiver/commands/START_SESSION', { response_url: url, location_id: 'L', token })).toMatchObject({
    http: 200,
    status_code: 1000,
  });
  await expect.poll(async () => (await view()).lastError).toContain(`${name} resolves to `);
  expect(await post('credentials', { ...montreal.credentials(), url }, 'PUT')).toMatchObject({
    http: 200,
    status_code: 3001,
    status_message: expect.stringMatching(/resolves to .* a private address/),
  });
  expect(connections).toBe(0);
});

test('a name that is public when it is looked at and private right after it is connected to at the address that was looked at', async () => {
  const name = 'rebinding.evil.test';
  const url = `https://${name}:${(inside.address() as AddressInfo).port}/`;
  resolving(name, ['93.184.215.14'], ['127.0.0.1']);
  const connectedTo: string[] = [];
  // Nothing leaves this machine: a socket is taken away once it knows where it would connect to.
  const follow = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.prependListener('lookup', (error, address, _family, host) => {
      if (error || host !== name) return;
      connectedTo.push(address);
      socket.destroy(new Error(`${address} is not called by a test`));
    });
  };
  subscribe('net.client.socket', follow);
  try {
    const renew = () =>
      call(oasis, '/ocpi/2.2.1/credentials', {
        token: montreal.token,
        method: 'PUT',
        body: { ...montreal.credentials(), url },
      });
    expect(await renew()).toMatchObject({ http: 200, status_code: 3001 });
    expect(await renew()).toMatchObject({
      http: 200,
      status_code: 3001,
      status_message: expect.stringContaining('resolves to 127.0.0.1, a private address'),
    });
  } finally {
    unsubscribe('net.client.socket', follow);
  }
  expect(connectedTo).toEqual(['93.184.215.14']);
  expect(connections).toBe(0);
});

test('an endpoint that a partner listed, and that may not be called any more, is not', async () => {
  const seen = montreal.seen.length;
  const { partnerId } = await view();
  await oasis.neighbours.bus.ask(pullPartner, { partnerId, full: true });
  const error = async () =>
    (await oasis.neighbours.bus.ask(listDifferences, { partnerId, limit: 10 })).pulls.find(
      ({ module }) => module === 'locations',
    )?.error;
  await expect.poll(error).toContain('is not https');
  expect(montreal.seen.length).toBe(seen);
});
