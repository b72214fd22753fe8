import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { idsOfOthers, keepParties, versionsSpoken } from './start-party.ts';

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

test('ids that hold another party than the settings name are found: who copied them meant their own', () => {
  writeFileSync(config, JSON.stringify({
    parties: ['SEC', 'EVG'].map((party_id) => ({ country_code: 'CA', party_id, name: party_id, roles: ['CPO', 'EMSP'] })),
    locations: [
      { id: 'A', evses: [{ evse_id: 'CA*RWT*E1' }, { evse_id: 'ca*sec*E2' }, { uid: '3' }] },
      { id: 'B', evses: [{ evse_id: 'CAEVGE4' }] },
      { id: 'C' },
    ],
    drivers: [{ contract_id: 'CA-RWT-C00000001-X' }, { contract_id: 'CASECC00000002' }],
  }));
  expect(idsOfOthers(config)).toEqual(['evse_id CA*RWT*E1', 'contract_id CA-RWT-C00000001-X']);
  writeFileSync(config, 'party: { country_code: CA, party_id: SEC, name: Second, roles: [CPO] }\nlocations:\n  - { id: A, evses: }\ndrivers:\n');
  expect(idsOfOthers(config), 'empty sections').toEqual([]);
});

test.each([
  ['all of them', {}, '2.3.0, 2.2.1 or 2.1.1'],
  ['those of the setting, the newest first', { ocpi: { versions: ['2.1.1', '2.2.1'] } }, '2.2.1 or 2.1.1'],
  ['one alone', { ocpi: { versions: ['2.1.1'] } }, '2.1.1'],
])('a start says which versions of OCPI partners may speak: %s', (_what, sections, said) => {
  writeFileSync(config, JSON.stringify(sections));
  expect(versionsSpoken(config)).toBe(said);
});
