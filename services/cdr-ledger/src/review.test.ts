import { expect, test } from 'vitest';
import { type Cdr, creditCdr } from '#ocpi';
import { instant } from '#time';
import { carbonPlunk, cdr, oasis, tariff } from '../test/charge.ts';
import { asMeant } from './meant.ts';
import { review, type ReviewOptions } from './review.ts';
import { chargeBeganAt } from './review-tariff.ts';

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
    { code: 'price-differs', detail: 'total_cost is 3.94 CAD excl. VAT, expected 2.94: 1 CAD too much' },
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
  const { settled: _, ...reviewed } = review({ ...cdr, tariffs: [atNight] }, { ...options, timeZone });
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

const dearer = (price: number, more: object = {}) => ({
  ...tariff,
  ...more,
  elements: [{ price_components: [{ ...tariff.elements[0]!.price_components[0]!, price }, tariff.elements[0]!.price_components[1]!] }],
});
const held = (price: number, version: number, more: object = {}) =>
  ({ version, tariff: dearer(price, more), heldSince: `2022-01-0${version}T00:00:00Z` });
const published = (atStart: ReturnType<typeof held> | undefined, ...others: ReturnType<typeof held>[]) =>
  ({ published: [{ tariffId: 'level-2', atStart, others }] });

test('a tariff as it was published is in order, whatever it is called and told', () => {
  expect(
    codes(
      {},
      published(held(0.24, 1, { last_updated: '2020-01-01T00:00:00Z', tariff_alt_url: 'https://oasis.example' })),
    ),
  ).toEqual([]);
});

test('an element whose components, or whose days, are told in another order costs the same', () => {
  const [energy, time] = tariff.elements[0]!.price_components;
  const weekend = { day_of_week: ['SATURDAY' as const, 'SUNDAY' as const] };
  const of = (components: typeof tariff.elements[0]['price_components'], day_of_week: typeof weekend.day_of_week) => ({
    ...tariff,
    elements: [{ price_components: components, restrictions: { day_of_week } }, ...tariff.elements],
  });
  const atStart = { version: 1, tariff: of([energy!, time!], weekend.day_of_week), heldSince: '2022-01-01T00:00:00Z' };
  const codesOf = (told: typeof tariff) =>
    codes({ tariffs: [told] }, { published: [{ tariffId: 'LEVEL-2', atStart, others: [] }] });
  expect(codesOf(of([time!, energy!], weekend.day_of_week.toReversed()))).toEqual([]);
  expect(codesOf(of([time!, { ...energy!, price: 0.25 }], weekend.day_of_week))).toEqual(['tariff-not-as-published']);
  // Of two for the same dimension the first one counts.
  const dear = { ...energy!, price: 0.5 };
  const twice = { ...atStart, tariff: of([energy!, dear], weekend.day_of_week) };
  expect(
    codes({ tariffs: [of([dear, energy!], weekend.day_of_week)] }, { published: [{ tariffId: 'LEVEL-2', atStart: twice, others: [] }] }),
  ).toEqual(['tariff-not-as-published']);
});

test('fields of a partner\'s own within a tariff say nothing of its price, and are not repeated', () => {
  const elements = tariff.elements.map((element) => ({ ...element, for_driver: 'Avery' }));
  const own = { ...cdr, tariffs: [{ ...tariff, elements }] };
  expect(review(own, { ...options, ...published(held(0.24, 1)) }).findings).toEqual([]);
  const found = review(own, { ...options, ...published(held(0.2, 1)) }).findings;
  expect(found.map(({ code }) => code)).toEqual(['tariff-not-as-published']);
  expect(JSON.stringify(found)).not.toContain('Avery');
});

test('a charge that was reserved may be by the tariff of when it began, or of the reservation', () => {
  const reservedAt = '2022-02-01T16:40:00Z';
  const reserved = {
    ...cdr,
    start_date_time: reservedAt,
    charging_periods: [
      { start_date_time: reservedAt, tariff_id: 'LEVEL-2', dimensions: [{ type: 'RESERVATION_TIME' as const, volume: 0.33333333 }] },
      ...cdr.charging_periods,
    ],
  };
  expect([chargeBeganAt(cdr), chargeBeganAt(reserved)]).toEqual([cdr.start_date_time, cdr.start_date_time]);
  expect(chargeBeganAt({ ...reserved, charging_periods: reserved.charging_periods.slice(0, 1) })).toBe(reservedAt);
  const codesBy = (atStart: number, atCharge: number) =>
    review(reserved, {
      ...options, published: [{ tariffId: 'LEVEL-2', atStart: held(atStart, 1), atCharge: held(atCharge, 2), others: [] }],
    }).findings.map(({ code }) => code);
  expect([codesBy(0.24, 0.3), codesBy(0.2, 0.24), codesBy(0.2, 0.3)]).toEqual([[], [], ['tariff-not-as-published']]);
});

