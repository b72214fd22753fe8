import { z } from 'zod';
import { Connector, Evse, Location, sameId, Tariff } from '#ocpi';
import { rivals } from './rival-tariffs.ts';
import { pathText, unknownFields, valueAt } from './faults.ts';
import { BadSettings, readSections } from './settings.ts';
import { unknownWord } from './words.ts';

/** Our Locations in the settings: OCPI's, and which charger each EVSE and Connector is. */
const ownEvse = z.looseObject({
  ...Evse.shape,
  station: z.string().optional(),
  connectors: z.array(z.looseObject({ ...Connector.shape, station_connector: z.int().optional() })),
});
const ownLocations = z.array(z.looseObject({ ...Location.shape, evses: z.array(ownEvse), private: z.boolean().optional() }));
const ownTariffs = z.array(z.looseObject({ ...Tariff.shape, offered_to: z.string().optional() }));

/**
 * Whether the sections of a platform's roamwatt.yaml fit each other, and hold no field of OCPI that is
 * misspelt: no service sees that alone, and what it would cost is a charge for nothing or a feed that
 * nobody watches. Throws BadSettings that names every fault. What a section itself must look like, the
 * service that reads it says.
 */
export function checkSettings(file: string): void {
  const faults = settingsFaults(readSections(file));
  if (faults.length > 0) throw new BadSettings(faults.map((fault) => `${file}: ${fault}`).join('\n'));
}

/** The faults of the sections, taken as they were written. */
export function settingsFaults(whole: Readonly<Record<string, unknown>>): string[] {
  const say = (section: string, path: readonly PropertyKey[], message: string) =>
    `${[section, pathText(whole[section], path)].filter(Boolean).join('.')}: ${message}`;
  const misspelt = ([['locations', ownLocations], ['tariffs', ownTariffs]] as const).flatMap(([section, schema]) =>
    unknownFields(schema, whole[section]).map(({ path, word, known }) => say(section, path, unknownWord('unknown word', word, known))));

  // What the operator publishes at the portal is not in the settings, but for its id.
  const tariffs = [...idsOf(whole['tariffs']), ...listAt(whole['operator_tariffs'], []).filter((id) => typeof id === 'string')];
  const stations = idsOf(whole['stations']);
  const plugs = new Map<string, Set<number>>();
  const lost: string[] = [];
  const expect = (section: string, path: readonly PropertyKey[], what: string, known: readonly string[]) => {
    const id = valueAt(whole[section], path);
    const same = what === 'tariff' ? sameId : (a: string, b: string) => a === b;
    if (typeof id !== 'string' || known.some((each) => same(each, id))) return;
    const elsewhere = what === 'tariff' ? ' (ids that you publish at the portal are listed in operator_tariffs)' : '';
    lost.push(`${say(section, path, unknownWord(`there is no ${what}`, id, known))}${elsewhere}`);
  };

  for (const path of pathsTo(whole['locations'], ['evses'])) {
    expect('locations', [...path, 'station'], 'station', stations);
    const station = valueAt(whole['locations'], [...path, 'station']);
    for (const [index, connector] of listAt(whole['locations'], [...path, 'connectors']).entries()) {
      const at = [...path, 'connectors', index];
      for (const place of listAt(connector, ['tariff_ids']).keys()) expect('locations', [...at, 'tariff_ids', place], 'tariff', tariffs);
      for (const { place, what } of rivals(listAt(connector, ['tariff_ids']), listAt(whole['tariffs'], []))) {
        lost.push(say('locations', [...at, 'tariff_ids', place], what));
      }
      if (typeof station !== 'string') continue;
      const number = valueAt(connector, ['station_connector']) ?? index + 1;
      plugs.set(station, (plugs.get(station) ?? new Set()).add(Number(number)));
    }
  }
  for (const path of pathsTo(whole['sites'], ['chargers'])) {
    expect('sites', [...path, 'station'], 'station', stations);
    const station = valueAt(whole['sites'], [...path, 'station']);
    const has = typeof station === 'string' ? plugs.get(station) : undefined;
    const number = valueAt(whole['sites'], [...path, 'connector']) ?? 1;
    if (has && typeof number === 'number' && !has.has(number)) {
      lost.push(say('sites', path, `station ${station} has no connector ${number}; its EVSEs have ${[...has].join(', ')}`));
    }
  }
  return [...misspelt, ...lost, ...unmanaged(whole, say)];
}

/** A charging profile is obeyed where the load is managed: no other EVSE may claim that it takes one. CHP-06. */
function unmanaged(
  whole: Readonly<Record<string, unknown>>,
  say: (section: string, path: readonly PropertyKey[], message: string) => string,
): string[] {
  const managed = new Set(
    pathsTo(whole['sites'], ['chargers']).map((path) => {
      const charger = valueAt(whole['sites'], path);
      return `${String(valueAt(charger, ['station']))}/${String(valueAt(charger, ['connector']) ?? 1)}`;
    }),
  );
  return pathsTo(whole['locations'], ['evses']).flatMap((path) => {
    const evse = valueAt(whole['locations'], path);
    if (!listAt(evse, ['capabilities']).includes('CHARGING_PROFILE_CAPABLE')) return [];
    const connectors = listAt(evse, ['connectors']);
    const isManaged = (connector: unknown, index: number) => {
      const number = valueAt(connector, ['station_connector']) ?? index + 1;
      return (
        managed.has(`${String(valueAt(evse, ['station']))}/${String(number)}`) &&
        valueAt(connector, ['power_type']) !== 'DC'
      );
    };
    return connectors.every(isManaged)
      ? []
      : [
          say(
            'locations',
            [...path, 'capabilities'],
            'CHARGING_PROFILE_CAPABLE is for EVSEs whose connectors are all AC and at a site (sites.…chargers): nobody else obeys a charging profile',
          ),
        ];
  });
}

function idsOf(section: unknown): string[] {
  return listAt(section, []).flatMap((item) => {
    const id = valueAt(item, ['id']);
    return typeof id === 'string' ? [id] : [];
  });
}

/** The path of each item of a list that each item of a section has. */
function pathsTo(section: unknown, list: readonly string[]): PropertyKey[][] {
  return listAt(section, []).flatMap((item, index) => [...listAt(item, list).keys()].map((at) => [index, ...list, at]));
}

function listAt(value: unknown, path: readonly PropertyKey[]): unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}
