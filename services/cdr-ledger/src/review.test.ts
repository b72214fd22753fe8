import { expect, test } from 'vitest';
import { type Cdr, creditCdr } from '#ocpi';
import { settledCdr } from '#settlement';
import { instant } from '#time';
import { carbonPlunk, cdr, oasis, tariff } from '../test/charge.ts';
import { asMeant } from './meant.ts';
import { review, type ReviewOptions } from './review.ts';

const options: ReviewOptions = {
  timeZone: { name: 'America/Vancouver' },
  published: [],
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
  ['a total with the dust of binary arithmetic', { total_cost: { excl_vat: 2.9400000000000004, incl_vat: 3.0869999999999997 } }, []],
  ['a total that is wrong in its fourth decimal', { total_cost: { excl_vat: 2.9401, incl_vat: 3.087 } }, ['price-differs']],
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
    ['negative-total'],
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
  [
    'a time that is yet to come behind an end before the start',
    { end_date_time: '2022-02-01T16:00:00Z', last_updated: '9999-01-01T00:00:00Z' },
    expect.arrayContaining(['ends-before-it-starts', 'time-in-the-future']),
  ],
  ['a last update before the charge began', { last_updated: '2019-02-01T18:21:00Z' }, ['updated-before-it-starts']],
  ['a last update within the slack of clocks', { last_updated: '2022-02-01T16:56:00Z' }, []],
  ['parking time that is not in the periods', { total_parking_time: 0.5 }, ['parking-time-differs-from-periods']],
  [
    'parking time longer than all of the session',
    { total_parking_time: 5, charging_periods: cdr.charging_periods.slice(0, 1), total_time: 1, end_date_time: '2022-02-01T18:00:00Z' },
    ['parking-time-differs-from-periods'],
  ],
  [
    'parking time that no period has, as partners do who charge nothing for it,',
    { total_parking_time: 0.2, charging_periods: cdr.charging_periods.slice(0, 1), total_time: 1, end_date_time: '2022-02-01T18:00:00Z' },
    [],
  ],
  ['a time that is yet to come', { last_updated: '2022-03-01T00:00:00Z' }, ['time-in-the-future']],
  [
    'a token that is not ours',
    { cdr_token: { ...cdr.cdr_token, party_id: 'XYZ' } },
    ['token-of-another-party'],
  ],
  ['no tariff', { tariffs: [] }, ['not-priceable']],
  ['no tariff, and nothing asked', { tariffs: [], total_cost: { excl_vat: 0, incl_vat: 0 } }, []],
  ['VAT of nothing', { tariffs: [], total_cost: { excl_vat: 0, incl_vat: 1 } }, expect.arrayContaining(['not-priceable'])],
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
  expect(codes({ ...credit, ...negated })).toEqual(['credit-negates-more']);
  expect(codes({ ...credit, total_cost: cdr.total_cost })).toEqual(['credit-total-not-negative']);
});

test('a price that differs says what was expected', () => {
  const { findings } = review({ ...cdr, total_cost: { excl_vat: 3.94 } }, options);
  expect(findings).toEqual([
    {
      code: 'price-differs',
      detail: 'total_cost is 3.94 CAD excl. VAT, expected 2.94: 1 CAD too much',
      figures: { field: 'total_cost', told: '3.94', due: '2.94', currency: 'CAD', vat: 'excl' },
    },
  ]);
});

test('a price that no CDR can say is a finding, and never keeps the CDR from being recorded', () => {
  const elements = [
    { price_components: [{ type: 'ENERGY' as const, price: 123456789012.345, vat: 123456789012.345, step_size: 1 }] },
  ];
  expect(codes({ tariffs: [{ ...tariff, elements }] })).toEqual(['not-priceable', 'tax-differs-from-place']);
});

