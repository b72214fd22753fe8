import { expect, test } from 'vitest';
import { callerAddress, networkOf } from './networks.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'], ['::ffff:192.0.2.7', '192.0.2.7'], ['::1', '0:0:0:0'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0db8:1:2::9', '2001:db8:1:2'], ['2001:db8::1', '2001:db8:0:0'], ['fe80::1%eth0', 'fe80:0:0:0'], ['unknown', 'unknown'],
])('the address %s is counted as %s', (address, network) => expect(networkOf(address)).toBe(network));

test.each([
  [0, '10.0.0.1'], [1, '192.0.2.7'], [2, '198.51.100.9'], [5, '198.51.100.9'],
])('with %i proxies of ours the caller is %s: what is before them anybody may have written', (proxies, caller) => {
  const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': '198.51.100.9, 192.0.2.7' } };
  expect(callerAddress(request as never, proxies)).toBe(caller);
});
