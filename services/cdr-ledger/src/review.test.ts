import { expect, test } from 'vitest';
import { type Cdr, creditCdr } from '#ocpi';
import { instant } from '#time';
import { carbonPlunk, cdr, oasis, tariff } from '../test/charge.ts';
import { review, type ReviewOptions } from './review.ts';

const options: ReviewOptions = {
  timeZone: { name: 'America/Vancouver' },
  ownParty: carbonPlunk,
  nowMs: instant('2022-02-01T18:22:00Z'),
};

function codes(changed: Partial<Cdr>, more: Partial<ReviewOptions> = {}): string[] {
  return review({ ...cdr, ...changed }, { ...options, ...more }).findings.map(({ code }) => code);
}

/** The tariff of the charge at night, when the Location's clock shows 22:00 or later. */
const atNight = {
  ...tariff,
  elements: [{ ...tariff.elements[0]!, restrictions: { start_time: '22:00', end_time: '06:00' } }],
};

test('a CDR that is right is priced and nothing is found', () => {
  expect(review(cdr, options)).toMatchObject({
    findings: [],
    pricing: { unrounded: { exclVat: '2.94', inclVat: '3.087' } },
  });
});

test('a Credit CDR that is right is, too', () => {
  expect(codes(creditCdr(cdr, '2022-02-01T18:22:00Z'))).toEqual([]);
});

test.each<[string, Partial<Cdr>, string[]]>([
  [
    'a total of a cent too much',
    { total_cost: { excl_vat: 2.95, incl_vat: 3.09 } },
    ['price-differs'],
  ],
  [
    'a total that is right without VAT only',
    { total_cost: { excl_vat: 2.94, incl_vat: 3.1 } },
    ['price-differs'],
  ],
  ['a total that is not rounded', { total_cost: { excl_vat: 2.94, incl_vat: 3.087 } }, []],
  ['a total without its VAT', { total_cost: { excl_vat: 2.94 } }, []],
  [
    'a part that is wrong',
    { total_energy_cost: { excl_vat: 1.5, incl_vat: 1.58 } },
    ['split-differs'],
  ],
  ['a part that is rounded to cents', { total_time_cost: { excl_vat: 1.5, incl_vat: 1.58 } }, []],
  [
    'a negative total',
    { total_cost: { excl_vat: -2.94, incl_vat: -3.09 } },
    ['negative-total', 'price-differs'],
  ],
  ['energy that is not in the periods', { total_energy: 60 }, ['energy-differs-from-periods']],
  [
    'a duration that is not the one of its times',
    { total_time: 80 },
    ['time-differs-from-timestamps'],
  ],
  [
    'an end before the start',
    { end_date_time: '2022-02-01T16:00:00Z' },
    expect.arrayContaining(['ends-before-it-starts']),
  ],
  ['a time that is yet to come', { last_updated: '2022-03-01T00:00:00Z' }, ['time-in-the-future']],
  [
    'a token that is not ours',
    { cdr_token: { ...cdr.cdr_token, party_id: 'XYZ' } },
    ['token-of-another-party'],
  ],
  ['no tariff', { tariffs: [] }, ['not-priceable']],
  [
    'a tariff that is not in the list',
    { charging_periods: cdr.charging_periods.map((period) => ({ ...period, tariff_id: 'X' })) },
    ['tariff-not-listed', 'tariff-not-listed'],
  ],
  [
    'a tariff that was not valid yet',
    {
      charging_periods: cdr.charging_periods.map(({ tariff_id: _, ...period }) => period),
      tariffs: [{ ...tariff, start_date_time: '2022-03-01T00:00:00Z' }],
    },
    ['tariff-outside-its-validity'],
  ],
  [
    'a tariff in another currency',
    { currency: 'USD' },
    expect.arrayContaining(['tariff-in-another-currency']),
  ],
])('%s is found and named', (_, changed, found) => {
  expect(codes(changed)).toEqual(found);
});

test('what a credit is for may be negated in its parts, and not in its total, by sloppy partners', () => {
  const credit = creditCdr(cdr, '2022-02-01T18:22:00Z');
  const negated = {
    total_energy_cost: { excl_vat: -1.44, incl_vat: -1.512 },
    total_time_cost: { excl_vat: -1.5, incl_vat: -1.575 },
  };
  expect(codes({ ...credit, ...negated })).toEqual([]);
  expect(codes({ ...credit, total_cost: cdr.total_cost })).toEqual(['credit-total-not-negative']);
});

test('a price that differs says what was expected', () => {
  const { findings } = review({ ...cdr, total_cost: { excl_vat: 3.94 } }, options);
  expect(findings).toEqual([
    { code: 'price-differs', detail: 'total_cost is 3.94 CAD excl. VAT, expected 2.94' },
  ]);
});

test('a price that no CDR can say is a finding, and never keeps the CDR from being recorded', () => {
  const elements = [
    { price_components: [{ type: 'ENERGY' as const, price: 123456789012.345, vat: 123456789012.345, step_size: 1 }] },
  ];
  expect(codes({ tariffs: [{ ...tariff, elements }] })).toEqual(['not-priceable']);
});

test('local times are priced in the zone of the Location', () => {
  // 17:00 UTC is nine in the morning in Vancouver and one at night in Tokyo.
  const free = {
    total_cost: { excl_vat: 0, incl_vat: 0 },
    total_energy_cost: { excl_vat: 0 },
    total_time_cost: { excl_vat: 0 },
    tariffs: [atNight],
  };
  expect(codes(free)).toEqual([]);
  expect(codes({ tariffs: [atNight] }, { timeZone: { name: 'Asia/Tokyo' } })).not.toContain(
    'price-differs',
  );
});

test('an unknown zone is a finding where the tariff has local times, and else of no account', () => {
  const timeZone = { unknown: 'Location BURNABY is not known' };
  expect(codes({}, { timeZone })).toEqual([]);
  expect(review({ ...cdr, tariffs: [atNight] }, { ...options, timeZone })).toEqual({
    findings: [
      {
        code: 'time-zone-unknown',
        detail: 'its tariff has local times, but Location BURNABY is not known',
      },
    ],
  });
});

test('the sender is of no account: only the owner of the token is', () => {
  expect(codes({ ...oasis, party_id: 'ZZZ' })).toEqual([]);
});