test('a VAT that is not what the taxes of the place come to is found, and said', () => {
  const inQuebec = { cdr_location: { ...cdr.cdr_location, state: 'QC', city: 'Montréal' } };
  const found = review({ ...cdr, ...inQuebec }, options).findings.find(({ code }) => code === 'tax-differs-from-place');
  expect(found?.detail).toBe('it charges 5 % of tax; Montréal QC has GST 5 % and QST 9.975 %');
  expect(found?.figures).toEqual({ told: '5', due: 'GST 5, QST 9.975', unit: '%' });
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
  const { settled: _, taxed: __, ...reviewed } = review({ ...cdr, tariffs: [atNight] }, { ...options, timeZone });
  expect(reviewed).toEqual({
    findings: [
      {
        code: 'time-zone-unknown',
        detail: 'its tariff has local times, but Location BURNABY is not known',
      },
    ],
  });
});

const credit = creditCdr(cdr, '2022-02-01T18:22:00Z');
const { credit: _flag, ...unflagged } = credit;
const { credit_reference_id: _reference, ...unreferenced } = unflagged;

test.each<[string, Cdr, Partial<ReviewOptions>, string[], object | undefined]>([
  ['an exact one', credit, {}, [], undefined],
  ['one that is positive', { ...credit, total_cost: cdr.total_cost }, {}, ['credit-total-not-negative'],
    { id: credit.id, creditReferenceId: cdr.id }],
  ['one whose VAT is positive', { ...credit, total_cost: { ...credit.total_cost, incl_vat: 3.09 } }, {}, ['credit-total-not-negative'],
    { id: credit.id, creditReferenceId: cdr.id }],
  ['one without its flag', unflagged as Cdr, {}, ['negative-total'],
    { id: credit.id, creditReferenceId: cdr.id }],
  ['one that only its id tells', unreferenced as Cdr, {}, ['negative-total'],
    { id: credit.id, creditReferenceId: cdr.id }],
  ['one that only its session tells', { ...unreferenced, id: 'X' } as Cdr, { originalOfSession: cdr.id }, ['negative-total'],
    { id: 'X', creditReferenceId: cdr.id }],
  ['one that nothing tells', { ...unreferenced, id: 'X' } as Cdr, {}, ['negative-total'], { id: 'X' }],
  ['one with the id of its original', { ...credit, id: cdr.id }, {}, ['credit-reuses-id'],
    { id: credit.id, creditReferenceId: cdr.id }],
])('of sloppy credits, %s is understood', (_name, sloppy, more, found, meant) => {
  const reviewed = review(sloppy, { ...options, ...more });
  expect([reviewed.findings.map(({ code }) => code), reviewed.meant]).toEqual([found, meant]);
});

test('a bill for a car that fed back is negative, and no credit', () => {
  const fed = cdr.charging_periods.map((period) => ({
    ...period,
    dimensions: period.dimensions.map((one) => (one.type === 'ENERGY' ? { ...one, volume: -20 } : one)),
  }));
  const bill = { ...cdr, charging_periods: fed, total_energy: -20, total_cost: { excl_vat: -3.3, incl_vat: -3.47 },
    total_energy_cost: { excl_vat: -4.8, incl_vat: -5.04 } };
  const { findings, meant } = review(bill, options);
  expect([findings.map(({ code }) => code), meant]).toEqual([['negative-total'], undefined]);
  // CDR-04: its credit is positive, and all else as it was.
  const back = creditCdr(bill, '2022-02-01T18:22:00Z');
  expect(review(back, options)).toMatchObject({ findings: [] });
  expect(review(back, options).meant).toBeUndefined();
  const reused = review({ ...back, id: bill.id }, options);
  expect(reused.findings.map(({ code }) => code)).toEqual(['credit-reuses-id']);
  expect(asMeant({ ...back, id: bill.id }, reused.meant)).toEqual(back);
  // As any credit of it is meant to be, where what it credits is here.
  const credited = { original: settledCdr(bill), before: [] };
  const negative = review({ ...back, total_cost: bill.total_cost }, { ...options, credited });
  expect(negative.findings.map(({ code, detail }) => `${code}: ${detail}`)).toEqual([
    'negative-total: total_cost is -3.3 CAD in a Credit CDR of one that pays back: what takes that away is above nothing',
  ]);
  expect([asMeant({ ...back, total_cost: bill.total_cost }, negative.meant), negative.settled.incl_tax]).toEqual([back, '3.47']);
  const { credit: _, ...unflagged } = { ...back, total_cost: bill.total_cost };
  expect(review(unflagged, { ...options, credited }).settled).toMatchObject({ credit: true, incl_tax: '3.47' });
});

