import { expect, test } from 'vitest';
import { lint, type LintFacts } from './lint.ts';
import { LINT_CODES, type LintCode } from './lint-finding.ts';

const component = (type: string, price: unknown, more: object = {}) => ({
  type,
  price,
  step_size: 1,
  ...more,
});
const energy = component('ENERGY', 0.35);
const time = component('TIME', 3);
const parking = component('PARKING_TIME', 6);
const flat = component('FLAT', 1);
const element = (price_components: unknown, restrictions?: object) =>
  restrictions ? { price_components, restrictions } : { price_components };
const tariff = (elements: unknown, more: object = {}) => ({
  country_code: 'CA',
  party_id: 'OAS',
  id: 'T1',
  currency: 'CAD',
  elements,
  last_updated: '2026-01-01T00:00:00Z',
  ...more,
});
const one = (price: object, restrictions?: object) =>
  tariff([element([price], restrictions), element([energy])]);
const canada = (meter?: 'approved' | 'dispensation' | 'none'): LintFacts => ({
  country: 'CAN',
  timeZone: 'America/Vancouver',
  evses: [{ name: 'CA*OAS*E1', ...(meter && { meter }) }],
});
const until2030 = { end_date_time: '2030-01-01T07:00:00Z' };

const FIRST = '/elements/0/price_components/0';

/** As many elements as a tariff of 200 kB has, each with bounds of its own. */
const intricate = Array.from({ length: 1_500 }, (_, i) => {
  const two = (n: number) => String(n).padStart(2, '0');
  const start_date = `20${20 + (i % 80)}-${two(1 + (i % 12))}-${two(1 + (i % 28))}`;
  const start_time = `${two(i % 24)}:${two(i % 60)}`;
  return element([energy], { start_date, start_time, min_kwh: i, max_power: i % 400 });
});