test('a charge that was reserved may be by what was in force when it began, though a later version was published by then', () => {
  const reservedAt = '2022-02-01T16:40:00Z';
  const reserved = {
    ...cdr,
    start_date_time: reservedAt,
    charging_periods: [
      { start_date_time: reservedAt, tariff_id: 'LEVEL-2', dimensions: [{ type: 'RESERVATION_TIME' as const, volume: 0.33333333 }] },
      ...cdr.charging_periods,
    ],
  };
  const [ahead, more] = ['2022-02-07T08:00:00Z', '2022-02-03T08:00:00Z'].map((start_date_time) => ({ start_date_time }));
  const codesBy = (price: number) => {
    const versions = [held(0.4, 4, ahead), held(0.35, 3, more), held(price, 2), held(0.2, 1)];
    const [atCharge, , , atStart] = versions;
    return review(reserved, { ...options, published: [{ tariffId: 'LEVEL-2', atStart: atStart!, atCharge: atCharge!, others: versions }] })
      .findings.map(({ code }) => code);
  };
  expect([codesBy(0.24), codesBy(0.3)]).toEqual([[], ['tariff-not-as-published']]);
});

test('TAR-03: after a version for a time is over, its sender may go by the one before it', () => {
  const over = held(0.1, 2, { start_date_time: '2022-01-01T08:00:00Z', end_date_time: '2022-02-01T08:00:00Z' });
  const codesBy = (price: number, ended = over) => codes({}, published(ended, ended, held(price, 1)));
  expect([codesBy(0.24), codesBy(0.2)]).toEqual([[], ['tariff-not-as-published']]);
  expect(codesBy(0.24, { ...over, tariff: { ...over.tariff, end_date_time: '2022-02-07T08:00:00Z' } }), 'while it holds')
    .toEqual(['tariff-not-as-published']);
});

test('TAR-03: a version that was published ahead of its start is not yet compared with', () => {
  const ahead = held(0.3, 3, { start_date_time: '2022-02-07T08:00:00Z' });
  const codesBy = (price: number) => codes({}, published(ahead, ahead, held(0.28, 2, { start_date_time: '2022-02-02T08:00:00Z' }), held(price, 1)));
  expect([codesBy(0.24), codesBy(0.2)]).toEqual([[], ['tariff-not-as-published']]);
  expect(codes({}, published(ahead, ahead)), 'there is no other').toEqual(['tariff-not-as-published']);
});

test('a tariff that is not as published says where, since when, and what it comes to', () => {
  const { findings } = review(cdr, { ...options, ...published(held(0.2, 2), held(0.2, 2), held(0.24, 3)) });
  expect(findings).toEqual([{
    code: 'tariff-not-as-published',
    detail: 'tariff LEVEL-2 differs from version 2, published to us when the session began: '
      + 'elements[0].price_components[0].price is 0.24, published 0.2. By what was published it is 2.7 CAD excl. VAT, '
      + 'not 2.94: 0.24 CAD too much; it is version 3, which we hold since 2022-01-03T00:00:00Z',
  }]);
});

test.each<[string, ReviewOptions['published'], string]>([
  [
    'that we did not hold then',
    [{ tariffId: 'LEVEL-2', atStart: undefined, others: [] }],
    'tariff LEVEL-2 was not published to us by the start at 2022-02-01T17:00:00Z',
  ],
  [
    'that we got later',
    [{ tariffId: 'LEVEL-2', atStart: undefined, others: [held(0.24, 1)] }],
    'tariff LEVEL-2 was not published to us by the start at 2022-02-01T17:00:00Z; it is version 1, which we hold since 2022-01-01T00:00:00Z',
  ],
  [
    'that could not be looked up',
    [{ tariffId: 'LEVEL-2', unknown: 'nobody answered' }],
    'tariff LEVEL-2: nobody answered',
  ],
])('a tariff %s is remarked on', (_name, found, detail) => {
  expect(review(cdr, { ...options, published: found }).findings).toEqual([{ code: 'tariff-not-compared', detail }]);
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
  }]);
  expect(codes(charged, { timeZone: { name: 'UTC' } })).toEqual([]);
  // From 13:00 on: half past one in Newfoundland, and in no other hour that is whole.
  const noon = (start_time: string, end_time: string) =>
    ({ ...charged, tariffs: [{ ...tariff, elements: [{ ...late, restrictions: { start_time, end_time } }, element!] }] });
  expect(review({ ...cdr, ...noon('13:25', '13:35') }, options).findings[0]?.detail).toMatch(
    /^total_cost is what its tariff comes to in America\/St_Johns;/,
  );
});

test('arithmetic, tariff and zone are three findings, each by itself', () => {
  const { total_cost: _total, ...rest } = cdr;
  const wrong = { ...rest, total_cost: { excl_vat: 9.99, incl_vat: 10.49 } };
  const { findings } = review(wrong, { ...options, ...published(held(0.2, 1)) });
  expect(findings.map(({ code }) => code)).toEqual(['price-differs', 'tariff-not-as-published']);
});

test('the sender is of no account: only the owner of the token is', () => {
  expect(codes({ ...oasis, party_id: 'ZZZ' })).toEqual([]);
});
