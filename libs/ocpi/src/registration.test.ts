import { expect, test } from 'vitest';
import { findEndpoint, missingInterfaces, newestCommon, typicalInterfaces } from './registration.ts';
import { type Endpoint, Version, VersionDetails } from './versions.ts';

const version = (name: string) => ({ version: name, url: `https://plunk.example/ocpi/${name}` });

test('the newest version that both have is picked, not the newest', () => {
  const theirs = [version('2.1.1'), version('2.3.0'), version('2.2.1')];
  expect(newestCommon(['2.2.1', '2.1.1'], theirs)).toEqual(version('2.2.1'));
  expect(newestCommon(['2.3.0', '2.2.1'], theirs)?.version).toBe('2.3.0');
  expect(newestCommon(['2.2.1'], [version('2.0')])).toBeUndefined();
});

test('VER-03 versions we do not know are no fault', () => {
  expect(Version.safeParse(version('4.0')).success).toBe(true);
});

const endpoint = (identifier: string, role: Endpoint['role']): Endpoint =>
  ({ identifier, role, url: `https://plunk.example/${identifier}/${role.toLowerCase()}` });
const emsp = VersionDetails.parse({
  version: '2.2.1',
  endpoints: [
    endpoint('credentials', 'RECEIVER'), endpoint('tokens', 'SENDER'), endpoint('locations', 'RECEIVER'),
    endpoint('locations', 'SENDER'), endpoint('capk-extras', 'SENDER'),
  ],
});

test('VER-04 an endpoint is found by module and interface role', () => {
  expect(findEndpoint(emsp, 'locations', 'RECEIVER')).toBe('https://plunk.example/locations/receiver');
  expect(findEndpoint(emsp, 'locations', 'SENDER')).toBe('https://plunk.example/locations/sender');
  expect(findEndpoint(emsp, 'tokens', 'RECEIVER')).toBeUndefined();
});

test('VER-05 the role of the credentials endpoint means nothing', () => {
  expect(findEndpoint(emsp, 'credentials', 'SENDER')).toBe('https://plunk.example/credentials/receiver');
});

test('VER-06 a module of a peer\'s own does not disturb', () => {
  expect(emsp.endpoints).toHaveLength(5);
});

test('VER-07 what a peer lacks is named', () => {
  expect(missingInterfaces(emsp, typicalInterfaces.EMSP)).toContainEqual({ module: 'cdrs', role: 'RECEIVER' });
  expect(missingInterfaces(emsp, [{ module: 'tokens', role: 'SENDER' }])).toEqual([]);
  expect(typicalInterfaces.CPO).toContainEqual({ module: 'tokens', role: 'RECEIVER' });
});

const functional = 'cdrs chargingprofiles commands locations sessions tariffs tokens';
test.each([
  ['CPO', 'cdrs locations sessions tariffs', 'chargingprofiles commands hubclientinfo tokens'],
  ['EMSP', 'chargingprofiles commands tokens', 'cdrs hubclientinfo locations sessions tariffs'],
  ['HUB', 'cdrs chargingprofiles commands hubclientinfo locations sessions tariffs tokens', functional],
  ['NAP', 'locations tariffs', 'locations tariffs'],
  ['NSP', '', 'hubclientinfo locations tariffs'],
  ['OTHER', '', 'hubclientinfo locations tariffs'],
  ['SCSP', 'chargingprofiles', 'hubclientinfo sessions'],
] as const)('VER-07 typical of %s is to be Sender of %s and Receiver of %s', (role, sends, receives) => {
  const of = (side: string) => typicalInterfaces[role].filter((one) => one.role === side).map(({ module }) => module).sort().join(' ');
  expect([of('SENDER'), of('RECEIVER')]).toEqual([sends, receives]);
});