const cases: readonly [LintCode, path: string, given: unknown, facts?: LintFacts][] = [
  ['missing-field', '', { ...tariff([element([energy])]), last_updated: undefined }],
  ['missing-field', FIRST, tariff([element([{ ...time, step_size: null }])])],
  ['unknown-field', '/elements/0/restrictions/min_kw', one(time, { min_kw: 11 })],
  ['unknown-field', '/a~1b', tariff([element([energy])], { 'a/b': 1 })],
  ['wrong-type', '', 'a text'],
  [
    'wrong-type',
    '/elements/0/price_components/0/price',
    tariff([element([{ ...time, price: {} }])]),
  ],
  ['wrong-type', '/elements/0/price_components/0/step_size', one({ ...time, step_size: 1.5 })],
  ['number-as-text', '/elements/0/price_components/0/price', one(component('TIME', '3.00'))],
  [
    'unknown-value',
    '/elements/0/price_components/0/type',
    tariff([element([component('ENERGIE', 1)])]),
  ],
  ['unknown-value', '/elements/0/restrictions/day_of_week/0', one(time, { day_of_week: ['MON'] })],
  ['bad-format', '/elements/0/restrictions/end_time', one(time, { end_time: '24:00' })],
  ['bad-format', '/start_date_time', tariff([element([energy])], { start_date_time: 'soon' })],
  ['unknown-currency', '/currency', tariff([element([energy])], { currency: 'XYZ' })],
  ['unknown-currency', '/currency', tariff([element([energy])], { currency: 'cad' })],
  ['empty-days', '/elements/0/restrictions/day_of_week', one(time, { day_of_week: [] })],
  ['too-long', '/party_id', tariff([element([energy])], { party_id: 'OASIS' })],
  ['empty-list', '/elements', tariff([])],
  ['empty-list', '/elements/0/price_components', tariff([element([])])],
  ['invalid-tariff', '/elements/0/restrictions/end_date', one(time, { end_date: '2026-02-30' })],
  [
    'unreachable-element',
    '/elements/1',
    tariff([element([energy]), element([energy], { min_kwh: 5 })]),
  ],
  ['unreachable-element', '/elements/0', one(energy, { min_kwh: 5, max_kwh: 5 })],
  [
    'unreachable-component',
    '/elements/1/price_components/0',
    tariff([element([energy]), element([energy, time])]),
  ],
  ['duplicate-dimension', '/elements/0/price_components/1', tariff([element([energy, energy])])],
  ['reservation-dimension', FIRST, one(energy, { reservation: 'RESERVATION' })],
  ['only-without-current', FIRST, one(energy, { min_current: 9, max_current: 8 })],
  ['gap-without-price', '/elements', tariff([element([energy], { end_time: '20:00' })])],
  [
    'overlapping-windows',
    '/elements/1/restrictions',
    tariff([
      element([component('ENERGY', 0.5)], { start_time: '16:00', end_time: '21:00' }),
      element([component('ENERGY', 0.2)], { start_time: '20:00', end_time: '06:00' }),
    ]),
  ],
  [
    'outside-validity',
    '/elements/0/restrictions',
    { ...one(energy, { start_date: '2027-01-01' }), end_date_time: '2026-06-01T00:00:00Z' },
  ],
  [
    'validity-empty',
    '/end_date_time',
    tariff([element([energy])], {
      start_date_time: '2026-06-01T00:00:00Z',
      end_date_time: '2026-06-01T00:00:00Z',
    }),
  ],
  [
    'earlier-version-returns',
    '/end_date_time',
    tariff([element([energy])], { end_date_time: '2026-06-01T00:00:00Z' }),
    { returns: 3 },
  ],
  [
    'tariff-ended',
    '/end_date_time',
    tariff([element([energy])], { end_date_time: '2026-06-01T00:00:00Z' }),
    { now: '2026-06-01T00:00:00Z' },
  ],
  [
    'equal-times',
    '/elements/0/restrictions/end_time',
    one(time, { start_time: '08:00', end_time: '08:00' }),
  ],
  [
    'ends-a-minute-early',
    '/elements/0/restrictions/end_time',
    one(time, { start_time: '08:00', end_time: '23:59' }),
  ],
  [
    'end-date-exclusive',
    '/elements/0/restrictions/end_date',
    one(time, { end_date: '2026-12-31' }),
  ],
  [
    'wraps-with-days',
    '/elements/0/restrictions',
    one(time, { start_time: '22:00', end_time: '06:00', day_of_week: ['FRIDAY'] }),
  ],
  [
    'duration-of-session',
    '/elements/0/restrictions/min_duration',
    one(parking, { min_duration: 900 }),
  ],
  ['per-minute-price', '/elements/0/price_components/0/price', one(component('TIME', 0.25))],
  ['per-minute-price', '/elements/0/price_components/0/price', one(component('PARKING_TIME', 0.1))],
  [
    'price-in-cents',
    '/elements/0/price_components/0/price',
    tariff([element([component('ENERGY', 35)])]),
  ],
  [
    'price-per-wh',
    '/elements/0/price_components/0/price',
    tariff([element([component('ENERGY', 0.00035)])]),
  ],
  [
    'negative-price',
    '/elements/0/price_components/0/price',
    tariff([element([component('ENERGY', -0.1)])]),
  ],
  [
    'vat-as-fraction',
    '/elements/0/price_components/0/vat',
    tariff([element([{ ...energy, vat: 0.05 }])]),
  ],
  [
    'vat-implausible',
    '/elements/0/price_components/0/vat',
    tariff([element([{ ...energy, vat: 500 }])]),
  ],
  [
    'vat-sometimes-absent',
    '/elements/0/price_components/1',
    tariff([element([{ ...energy, vat: 5 }, time])]),
  ],
  ['step-size-zero', '/elements/0/price_components/0/step_size', one({ ...time, step_size: 0 })],
  [
    'step-size-large',
    '/elements/0/price_components/0/step_size',
    tariff([element([{ ...energy, step_size: 5000 }])]),
  ],
  [
    'step-size-differs',
    '/elements/0/price_components/1/step_size',
    tariff([
      element([
        { ...time, step_size: 60 },
        { ...parking, step_size: 300 },
      ]),
    ]),
  ],
  [
    'step-size-of-flat',
    '/elements/0/price_components/0/step_size',
    one({ ...flat, step_size: 60 }),
  ],
  [
    'min-above-max-price',
    '/min_price/excl_vat',
    tariff([element([energy])], { min_price: { excl_vat: 5 }, max_price: { excl_vat: 4 } }),
  ],
  [
    'incl-below-excl',
    '/max_price/incl_vat',
    tariff([element([energy])], { max_price: { excl_vat: 5, incl_vat: 4 } }),
  ],
  [
    'bound-without-incl',
    '/max_price',
    tariff([element([{ ...energy, vat: 5 }])], { max_price: { excl_vat: 5 } }),
  ],
  ['too-intricate', '/elements', tariff(intricate)],
  ['free-tariff-form', '/elements', tariff([element([component('ENERGY', 0)])])],
  [
    'alt-text-price',
    '/tariff_alt_text/0/text',
    tariff([element([energy])], { tariff_alt_text: [{ language: 'en', text: '0.35 $ per kWh' }] }),
  ],
  ['canada-kwh-without-approval', FIRST, tariff([element([energy])], until2030), canada('none')],
  ['canada-dispensation-ends', FIRST, tariff([element([energy])]), canada('dispensation')],
  ['canada-meter-unknown', FIRST, tariff([element([energy])]), canada()],
  ['canada-time-price-after-2029', FIRST, tariff([element([time])]), canada('none')],
  ['canada-flat-price-after-2029', FIRST, tariff([element([flat])]), canada('none')],
];

test.each(cases)('%s is found at "%s"', (code, path, given, facts) => {
  const found = lint(structuredClone(given), facts);
  const own = found.find((one) => one.code === code && one.path === path);
  expect(own, JSON.stringify(found)).toBeDefined();
  expect(own!.message).toMatch(/\S/);
  expect(own!.advice).toMatch(/\S/);
});