test('a positive credit is none of a bill that paid back where its original did not, whatever its own periods say', () => {
  const negated = cdr.charging_periods.map((period) => ({
    ...period, dimensions: period.dimensions.map((one) => (one.type === 'ENERGY' ? { ...one, volume: -20 } : one)),
  }));
  const credited = { original: settledCdr(cdr), before: [] };
  const { settled, findings } = review({ ...credit, total_cost: cdr.total_cost, charging_periods: negated }, { ...options, credited });
  expect(settled.incl_tax).toBe('-3.09');
  expect(findings.map(({ code }) => code)).toContain('credit-total-not-negative');
});

test('a bill for so little fed back that it rounds to nothing is no credit either', () => {
  const [first, ...others] = cdr.charging_periods.map((period) => ({
    ...period, dimensions: period.dimensions.map((one) => ({ ...one, volume: 0 })),
  }));
  const fed = [{ ...first!, dimensions: [{ type: 'ENERGY' as const, volume: -1 }] }, ...others];
  const yen = { ...tariff, currency: 'JPY' };
  const bill = {
    ...cdr, currency: 'JPY', tariffs: [yen], charging_periods: fed, total_energy: -1, total_cost: { excl_vat: -0.24, incl_vat: -0.25 },
  };
  expect(review(bill, options).meant).toBeUndefined();
});

test('a replacement that names what was credited is no credit', () => {
  expect(review({ ...cdr, id: 'S-2', credit_reference_id: cdr.id }, options)).toMatchObject({
    findings: [{ code: 'reference-without-credit', detail: expect.stringContaining(cdr.id) }],
  });
});

test('a price that is right in another zone than the Location\'s is a matter of the zone alone', () => {
  // From 16:00 on it costs more: 17:00 UTC is after that in UTC, nine in the morning in Vancouver.
  const [element] = tariff.elements;
  const [energy, time] = element!.price_components;
  const late = { price_components: [{ ...energy!, price: 0.48 }, time!], restrictions: { start_time: '16:00', end_time: '23:00' } };
  const charged = {
    tariffs: [{ ...tariff, elements: [late, element!] }],
    total_cost: { excl_vat: 4.38, incl_vat: 4.6 },
    total_energy_cost: { excl_vat: 2.88, incl_vat: 3.024 },
  };
  expect(review({ ...cdr, ...charged }, options).findings).toEqual([{
    code: 'time-zone-differs',
    detail: 'total_cost is what its tariff comes to in UTC; in America/Vancouver, the zone of Location BURNABY, '
      + 'it is 4.38 CAD excl. VAT, expected 2.94: 1.44 CAD too much',
    figures: { told: 'UTC', due: 'America/Vancouver' },
  }]);
  expect(codes(charged, { timeZone: { name: 'UTC' } })).toEqual([]);
  // From 13:00 on: half past one in Newfoundland, and in no other hour that is whole.
  const noon = (start_time: string, end_time: string) =>
    ({ ...charged, tariffs: [{ ...tariff, elements: [{ ...late, restrictions: { start_time, end_time } }, element!] }] });
  expect(review({ ...cdr, ...noon('13:25', '13:35') }, options).findings[0]?.detail).toMatch(
    /^total_cost is what its tariff comes to in America\/St_Johns;/,
  );
});

