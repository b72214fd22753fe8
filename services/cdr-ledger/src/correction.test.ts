import { expect, test } from 'vitest';
import { decimal, sum } from '#money';
import type { Cdr } from '#ocpi';
import { cdr, session, tariff } from '../test/charge.ts';
import { creditOf, replacementOf, type Review } from './correction.ts';

const at = '2022-02-03T18:00:00Z';
const pricing = {
  timeZone: 'America/Vancouver',
  tzdb: '2026f',
  tariffVersion: 3,
  unrounded: { exclVat: '2.94', inclVat: '3.087' },
};

function replacement(review: Review, of: Cdr = cdr) {
  return replacementOf({ cdr: of, number: 1, sessionId: session.id, pricing }, review, at);
}

test('a Credit CDR is its original with the total negated and nothing else', () => {
  expect(creditOf(cdr, at)).toEqual({
    ...cdr,
    id: `${session.id}-1-C`,
    credit: true,
    credit_reference_id: `${session.id}-1`,
    total_cost: { excl_vat: -2.94, incl_vat: -3.09 },
    last_updated: at,
  });
});

test('nothing reviewed is the same charge again under the next number', () => {
  const again = replacement({});
  expect(again.cdr).toEqual({ ...cdr, id: `${session.id}-2`, last_updated: at });
  expect(again.pricing).toEqual({ ...pricing, tzdb: expect.any(String) });
});

test('a replacement is no credit', () => {
  const { cdr: replacing } = replacement({ energyWh: '3000' });
  expect(replacing).not.toHaveProperty('credit');
  expect(replacing).not.toHaveProperty('credit_reference_id');
});

test('another energy scales the periods and is priced anew; time stays', () => {
  const { cdr: replacing } = replacement({ energyWh: '3000' });
  expect(replacing).toMatchObject({
    total_energy: 3,
    total_energy_cost: { excl_vat: 0.72 },
    total_time: 1.3333,
    total_time_cost: { excl_vat: 1.5 },
    total_cost: { excl_vat: 2.22, incl_vat: 2.33 },
  });
  expect(replacing.charging_periods[0]?.dimensions).toEqual([
    { type: 'ENERGY', volume: 3 },
    { type: 'TIME', volume: 1 },
  ]);
});

test('scaled periods add up to the energy exactly', () => {
  const charging_periods = [0, 1, 2].map((n) => ({
    start_date_time: `2022-02-01T17:0${n}:00Z`,
    tariff_id: 'LEVEL-2',
    dimensions: [{ type: 'ENERGY' as const, volume: 2 }],
  }));
  const { cdr: replacing } = replacement({ energyWh: '10000' }, { ...cdr, charging_periods });
  const volumes = replacing.charging_periods.map(({ dimensions }) => dimensions[0]!.volume);
  expect(volumes).toEqual([3.3333, 3.3334, 3.3333]);
  expect(sum(volumes.map(decimal)).toString()).toBe('10');
});

test('energy where there was none goes to the first period', () => {
  const charging_periods = cdr.charging_periods.map((period) => ({
    ...period,
    dimensions: period.dimensions.map((dimension) =>
      dimension.type === 'ENERGY' ? { ...dimension, volume: 0 } : dimension,
    ),
  }));
  const { cdr: replacing } = replacement(
    { energyWh: '500' },
    { ...cdr, charging_periods, total_energy: 0 },
  );
  expect(replacing.charging_periods[0]?.dimensions[0]).toEqual({ type: 'ENERGY', volume: 0.5 });
});

test('another tariff prices every period and is the one in the CDR', () => {
  const cheap = {
    ...tariff,
    id: 'FREE-TIME',
    elements: [{ price_components: [{ type: 'ENERGY' as const, price: 0.1, step_size: 1 }] }],
  };
  const { cdr: replacing, pricing: priced } = replacement({ tariff: cheap });
  expect(replacing.tariffs).toEqual([cheap]);
  expect(replacing.charging_periods.map(({ tariff_id }) => tariff_id)).toEqual([
    'FREE-TIME',
    'FREE-TIME',
  ]);
  expect(replacing.total_cost).toEqual({ excl_vat: 0.6 });
  expect(priced).not.toHaveProperty('tariffVersion');
});
