import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepParty } from './start-party.ts';

let dir: string;
let config: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roamwatt-party-'));
  config = join(dir, 'roamwatt.yaml');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const iAm = (partyId: string, name: string) =>
  writeFileSync(config, JSON.stringify({ party: { country_code: 'CA', party_id: partyId, name, roles: ['CPO'] } }));

test('a platform may change its name, and not whose data it goes on with', () => {
  iAm('RWT', 'My Charging Network');
  keepParty(dir, config);
  iAm('RWT', 'Our Charging Network');
  keepParty(dir, config);
  iAm('OUR', 'Our Charging Network');
  expect(() => keepParty(dir, config)).toThrow(/belong to CA\*RWT, but .* says that you are CA\*OUR/);
  iAm('RWT', 'Our Charging Network');
  expect(() => keepParty(dir, config)).not.toThrow();
});
