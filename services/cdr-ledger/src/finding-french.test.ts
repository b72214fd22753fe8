import { expect, test } from 'vitest';
import type { Cdr } from '#ocpi';
import { instant } from '#time';
import { carbonPlunk, cdr, tariff } from '../test/charge.ts';
import type { Finding, FindingCode } from './finding.ts';
import { figuresOf } from './finding-figures.ts';
import { WORDS } from './plan-words.ts';
import { review, type ReviewOptions } from './review.ts';

const options: ReviewOptions = {
  timeZone: { name: 'America/Vancouver' }, published: [], ownParty: carbonPlunk, nowMs: instant('2022-02-01T18:22:00Z'),
};
const findingIn = (changed: Partial<Cdr>, code: FindingCode) => {
  const { findings } = review({ ...cdr, ...changed }, options);
  return findings.find((one) => one.code === code)!;
};
const said = (finding: Finding) => WORDS.fr.explained.found(finding).replaceAll('\u00a0', ' ');
const period = cdr.charging_periods[0]!;
const [element] = tariff.elements;
const taxed = [{ ...tariff, elements: [{ ...element!, price_components: element!.price_components.map((one) => ({ ...one, vat: 13 })) }] }];

test.each<[FindingCode, Partial<Cdr>, string]>([
  ['price-differs', { total_cost: { excl_vat: 2.95, incl_vat: 3.09 } }, 'le montant facturé n’est pas celui que donne le tarif : 2,95 $ avant taxes au lieu de 2,94 $ (price-differs)'],
  ['price-differs', { total_cost: { excl_vat: 2.94, incl_vat: 3.1 } }, ' : 3,10 $ taxes comprises au lieu de 3,09 $ ('],
  ['split-differs', { total_energy_cost: { excl_vat: 1.5, incl_vat: 1.58 } }, ' : total_energy_cost, 1,50 $ avant taxes au lieu de '],
  ['negative-total', { total_cost: { excl_vat: -2.94, incl_vat: -3.09 } }, ' : -2,94 $ ('],
  ['energy-differs-from-periods', { total_energy: 60.5 }, ' : 60,5 kWh au lieu de 6 kWh ('],
  ['time-differs-from-timestamps', { total_time: 80 }, ' : 80 h au lieu de '],
  ['parking-time-differs-from-periods', { total_parking_time: 80.25, charging_periods: [{ ...period, dimensions: [...period.dimensions, { type: 'PARKING_TIME', volume: 1.5 }] }] },
    ' : 80,25 h au lieu de 1,5 h ('],
  ['ends-before-it-starts', { end_date_time: '2022-02-01T16:00:00Z' }, ' : fin à 2022-02-01T16:00:00Z, début à 2022-02-01T17:00:00Z ('],
  ['time-in-the-future', { last_updated: '9999-01-01T00:00:00Z' }, ' : 9999-01-01T00:00:00Z ('],
  ['updated-before-it-starts', { last_updated: '2021-01-01T00:00:00Z' }, ' : 2021-01-01T00:00:00Z, début à 2022-02-01T17:00:00Z ('],
  ['tax-differs-from-place', { tariffs: taxed }, ' : 13 % facturés au lieu de TPS 5 % (tax-differs-from-place)'],
])('%s is said in French with the figures that it has in English', (code, changed, words) => {
  const { figures, ...former } = findingIn(changed, code);
  expect(said({ code, detail: 'worded anew', figures: figures! })).toContain(words);
  expect(said(former), 'as a former release noted it').toContain(words);
});

test('the figures of a finding stand beside its words: what was told, and what it should have been', () => {
  expect(findingIn({ total_cost: { excl_vat: 2.95, incl_vat: 3.09 } }, 'price-differs').figures)
    .toEqual({ field: 'total_cost', told: '2.95', due: '2.94', currency: 'CAD', vat: 'excl' });
  expect(findingIn({ total_energy: 60.5 }, 'energy-differs-from-periods').figures)
    .toEqual({ field: 'total_energy', told: '60.5', due: '6', unit: 'kWh' });
  expect(findingIn({ tariffs: taxed }, 'tax-differs-from-place').figures).toEqual({ told: '13', due: 'GST 5', unit: '%' });
});

test('what is read of the words of a finding of a former release are the same figures', () => {
  for (const changed of [{ total_energy: 60.5 }, { total_time: 80 }, { tariffs: taxed }, { end_date_time: '2022-02-01T16:00:00Z' }]) {
    const { findings } = review({ ...cdr, ...changed }, options);
    const noted = findings.filter(({ figures }) => figures);
    expect(noted.length).toBeGreaterThan(0);
    for (const { figures, ...former } of noted) expect(figuresOf(former)).toEqual(figures);
  }
});

test('a finding that a former release worded otherwise is said without figures', () => {
  expect(said({ code: 'energy-differs-from-periods', detail: 'it is more' }))
    .toBe('Constat : l’énergie totale n’est pas celle des périodes (energy-differs-from-periods).');
});