test('the sender is of no account: only the owner of the token is', () => {
  expect(codes({ ...oasis, party_id: 'ZZZ' })).toEqual([]);
});

test('a price that is right nowhere, and has more digits than JSON in another zone, is found to differ', () => {
  const absurd = { price_components: [{ type: 'ENERGY' as const, price: 123_456_789_012.345, vat: 123_456_789_012.345, step_size: 1 }], restrictions: { start_time: '17:00' } };
  expect(codes({ tariffs: [{ ...tariff, elements: [absurd, ...tariff.elements] }], total_cost: { excl_vat: 3, incl_vat: 3.15 } })).toEqual(['price-differs', 'tax-differs-from-place']);
});

test('a period that is charged as it began, though its price falls in its midst, is found, with what it comes to if all ran evenly', () => {
  const [energy] = tariff.elements[0]!.price_components;
  const elements = [
    { price_components: [{ ...energy!, price: 0.5 }], restrictions: { end_time: '09:30' } }, { price_components: [{ ...energy!, price: 0.1 }] },
  ];
  const of = { tariffs: [{ ...tariff, elements }], total_energy_cost: undefined, total_time_cost: undefined };
  const foundIn = (changed: Partial<Cdr>) => review({ ...cdr, ...of, ...changed } as Cdr, options).findings;
  expect(foundIn({ total_cost: { excl_vat: 3, incl_vat: 3.15 } })).toEqual([{
    code: 'period-spans-price-change',
    detail: 'the price changes within charging_periods[0], which is charged as it began; '
      + 'had all run evenly, total_cost is 3 CAD excl. VAT, expected 1.8: 1.2 CAD too much',
    figures: { field: 'total_cost', told: '3', due: '1.8', currency: 'CAD', vat: 'excl' },
  }]);
  const [charged, parked] = cdr.charging_periods;
  const part = (start_date_time: string, kwh: number, hours: number) => (
    { ...charged!, start_date_time, dimensions: [{ type: 'ENERGY' as const, volume: kwh }, { type: 'TIME' as const, volume: hours }] });
  const cut = [part('2022-02-01T17:00:00Z', 3, 0.5), part('2022-02-01T17:30:00Z', 3, 0.5), parked!];
  expect(foundIn({ charging_periods: cut, total_cost: { excl_vat: 1.8, incl_vat: 1.89 } })).toEqual([]);
  const late = [part('2022-02-01T17:00:00Z', 3.05, 0.5083), part('2022-02-01T17:30:30Z', 2.95, 0.4917), parked!];
  expect(foundIn({ charging_periods: late, total_cost: { excl_vat: 1.82, incl_vat: 1.91 } }), 'half a minute late').toEqual([]);
});

test('a reservation that is charged as it began, though its price falls in its midst, is found as a charge is', () => {
  const by = (price: number, more: object) => ({
    price_components: [{ type: 'TIME' as const, price, vat: 5, step_size: 1 }], restrictions: { reservation: 'RESERVATION' as const, ...more },
  });
  const reserved = { start_date_time: '2022-02-01T16:00:00Z', tariff_id: tariff.id, dimensions: [{ type: 'RESERVATION_TIME' as const, volume: 1 }] };
  const { findings } = review({
    ...cdr, start_date_time: '2022-02-01T16:00:00Z', tariffs: [{ ...tariff, elements: [by(6, { end_time: '08:30' }), by(2, {}), ...tariff.elements] }],
    charging_periods: [reserved, ...cdr.charging_periods], total_cost: { excl_vat: 8.94, incl_vat: 9.39 }, total_reservation_cost: { excl_vat: 6, incl_vat: 6.3 },
  } as Cdr, options);
  expect(findings).toMatchObject([{ code: 'period-spans-price-change', figures: { told: '8.94', due: '6.94' } }]);
});
