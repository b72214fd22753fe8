import { expect, test } from 'vitest';
import { basicCredentials, identityOf, negotiate, offeredProtocols } from './handshake.ts';

test.each([
  ['/ocpp/RDAM%20123', 'RDAM 123'],
  ['/RDAM%7C123', 'RDAM|123'],
  ['/a/b/c/CA-1', 'CA-1'],
  ['/ocpp/CA-1/', 'CA-1'],
  ['/ocpp/CA-1?x=1', 'CA-1'],
  ['/ocpp/100%2525', '100%25'],
  ['/ocpp/CA%2A1', 'CA*1'],
  ['/ocpp/Ab', 'Ab'],
])('J-02: %s names %s, decoded exactly once', (url, identity) => {
  expect(identityOf(url)).toBe(identity);
});

test.each(['/', '', undefined, '/ocpp/%', '/ocpp/%00', '/ocpp/a%0Ab', `/${'x'.repeat(256)}`])(
  '%j names no station',
  (url) => {
    expect(identityOf(url)).toBeUndefined();
  },
);

test('a path of many slashes costs no more than its length', () => {
  expect(identityOf(`${'/'.repeat(1_000_000)}CA-1`)).toBe('CA-1');
});

test('J-07: the station prefers, we pick the first that is enabled for it', () => {
  const offered = offeredProtocols('ocpp2.0.1, ocpp1.6 ,ocpp1.5');
  expect(negotiate(offered, ['ocpp1.6'])).toBe('ocpp1.6');
  expect(negotiate(offered, ['ocpp1.6', 'ocpp2.0.1'])).toBe('ocpp2.0.1');
});

test('J-08, J-09: nothing in common and a missing header are the same', () => {
  expect(negotiate(offeredProtocols('ocpp2.0.1'), ['ocpp1.6'])).toBeUndefined();
  expect(negotiate(offeredProtocols(undefined), ['ocpp1.6'])).toBeUndefined();
  expect(negotiate(offeredProtocols('OCPP1.6'), ['ocpp1.6'])).toBeUndefined();
});

test('W16-02: the password is bytes after the first colon', () => {
  const bytes = Buffer.concat([Buffer.from('CA-1:'), Buffer.from([0xff, 0x00, 0x3a, 0x80])]);
  const credentials = basicCredentials(`Basic ${bytes.toString('base64')}`);
  expect(credentials?.user).toBe('CA-1');
  expect(credentials?.password).toEqual(Buffer.from([0xff, 0x00, 0x3a, 0x80]));
});

test.each([
  undefined,
  '',
  'Bearer abc',
  'Basic',
  'Basic ###',
  `Basic ${Buffer.from('nocolon').toString('base64')}`,
])('%j holds no credentials', (header) => {
  expect(basicCredentials(header)).toBeUndefined();
});
