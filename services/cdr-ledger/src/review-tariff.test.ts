import { expect, test } from 'vitest';
import type { Cdr } from '#ocpi';
import { instant } from '#time';
import { carbonPlunk, cdr, tariff } from '../test/charge.ts';
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

const reservedAt = '2022-02-01T16:40:00Z';
const reserved = {
  ...cdr,
  start_date_time: reservedAt,
  charging_periods: [
    { start_date_time: reservedAt, tariff_id: 'LEVEL-2', dimensions: [{ type: 'RESERVATION_TIME' as const, volume: 0.33333333 }] },
    ...cdr.charging_periods,
  ],
};

test('a charge that was reserved may be by the tariff of when it began, or of the reservation', () => {
  expect([chargeBeganAt(cdr), chargeBeganAt(reserved)]).toEqual([cdr.start_date_time, cdr.start_date_time]);
  expect(chargeBeganAt({ ...reserved, charging_periods: reserved.charging_periods.slice(0, 1) })).toBe(reservedAt);
  const codesBy = (atStart: number, atCharge: number) =>
    review(reserved, {
      ...options, published: [{ tariffId: 'LEVEL-2', atStart: held(atStart, 1), atCharge: held(atCharge, 2), others: [] }],
    }).findings.map(({ code }) => code);
  expect([codesBy(0.24, 0.3), codesBy(0.2, 0.24), codesBy(0.2, 0.3)]).toEqual([[], [], ['tariff-not-as-published']]);
});

test('a charge that was reserved may be by what was in force when it began, though a later version was published by then', () => {
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
    figures: { field: 'total_cost', told: '2.94', due: '2.7', currency: 'CAD', vat: 'excl' },
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

test('arithmetic, tariff and zone are three findings, each by itself', () => {
  const { total_cost: _total, ...rest } = cdr;
  const wrong = { ...rest, total_cost: { excl_vat: 9.99, incl_vat: 10.49 } };
  const { findings } = review(wrong, { ...options, ...published(held(0.2, 1)) });
  expect(findings.map(({ code }) => code)).toEqual(['price-differs', 'tariff-not-as-published']);
});

test('what a CDR would be by the tariff that was published is said by its own hours, which the periods were not cut by', () => {
  const [energy, time] = tariff.elements[0]!.price_components;
  const elements = [
    { price_components: [{ ...energy!, price: 0.5 }], restrictions: { start_time: '09:30' } },
    { price_components: [energy!, time!] },
  ];
  const atStart = { version: 1, tariff: { ...tariff, elements }, heldSince: '2022-01-01T00:00:00Z' };
  const { findings } = review(cdr, { ...options, published: [{ tariffId: 'LEVEL-2', atStart, others: [] }] });
  // 3 kWh at 0.24 until half past nine, 3 at 0.50, and an hour at 1.50.
  expect(findings).toMatchObject([{ code: 'tariff-not-as-published', figures: { told: '2.94', due: '3.72' } }]);
});
