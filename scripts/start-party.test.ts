import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepParties } from './start-party.ts';

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
  keepParties(dir, config);
  iAm('RWT', 'Our Charging Network');
  keepParties(dir, config);
  iAm('OUR', 'Our Charging Network');
  expect(() => keepParties(dir, config)).toThrow(/belong to CA\*RWT, but .* says that you are CA\*OUR/);
  iAm('RWT', 'Our Charging Network');
  expect(() => keepParties(dir, config)).not.toThrow();
});

test('a platform may become further parties, and none of them may be left out again', () => {
  const weAre = (...ids: string[]) => writeFileSync(config, JSON.stringify({
    parties: ids.map((party_id) => ({ country_code: 'CA', party_id, name: party_id, roles: ['CPO'] })),
  }));
  iAm('RWT', 'My Charging Network');
  keepParties(dir, config);
  weAre('RWT', 'EVG');
  keepParties(dir, config);
  weAre('EVG', 'RWT');
  keepParties(dir, config);
  weAre('RWT');
  expect(() => keepParties(dir, config)).toThrow(/belong to CA\*EVG and CA\*RWT, but .* says that you are CA\*RWT/);
});
