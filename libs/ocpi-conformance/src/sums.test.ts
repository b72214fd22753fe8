import { expect, test } from 'vitest';
import { type Cdr, exampleCdr, exampleTariff, type PriceComponent } from '#ocpi';
import { judgeSums } from './sums.ts';

/** The rules that a CDR breaks by its sums. */
function brokenBy(more: Partial<Cdr>): string[] {
  const broken = new Set<string>();
  judgeSums({ judge: (rule, ok) => (ok || broken.add(rule), ok) }, { ...exampleCdr, ...more }, '');
  return [...broken];
}

const tariff = (...price_components: PriceComponent[]) => [{ ...exampleTariff, elements: [{ price_components }] }];
const priced = (type: PriceComponent['type']) => ({ type, price: 0.3, step_size: 1 });
const cost = (excl_vat: number) => ({ excl_vat });
const period = (...dimensions: Cdr['charging_periods'][number]['dimensions']) => ({ start_date_time: exampleCdr.start_date_time, dimensions });
const energyAlone = { total_energy_cost: cost(3.72), total_parking_cost: undefined };

test.each<[what: string, more: Partial<Cdr>, broken: string[]]>([
  ['has all parts of its cost', {}, []],
  ['does not tell the part of a start that its tariff has a price for', { ...energyAlone, tariffs: tariff(priced('ENERGY'), priced('FLAT')) }, []],
  ['does not tell its tariffs, nor all parts', { ...energyAlone, tariffs: [] }, []],
  ['lacks what no part of its tariff explains', { ...energyAlone, tariffs: tariff(priced('ENERGY')) }, ['CDR-12']],
  ['has parts that come to more than the whole', { total_energy_cost: cost(9) }, ['CDR-12']],
  ['is in yen, each part rounded', { total_cost: cost(472), total_energy_cost: cost(372), total_parking_cost: cost(101) }, []],
  ['is in yen, and a part is missing in the sum', { total_cost: cost(600), total_energy_cost: cost(372), total_parking_cost: cost(75), tariffs: tariff(priced('ENERGY'), priced('PARKING_TIME')) }, ['CDR-12']],
  ['tells the time of what has a price alone', { charging_periods: [period({ type: 'ENERGY', volume: 12.4 }), period({ type: 'PARKING_TIME', volume: 0.25 })] }, []],
  ['has its parking in minutes', { charging_periods: [period({ type: 'ENERGY', volume: 12.4 }), period({ type: 'PARKING_TIME', volume: 15 })] }, ['CDR-11']],
  ['has less time in all its periods than in all', { charging_periods: [period({ type: 'TIME', volume: 0.5 })] }, ['CDR-11']],
])('CDR-11 CDR-12: a CDR that %s', (_, more, broken) => {
  expect(brokenBy(more)).toEqual(broken);
});
