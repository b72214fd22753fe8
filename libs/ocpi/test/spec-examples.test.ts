import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  Cdr, ConnectorPatch, Credentials, DisplayText, EnergyMix, Evse, EvsePatch, Hours, Location, LocationPatch,
  parseEnvelope, parseJson, Session, SessionPatch, Tariff, Token, TokenPatch, Version, VersionDetails,
} from '../src/index.ts';
import { issuesOf } from '../src/issues.ts';

// The protocol's own example files, where the machine has them beside the repository.

const dir = fileURLToPath(new URL('../../../../shared/ocpi/examples', import.meta.url));
const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')).sort() : [];

const invalid: Record<string, string[]> = {
  'location_put_example_add_evse.json': [
    'connectors[0].power_type: is missing', 'connectors[0].max_voltage: is missing',
    'connectors[0].max_amperage: is missing', '; and 2 more (OCPI 2.2.1)',
  ],
  'tariff_put_example.json': ['last_updated: is missing, a DateTime is required (OCPI 2.2.1)'],
};

/** Which schema a file is of, by its name; the first that fits. */
const kinds: [RegExp, z.ZodType][] = [
  [/^location_energymix/, z.strictObject({ energy_mix: EnergyMix })],
  [/^location_regularhours/, z.strictObject({ opening_times: Hours })],
  [/^location_hours/, Hours],
  [/^location_patch_example_location/, LocationPatch],
  [/^location_patch_example_tariff/, ConnectorPatch],
  [/^location_patch/, EvsePatch],
  [/^location_put_example_add_evse/, Evse],
  [/^location/, Location],
  [/^session_patch/, SessionPatch],
  [/^session/, Session],
  [/^cdr/, Cdr],
  [/^credentials/, Credentials],
  [/^tariff/, Tariff],
  [/^token_patch/, TokenPatch],
  [/^token/, Token],
  [/get_token_example/, Token],
  [/get_token_list_example/, z.array(Token)],
  [/version_info_example|^versions_info/, z.array(Version)],
  [/version_details_example/, VersionDetails],
  [/^type_displaytext/, DisplayText],
];

// because their licence (CC BY-ND) keeps the examples out of the repository: where they are not at hand none is read, and the run says so
test.skipIf(files.length === 0)('the protocol has 59 example files, of which two are invalid: read where ../shared/ocpi/examples is at hand', () => {
  expect(files).toHaveLength(59);
  expect(files.filter((name) => name in invalid)).toHaveLength(2);
});

for (const name of files) {
  const reading = parseJson(readFileSync(join(dir, name)));
  const schema = kinds.find(([form]) => form.test(name))?.[1];
  const faults = invalid[name];
  if (faults) {
    test(`${name} is refused, saying where and why`, () => {
      const result = schema!.safeParse((reading as { value: unknown }).value);
      const message = issuesOf(result.error!);
      for (const fault of faults) expect(message).toContain(fault);
    });
    continue;
  }
  test(`${name} is valid and comes out unchanged`, () => {
    if (!reading.ok || !schema) throw new Error(`${name} is no JSON, or of no known kind`);
    const enveloped = name.startsWith('transport') ? parseEnvelope(reading.value) : undefined;
    expect(enveloped?.ok ?? true).toBe(true);
    const value = enveloped?.ok ? enveloped.envelope.data : reading.value;
    expect(schema.parse(value)).toStrictEqual(value);
  });
}
