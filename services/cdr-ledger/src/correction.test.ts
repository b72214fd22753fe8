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

test('energy where there was none is not that of the reservation before the charge', () => {
  const [first] = cdr.charging_periods;
  const reserved = { start_date_time: '2022-02-01T16:30:00Z', tariff_id: 'LEVEL-2', dimensions: [{ type: 'RESERVATION_TIME' as const, volume: 0.5 }] };
  const none = { ...first!, dimensions: [{ type: 'ENERGY' as const, volume: 0 }, { type: 'TIME' as const, volume: 1.3333 }] };
  const of = { ...cdr, start_date_time: reserved.start_date_time, charging_periods: [reserved, none], total_energy: 0 };
  const { cdr: { charging_periods, total_energy_cost } } = replacement({ energyWh: '500' }, of);
  expect(charging_periods.map(({ dimensions }) => dimensions.map(({ type, volume }) => [type, volume]))).toEqual([
    [['RESERVATION_TIME', 0.5]], [['ENERGY', 0.5], ['TIME', 1.3333]],
  ]);
  expect(total_energy_cost).toMatchObject({ excl_vat: 0.12 });
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

const elementsOf = (...priced: [restrictions: object, price: number][]): Cdr['tariffs'] => [{
  ...tariff,
  elements: priced.map(([restrictions, price]) => (
    { price_components: [{ type: 'ENERGY' as const, price, step_size: 1 }], restrictions })),
}];

test('another tariff prices each part of a period at its own price: it is cut where that changes', () => {
  const [byTheClock] = elementsOf([{ start_time: '09:15', end_time: '09:30' }, 0.5], [{}, 0.1])!;
  const { cdr: replacing } = replacement({ tariff: byTheClock! });
  expect(replacing.charging_periods.map(({ start_date_time, dimensions }) => [start_date_time, ...dimensions.map(({ volume }) => volume)])).toEqual([
    ['2022-02-01T17:00:00Z', 1.5, 0.25], ['2022-02-01T17:15:00Z', 1.5, 0.25], ['2022-02-01T17:30:00Z', 3, 0.5],
    ['2022-02-01T18:00:00Z', 0.3333],
  ]);
  expect(replacing).toMatchObject({ total_cost: { excl_vat: 1.2 }, total_energy: 6, total_time: 1.3333, total_parking_time: 0.3333 });
});

test('another energy is priced by the tiers that it comes to, also where they begin in the midst of a period', () => {
  const tariffs = elementsOf([{ max_kwh: 5 }, 0.2], [{}, 0.4]);
  const [first, parked] = cdr.charging_periods;
  const cut = (start_date_time: string, kwh: number, hours: number) => (
    { ...first!, start_date_time, dimensions: [{ type: 'ENERGY' as const, volume: kwh }, { type: 'TIME' as const, volume: hours }] });
  const charging_periods = [cut(first!.start_date_time, 5, 0.8333), cut('2022-02-01T17:50:00Z', 1, 0.1667), parked!];
  const of = { ...cdr, tariffs: tariffs!, charging_periods };
  const costOf = (energyWh: string) => replacement({ energyWh }, of).cdr.total_cost.excl_vat;
  expect(costOf('6000')).toBe(1.4);
  expect(costOf('12000'), '5 at 0.20 and 7 at 0.40').toBe(3.8);
  expect(costOf('3000')).toBe(0.6);
});
