import { expect, test } from 'vitest';
import type { Granted } from '#grants';
import { exampleLocation, type Location } from '#ocpi';
import { instant } from '#time';
import { type Partner, viewerIn, viewerOf } from '../partners/partner.ts';
import { locationView, type Viewer, viewOf } from './views.ts';

const plunk = { country_code: 'CA', party_id: 'CPK' };
const nobody = { country_code: 'CA', party_id: 'HUB' };
const since = instant('2022-02-10T08:00:00Z');
const granted: Granted = { offers: [{ to: [plunk], tariffIds: ['PLUNK'] }], places: [], since, until: undefined };
const viewer: Viewer = { parties: [nobody], groups: [[nobody]] };

function locationNaming(...tariff_ids: string[]): string {
  const evses = exampleLocation.evses!.map((evse, n) => ({
    ...evse, connectors: evse.connectors.map((one) => ({ ...one, tariff_ids: n === 0 ? tariff_ids : ['L2'] })),
  }));
  return JSON.stringify({ ...exampleLocation, evses });
}

test('a Location without a tariff that is not for all is passed on byte for byte', () => {
  const text = locationNaming('L2');
  expect(locationView(text, viewer, granted)).toBe(text);
});

test('what a view changes is as new as what is granted, and nothing else is', () => {
  const { last_updated, evses } = JSON.parse(locationView(locationNaming('L2', 'plunk'), viewer, granted)!) as Location;
  const [first, second] = evses!;
  expect([last_updated, first!.last_updated, first!.connectors[0]!.last_updated]).toEqual(Array(3).fill('2022-02-10T08:00:00Z'));
  expect(first!.connectors[0]!.tariff_ids).toEqual(['L2']);
  expect(second).toEqual((JSON.parse(locationNaming('L2', 'plunk')) as Location).evses![1]);
});

test('a hub is told nothing that is for one of those behind it, and shows it to who asks through it', () => {
  const hub = { roles: [{ ...nobody, role: 'HUB' }], behind: [plunk] } as unknown as Partner;
  const tariff = { module: 'tariffs', objectKey: 'PLUNK', current: '{}' } as const;
  expect(viewOf(tariff, viewerOf(hub), granted)).toBeUndefined();
  const listing = { roles: [{ ...plunk, role: 'EMSP' }, ...hub.roles], behind: [] } as unknown as Partner;
  expect(viewOf(tariff, viewerOf(listing), granted), 'one that lists who is behind it').toBeUndefined();
  const asking = (from: typeof plunk | undefined) => viewerIn({ caller: { partner: hub }, routing: { from } } as never);
  expect(viewOf(tariff, asking(plunk), granted)).toBe('{}');
  expect(viewOf(tariff, asking(undefined), granted)).toBeUndefined();
});
