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
