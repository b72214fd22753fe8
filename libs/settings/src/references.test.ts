import { expect, test } from 'vitest';
import { energyOasis } from '../../../scripts/demo-settings.ts';
import { settingsFaults } from './references.ts';

const site = () => ({
  tariffs: [{ id: 'LEVEL-2', currency: 'CAD', elements: [{ price_components: [{ type: 'ENERGY', price: 0.24, step_size: 1 }] }] }],
  locations: [{
    id: 'SITE-1',
    evses: [{
      uid: '1', station: 'STATION-1',
      connectors: [{ id: '1', station_connector: 1, tariff_ids: ['LEVEL-2'] }, { id: '2', tariff_ids: ['level-2'] }],
    }],
  }],
  stations: [{ id: 'STATION-1' }, { id: 'STATION-2' }],
  sites: [{ id: 'FEED', chargers: [{ station: 'STATION-1', connector: 2 }, { station: 'STATION-2', connector: 1 }] }],
});

/** Both at the first Connector. */
function rivals({ tariffs, locations }: ReturnType<typeof site>, ...described: object[]): void {
  tariffs.splice(0, 1, ...described.map((one) => ({ ...tariffs[0]!, ...one })));
  locations[0]!.evses[0]!.connectors[0]!.tariff_ids = ['LEVEL-2', 'NIGHT'];
}

test.each<[string, object, object]>([
  [
    'one begins when the other ends',
    { id: 'NIGHT', start_date_time: '2026-06-01T00:00:00Z' },
    { id: 'LEVEL-2', end_date_time: '2026-06-01T00:00:00Z' },
  ],
  ['they are of two types', { id: 'NIGHT', type: 'AD_HOC_PAYMENT' }, { id: 'LEVEL-2', type: 'REGULAR' }],
  ['one is for single partners', { id: 'NIGHT', offered_to: 'agreed' }, { id: 'LEVEL-2' }],
  ['one is for our own drivers', { id: 'NIGHT', offered_to: 'own' }, { id: 'LEVEL-2' }],
])('LOC-11 a Connector may have two tariffs where %s', (_what, night, day) => {
  const settings = site();
  rivals(settings, night, day);
  expect(settingsFaults(settings)).toEqual([]);
});

test('settings whose sections fit each other have no fault', () => {
  expect(settingsFaults(site())).toEqual([]);
  expect(settingsFaults(energyOasis())).toEqual([]);
  expect(settingsFaults({ ...site(), tariffs: [], operator_tariffs: ['LEVEL-2'] })).toEqual([]);
  expect(settingsFaults({ locations: 'none', stations: null, sites: [7], tariffs: [{}] })).toEqual([]);
});

test.each<[string, (settings: ReturnType<typeof site>) => void, string]>([
  [
    'a connector with a tariff that is not there: it would charge for nothing',
    ({ locations }) => {
      locations[0]!.evses[0]!.connectors[0]!.tariff_ids = ['LEVEL2'];
    },
    'locations.0 (SITE-1).evses.0 (1).connectors.0 (1).tariff_ids.0: there is no tariff "LEVEL2"; did you mean "LEVEL-2"? (ids that you publish at the portal are listed in operator_tariffs)',
  ],
  [
    'LOC-11 two tariffs of one type that are valid at the same time',
    (settings) =>
      rivals(
        settings,
        { id: 'NIGHT', start_date_time: '2026-01-01T00:00:00Z' },
        { id: 'LEVEL-2', end_date_time: '2026-06-01T00:00:00Z' },
      ),
    'locations.0 (SITE-1).evses.0 (1).connectors.0 (1).tariff_ids.1: NIGHT and LEVEL-2 are both without a type and valid at the same time, and a Connector has one of each type (OCPI 2.2.1, LOC-11): give them a start_date_time and end_date_time that do not overlap, or offered_to: agreed to one that you grant single partners',
  ],
  [
    'LOC-11 two of one type that are for the same',
    (settings) =>
      rivals(
        settings,
        { id: 'NIGHT', type: 'REGULAR', offered_to: 'own' },
        { id: 'LEVEL-2', type: 'REGULAR', offered_to: 'own' },
      ),
    'locations.0 (SITE-1).evses.0 (1).connectors.0 (1).tariff_ids.1: NIGHT and LEVEL-2 are both of type REGULAR and valid at the same time, and a Connector has one of each type (OCPI 2.2.1, LOC-11): give them a start_date_time and end_date_time that do not overlap, or offered_to: agreed to one that you grant single partners',
  ],
  [
    'tariff_ids misspelt',
    ({ locations }) => Object.assign(locations[0]!.evses[0]!.connectors[0]!, { tarif_ids: ['LEVEL-2'] }),
    'locations.0 (SITE-1).evses.0 (1).connectors.0 (1): unknown word "tarif_ids"; did you mean "tariff_ids"?',
  ],
  [
    'an EVSE of a station that may not connect',
    ({ locations }) => {
      locations[0]!.evses[0]!.station = 'STATOIN-1';
    },
    'locations.0 (SITE-1).evses.0 (1).station: there is no station "STATOIN-1"; did you mean "STATION-1"?',
  ],
  [
    'a feed of a station that is not there: nobody would watch it',
    ({ sites }) => {
      sites[0]!.chargers[1]!.station = 'DC-1';
    },
    'sites.0 (FEED).chargers.1 (DC-1).station: there is no station "DC-1"; there is STATION-1, STATION-2',
  ],
  [
    'a feed of a connector that the station does not have',
    ({ sites }) => {
      sites[0]!.chargers[0]!.connector = 3;
    },
    'sites.0 (FEED).chargers.0 (STATION-1): station STATION-1 has no connector 3; its EVSEs have 1, 2',
  ],
  [
    'an EVSE that claims to take charging profiles, and has a connector at no site: nobody would obey them',
    ({ locations }) => Object.assign(locations[0]!.evses[0]!, { capabilities: ['CHARGING_PROFILE_CAPABLE'] }),
    'locations.0 (SITE-1).evses.0 (1).capabilities: CHARGING_PROFILE_CAPABLE is for EVSEs whose connectors are all AC and at a site (sites.…chargers): nobody else obeys a charging profile',
  ],
  [
    'a restriction that OCPI does not have: the price would always apply',
    ({ tariffs }) => Object.assign(tariffs[0]!.elements[0]!, { restriction: { max_kwh: 10 } }),
    'tariffs.0 (LEVEL-2).elements.0: unknown word "restriction"; did you mean "restrictions"?',
  ],
])('%s is refused', (_what, change, fault) => {
  const settings = site();
  change(settings);
  expect(settingsFaults(settings)).toContain(fault);
});
