import { expect, test } from 'vitest';
import { allowedUrl, isPrivateAddress, joinUrl } from './urls.ts';

test('TRN-16 an endpoint and its segments are joined by one slash, whatever the endpoint ends with', () => {
  expect(joinUrl('https://oasis.example/locations', 'CA', 'BCT')).toBe('https://oasis.example/locations/CA/BCT');
  expect(joinUrl('https://oasis.example/locations/', 'CA', 'BCT')).toBe('https://oasis.example/locations/CA/BCT');
  expect(joinUrl('https://oasis.example/locations/')).toBe('https://oasis.example/locations');
  expect(joinUrl('https://oasis.example/ocpi?tenant=1', 'CA')).toBe('https://oasis.example/ocpi/CA?tenant=1');
});

test('TRN-16 ids in a URL are encoded, so that none of them is more than one segment', () => {
  const url = joinUrl('https://oasis.example/tokens', 'CA*BCT/1 #?', '100%', '(é)');
  expect(url).toBe('https://oasis.example/tokens/CA*BCT%2F1%20%23%3F/100%25/%28%C3%A9%29');
  expect(new URL(url).pathname.split('/').slice(2).map(decodeURIComponent)).toEqual(['CA*BCT/1 #?', '100%', '(é)']);
  for (const segment of ['', '.', '..']) expect(() => joinUrl('https://oasis.example', segment)).toThrow(TypeError);
});

const reason = (url: string, allowPrivate = false) => {
  const reading = allowedUrl(url, { allowPrivate });
  return reading.ok ? 'allowed' : reading.message;
};

test.each(['https://plunk.example/ocpi/commands/1', 'https://93.184.216.34/x', 'https://[2606:4700::1111]:8443/'])(
  'a public address such as %s may be called', (url) => {
    expect(reason(url)).toBe('allowed');
  });

test.each([
  'https://127.0.0.1/', 'https://localhost/', 'https://localhost./', 'https://10.1.2.3/', 'https://192.168.0.1:8080/x',
  'https://172.31.255.255/', 'https://169.254.169.254/latest/meta-data', 'https://100.64.0.1/', 'https://0x7f.1/',
  'https://2130706433/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://[fd00::1]/', 'https://[fe80::1]/',
  'https://[64:ff9b::7f00:1]/', 'https://nats/', 'https://postgres.internal/', 'https://printer.local/',
  'https://0.0.0.0/',
])('the private address %s is refused, unless private ones are allowed', (url) => {
  expect(reason(url)).toMatch(/a private address$/);
  expect(reason(url, true)).toBe('allowed');
});

test('TRN-08 without TLS only private networks are called', () => {
  expect(reason('http://plunk.example/')).toBe('is not https');
  expect(reason('http://127.0.0.1:4000/', true)).toBe('allowed');
});

test.each([
  ['ftp://plunk.example/', /scheme/], ['file:///etc/passwd', /scheme/], ['/relative', /absolute/],
  ['https://a:b@plunk.example/', /user name/],
])('%s is no URL that we call', (url, why) => {
  expect(reason(url, true)).toMatch(why);
});

test('addresses of the public internet are not private', () => {
  expect(['8.8.8.8', '2001:4860:4860::8888'].map(isPrivateAddress)).toEqual([false, false]);
  expect(['198.18.0.1', '2001:db8::1', 'fe80::1%eth0'].map(isPrivateAddress)).toEqual([true, true, true]);
});
