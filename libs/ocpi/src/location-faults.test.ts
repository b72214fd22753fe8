import { expect, test } from 'vitest';
import { exampleLocation } from './examples.ts';
import { locationFaults } from './location-faults.ts';
import type { Location } from './locations.ts';

const faults = (more: Partial<Location>) => locationFaults({ ...exampleLocation, ...more }).map(({ rule, at }) => `${rule} ${at}`);
const regular = (period_begin: string, period_end: string) => [{ weekday: 1, period_begin, period_end }];

test('a Location by the book has no faults', () => {
  expect(locationFaults(exampleLocation)).toEqual([]);
});

test('LOC-06 who may see a Location is told only where it is not published', () => {
  const publish_allowed_to = [{ group_id: 'G1' }];
  expect(faults({ publish_allowed_to })).toEqual(['LOC-06 publish_allowed_to']);
  expect(faults({ publish: false, publish_allowed_to })).toEqual([]);
});

test('LOC-08 regular hours are there where it is not open all day, and end after their begin', () => {
  const at = 'LOC-08 opening_times.regular_hours';
  expect(faults({ opening_times: { twentyfourseven: false } })).toEqual([at]);
  expect(faults({ opening_times: { twentyfourseven: true, regular_hours: regular('08:00', '20:00') } })).toEqual([at]);
  expect(faults({ opening_times: { twentyfourseven: false, regular_hours: regular('08:00', '20:00') } })).toEqual([]);
  for (const end of ['08:00', '20:00'])
    expect(faults({ opening_times: { twentyfourseven: false, regular_hours: regular('20:00', end) } }), end).toEqual([`${at}[0]`]);
});

test('LOC-12 a Connector gives no more power than its voltage and current', () => {
  const [dc, level2] = exampleLocation.evses!;
  const withPower = (max_electric_power: number, power_type: 'AC_1_PHASE' | 'AC_3_PHASE') =>
    faults({
      evses: [
        dc!,
        {
          ...level2!,
          connectors: [
            { ...level2!.connectors[0]!, max_electric_power, power_type, max_voltage: 230, max_amperage: 32 },
          ],
        },
      ],
    });
  expect(withPower(7_360, 'AC_1_PHASE')).toEqual([]);
  expect(withPower(7_400, 'AC_1_PHASE'), 'as it is rounded').toEqual([]);
  expect(withPower(11_000, 'AC_1_PHASE')).toEqual(['LOC-12 evses[1].connectors[0].max_electric_power']);
  expect(withPower(22_000, 'AC_3_PHASE')).toEqual([]);
});

test('LOC-14 the sources of energy add up to 100 %', () => {
  const mix = (...percentages: number[]) => faults({
    energy_mix: { is_green_energy: false, energy_sources: percentages.map((percentage) => ({ source: 'WATER', percentage })) },
  });
  expect(mix(33.3, 33.3, 33.4)).toEqual([]);
  expect(mix(33, 33, 33), 'each rounded').toEqual([]);
  expect(mix(99)).toEqual(['LOC-14 energy_mix.energy_sources']);
  expect(mix(50, 40)).toEqual(['LOC-14 energy_mix.energy_sources']);
  expect(mix()).toEqual([]);
});
