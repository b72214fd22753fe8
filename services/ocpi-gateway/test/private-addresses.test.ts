import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleToken } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// A partner is registered; then the operator no longer allows private addresses. Whatever URL it names, none of them is called.

let oasis: Side;
let montreal: HandPartner;

beforeAll(async () => {
  oasis = await openSide({ party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' } });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['SENDER locations', 'SENDER commands']);
  await montreal.register(oasis);
  const file = oasis.platform.env.ROAMWATT_CONFIG!;
  const settings = JSON.parse(readFileSync(file, 'utf8')) as { ocpi: object };
  writeFileSync(file, JSON.stringify({ ...settings, ocpi: { ...settings.ocpi, allow_private_urls: false } }));
  await oasis.gateway.stop();
  await oasis.restart();
});
afterAll(async () => {
  await montreal?.close();
  await oasis?.close();
});

const port = () => new URL(montreal.url).port;
const urls: readonly [string, () => string][] = [
  ['an address of this machine', () => `https://127.0.0.1:${port()}/`], ['a name of this machine', () => `https://localhost:${port()}/`],
  ['a decimal address', () => `https://2130706433:${port()}/`], ['an octal one', () => `https://0177.0.0.1:${port()}/`],
  ['a hexadecimal one', () => `https://0x7f000001:${port()}/`], ['a short one', () => `https://127.1:${port()}/`],
  ['an IPv6 address of this machine', () => `https://[::1]:${port()}/`], ['an IPv4 address in IPv6', () => `https://[::ffff:127.0.0.1]:${port()}/`],
  ['an IPv6 address of a private network', () => 'https://[fd00::1]/'], ['one of a link', () => 'https://[fe80::1]/'],
  ['one that NAT64 takes inside', () => 'https://[64:ff9b::7f00:1]/'], ["a cloud's metadata", () => 'https://169.254.169.254/latest/meta-data'],
  ['a name without a dot', () => 'https://postgres/'], ['a name of a closed network', () => 'https://nats.internal/'],
  ['a user before the host', () => `https://oasis.example@127.0.0.1:${port()}/`], ['a public host without TLS', () => 'http://oasis.example/'],
  ['a file', () => 'file:///etc/passwd'], ['no host', () => 'https:///'],
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