test('a price with a decimal comma is told how to be written, one that may be thousands is not', () => {
  const adviceOn = (price: string) =>
    lint(structuredClone(one(component('ENERGY', price)))).find(({ code }) => code === 'wrong-type')!.advice;
  expect(adviceOn('0,24')).toMatch(/^Write 0\.24 without quotes/);
  expect(adviceOn('1,500')).toMatch(/^Correct it/);
});

test('what is of OCPI 2.3.0 is told how 2.2.1 says it, and an object where a word belongs is shown as it is', () => {
  const of = (more: object) => lint(tariff([element([energy])], more)).map(({ path, message, advice }) => `${path} ${message} ${advice}`).join('\n');
  const given = of({ tax_included: 'YES', min_price: { before_taxes: 1 } });
  expect(given).toMatch(/\/tax_included .* for 2\.2\.1 write the prices without tax/);
  expect(given).toMatch(/\/min_price\/before_taxes .* write excl_vat/);
  expect(of({ constructor: 1 })).toMatch(/Take it away/);
  expect(of({ type: { a: 1 } })).toContain('/type {"a":1} is none of AD_HOC_PAYMENT');
});

test('every code has a case', () => {
  const tried = new Set(cases.map(([code]) => code));
  expect(Object.keys(LINT_CODES).filter((code) => !tried.has(code as LintCode))).toEqual([]);
});

test('a sound tariff has no finding', () => {
  const given = tariff([
    element([component('ENERGY', 0.5, { vat: 5 })], { start_time: '16:00', end_time: '21:00' }),
    element([component('ENERGY', 0.3, { vat: 5 }), component('PARKING_TIME', 6, { vat: 5 })]),
  ]);
  expect(lint(given)).toEqual([]);
  expect(lint(tariff([element([component('FLAT', 0, { step_size: 0 })])]))).toEqual([]);
  expect(lint({ ...given, ...until2030 }, canada('dispensation'))).toEqual([]);
  expect(lint(given, canada('approved'))).toEqual([]);
});

test('a tariff that ends with 2029 may price time in Canada, and one that goes on may not', () => {
  const codes = (given: unknown, facts = canada('none')) =>
    lint(given, facts).map(({ code }) => code);
  const timed = tariff([element([time])]);
  expect(codes({ ...timed, ...until2030 })).toEqual([]);
  expect(codes({ ...timed, end_date_time: '2030-01-01T07:00:01Z' })).toHaveLength(1);
  const dated = (end_date: string) => tariff([element([time], { end_date })]);
  expect(codes(dated('2030-01-01'))).not.toContain('canada-time-price-after-2029');
  expect(codes(dated('2030-01-02'))).toContain('canada-time-price-after-2029');
  expect(codes(timed, { country: 'USA' })).toEqual([]);
  expect(lint(timed, { ...canada('none'), now: '2030-01-01T07:00:00Z' })[0]!.severity).toBe(
    'error',
  );
  expect(lint(timed, canada('none'))[0]!.severity).toBe('warning');
});

test('in Canada only what can still apply in 2030 is too late: what comes before it may have taken its place', () => {
  const codes = (...elements: object[]) =>
    lint(tariff(elements), canada('approved')).map(({ code, path }) => [code, path]).filter(([code]) => code!.startsWith('canada'));
  const from2030 = { start_date: '2030-01-01' };
  const until = { end_date: '2030-01-01' };
  const free = component('TIME', 0);
  expect(codes(element([free, energy], from2030), element([time]))).toEqual([]);
  expect(codes(element([free], { ...from2030, day_of_week: ['SUNDAY'] }), element([time]))).toEqual([
    ['canada-time-price-after-2029', '/elements/1/price_components/0'],
  ]);
  expect(codes(element([energy], until), element([flat]))).toEqual([
    ['canada-flat-price-after-2029', '/elements/1/price_components/0'],
  ]);
  expect(codes(element([time, flat]))).toEqual([['canada-time-price-after-2029', FIRST]]);
});

test('a kWh price is refused only where neither approval nor dispensation is there', () => {
  const priced = tariff([element([energy])], until2030);
  const evses = [
    { name: 'A', meter: 'approved' as const },
    { name: 'B', meter: 'none' as const },
    { name: 'C', meter: 'dispensation' as const },
  ];
  const found = lint(priced, { country: 'CA', timeZone: 'America/Vancouver', evses });
  expect(found).toMatchObject([{ code: 'canada-kwh-without-approval' }]);
  expect(found[0]!.message).toContain('B has neither');
  const of = (given: LintFacts) => lint(priced, { ...given, country: 'CA' })[0]!.message;
  expect(of({ evses: [{ name: 'A', meter: 'none' }, { name: 'B', meter: 'none' }] })).toContain('A, B have neither');
  expect(of({ evses: [{ name: 'its EVSEs', meter: 'none' }] })).toContain('its EVSEs have neither');
});

test.each([
  null,
  1,
  [],
  {},
  { elements: 1 },
  { elements: [null] },
  { elements: [{ price_components: [null] }] },
])('lint takes anything (%#)', (given) => {
  expect(lint(given).some(({ severity }) => severity === 'error')).toBe(true);
});
