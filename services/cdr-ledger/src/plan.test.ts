import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal } from '#money';
import { instant } from '#time';
import { type Charged, passesThrough, type PlanTerms, retailPrice, versionAt } from './plan.ts';
import { retailText, termsText } from './plan-text.ts';

/** 6 kWh in 1 h 20 min for 2.94 CAD and GST, in British Columbia. */
const charged: Charged = {
  currency: 'CAD',
  exclVat: decimal('2.94'),
  inclVat: decimal('3.087'),
  energyKwh: decimal('6'),
  hours: decimal('1.3333'),
  own: false,
  taxes: [{ code: 'GST', rate: '5' }],
};
const markUp: PlanTerms = {
  kind: 'mark-up',
  perSession: { CAD: '0.50', JPY: '55', KWD: '0.125' },
  perKwh: { CAD: '0.02', JPY: '2.5', KWD: '0.0055' },
  percent: '5',
  tax: 'of-place',
};
const flat: PlanTerms = {
  kind: 'flat',
  perSession: { CAD: '1', JPY: '100', KWD: '0.25' },
  perKwh: { CAD: '0.35', JPY: '37.5', KWD: '0.0825' },
  perHour: { CAD: '0.6' },
  tax: 'of-place',
};
const yen = { ...charged, currency: 'JPY', exclVat: decimal('294'), inclVat: decimal('323.4'), taxes: [{ code: 'VAT', rate: '10' }] };
const dinar = { ...charged, currency: 'KWD', exclVat: decimal('0.735'), inclVat: undefined, taxes: undefined };

const only = (more: Partial<Extract<PlanTerms, { kind: 'mark-up' }>>): PlanTerms =>
  ({ kind: 'mark-up', tax: 'of-place', ...more });

describe('what a driver pays', () => {
  test.each<[string, Charged, PlanTerms, string, string | undefined]>([
    ['passed through, rounded once', charged, { kind: 'pass-through' }, '2.94', '3.09'],
    ['a mark-up per session', charged, only({ perSession: { CAD: '0.50' } }), '3.44', '3.61'], // 3.087 + 0.525
    ['a mark-up per kWh', charged, only({ perKwh: { CAD: '0.02' } }), '3.06', '3.21'], // 3.087 + 0.126
    ['a mark-up in percent', charged, only({ percent: '5' }), '3.09', '3.24'], // 3.087; 3.087 + 0.15435
    ['all three at once', charged, markUp, '3.71', '3.89'], // 3.707; 3.087 + 0.767 × 1.05
    ['a mark-up without tax', charged, { ...markUp, tax: 'none' } as PlanTerms, '3.71', '3.85'], // 3.087 + 0.767
    ['a flat price', charged, flat, '3.9', '4.09'], // 1 + 2.1 + 0.79998 = 3.89998; × 1.05 = 4.094979
    ['yen, which have no decimals', yen, markUp, '379', '417'], // 294 + 84.7; 323.4 + 93.17
    ['a flat price in yen', yen, flat, '325', '358'], // 325; 357.5, half away from zero
    ['dinars, which have three, and no tax known', dinar, markUp, '0.93', undefined], // 0.735 + 0.125 + 0.033 + 0.03675
    ['a flat price in dinars', dinar, flat, '0.745', undefined],
    ['a flat price of a car that fed back, and of no time', { ...charged, energyKwh: decimal('-6'), hours: decimal('-1') }, flat, '1', '1.05'],
    ['a mark-up per kWh of a car that fed back', { ...charged, energyKwh: decimal('-6') }, only({ perKwh: { CAD: '0.02' } }), '2.94', '3.09'],
    ['a CDR without VAT and a mark-up with it', { ...charged, inclVat: undefined }, markUp, '3.71', '3.75'], // 2.94 + 0.805…
  ])('%s', (_, charge, terms, exclVat, inclVat) => {
    const price = retailPrice(charge, terms);
    expect([price.exclVat, price.inclVat]).toEqual([exclVat, inclVat]);
    expect(price.payable).toBe(inclVat ?? exclVat);
  });

  test.each<[string, Partial<Charged>, PlanTerms, string, string]>([
    [
      'nothing was charged',
      { exclVat: decimal(0), inclVat: decimal(0), energyKwh: decimal(0) },
      markUp,
      '0',
      'nothing-charged',
    ],
    [
      'nothing was charged, by a flat plan',
      { exclVat: decimal(0), inclVat: decimal(0), energyKwh: decimal(0) },
      flat,
      '0',
      'nothing-charged',
    ],
    [
      'a car fed back for nothing, by a flat plan',
      { exclVat: decimal(0), inclVat: decimal(0), energyKwh: decimal('-6') },
      flat,
      '0',
      'nothing-charged',
    ],
    ['a total below zero', { exclVat: decimal('-1.234'), inclVat: undefined }, flat, '-1.23', 'paid-back'],
    ['our own station', { own: true }, markUp, '3.09', 'own-station'],
    ['a currency that the plan does not know', { currency: 'EUR' }, flat, '3.09', 'no-price-in-currency'],
  ])('%s: as the charge costs there', (_, more, terms, payable, exception) => {
    expect(retailPrice({ ...charged, ...more }, terms)).toMatchObject({ payable, exception });
  });

  test('energy that costs nothing there carries the mark-up; a flat price holds at our own stations', () => {
    const free = { ...charged, exclVat: decimal(0), inclVat: decimal(0) };
    expect(retailPrice(free, markUp).payable).toBe('0.65'); // 0.62 × 1.05 = 0.651
    expect(retailPrice({ ...charged, own: true }, flat).payable).toBe('4.09');
  });

  test('a mark-up that has no price in a currency asks for the percentage alone', () => {
    expect(retailPrice({ ...charged, currency: 'EUR' }, markUp).exclVat).toBe('3.09');
  });

  test('where the taxes of the place are not known, the price says so', () => {
    const price = retailPrice({ ...charged, taxes: undefined }, markUp);
    expect(price.steps.map(({ what }) => what)).toEqual(['charge', 'per-session', 'per-kwh', 'percent', 'tax-unknown', 'rounding']);
    expect(price.inclVat).toBe('3.85');
  });
});

test('the steps of a price add up to it, exactly', () => {
  const amounts = fc.integer({ min: 0, max: 10_000_000 }).map((n) => decimal(n).shift(-4));
  const rates = fc.integer({ min: 0, max: 100_000 }).map((n) => decimal(n).shift(-4).toString());
  const plans: fc.Arbitrary<PlanTerms> = fc.oneof(
    fc.constant<PlanTerms>({ kind: 'pass-through' }),
    fc.record({ a: rates, b: rates, c: rates, tax: fc.constantFrom('of-place' as const, 'none' as const) }).map(
      ({ a, b, c, tax }): PlanTerms => ({ kind: 'mark-up', perSession: { CAD: a }, perKwh: { CAD: b }, percent: c, tax })),
    fc.record({ a: rates, b: rates, tax: fc.constantFrom('of-place' as const, 'none' as const) }).map(
      ({ a, b, tax }): PlanTerms => ({ kind: 'flat', perSession: { CAD: a }, perHour: { CAD: b }, tax })),
  );
  fc.assert(
    fc.property(amounts, amounts, amounts, plans, (exclVat, energyKwh, hours, terms) => {
      const price = retailPrice({ ...charged, exclVat, inclVat: exclVat.mul(decimal('1.05')), energyKwh, hours }, terms);
      const steps = price.steps.filter(({ what }) => what !== 'rounding');
      const total = (pick: (step: (typeof steps)[number]) => string) =>
        steps.reduce((sum, step) => sum.add(decimal(pick(step))), decimal(0)).roundTo(2, 'half-away-from-zero').toString();
      expect(price.exclVat).toBe(total(({ exclVat: excl }) => excl));
      if (price.inclVat !== undefined) {
        expect(price.inclVat).toBe(total(({ exclVat: excl, inclVat }) => inclVat ?? excl));
        expect(decimal(price.inclVat).compare(decimal(price.exclVat))).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('a charge is priced by the version that holds when it begins', () => {
  const version = (from: string) => ({ planId: 'p', name: 'P', from, terms: { kind: 'pass-through' as const } });
  const versions = [version('2022-03-01T08:00:00Z'), version('2022-01-01T08:00:00Z')];
  const from = (at: string) => versionAt(versions, instant(at), instant)?.from;
  expect(from('2022-03-01T07:59:59Z')).toBe('2022-01-01T08:00:00Z');
  expect(from('2022-03-01T08:00:00Z')).toBe('2022-03-01T08:00:00Z');
  expect(from('2021-06-01T00:00:00Z')).toBe('2022-01-01T08:00:00Z');
});

describe('in words', () => {
  const text = (terms: PlanTerms, more: Partial<Charged> = {}) =>
    retailText(retailPrice({ ...charged, ...more }, terms), { name: 'Plus', terms });

  test('a flat plan without prices asks for what the charge costs there, and says so', () => {
    const none = { kind: 'flat', tax: 'of-place' } as const;
    expect(retailPrice(charged, none)).toMatchObject({ exception: 'no-price-in-currency' });
    expect([termsText(none), termsText(none, undefined, 'fr')]).toEqual([
      'You pay what the charge costs there.', 'Vous payez ce que la recharge coûte sur place.',
    ]);
  });

  test('a price is said in French, too', () => {
    const french = (terms: PlanTerms, more: Partial<Charged> = {}) =>
      retailText(retailPrice({ ...charged, ...more }, terms), { name: 'Plus', terms }, 'fr').replaceAll('\u00a0', ' ');
    expect(french(markUp)).toBe(
      '3,89 $ selon votre forfait Plus. Vous payez ce que la recharge coûte sur place, plus 0,50 $ la séance, 0,02 $ le kWh et 5 % de ce prix, taxes du lieu en sus.\n'
        + 'Taxe du lieu : TPS 5 %.\n',
    );
    expect(french({ kind: 'pass-through' })).toContain('Vous payez ce que la recharge coûte sur place.');
    expect(french({ kind: 'flat', perKwh: { CAD: '0.45' }, tax: 'none' })).toContain('Vous payez 0,45 $ le kWh, où que vous rechargiez.');
    expect(french({ kind: 'flat', perKwh: { CAD: '0.45' }, tax: 'none' })).toMatch(/ kWh × 0,45 \$ = /);
  });

  test('a marked-up price says the terms, and never what the charge costs there', () => {
    expect(text(markUp)).toBe(
      '3.89 CAD by your plan Plus. You pay what the charge costs there, and 0.50 CAD a session, 0.02 CAD a kWh and 5 % of it on top, plus the tax of the place.\n' +
        'The tax of the place is GST 5 %.\n',
    );
    expect(text(markUp)).not.toMatch(/2\.94|3\.09/);
  });

  test('in Quebec its two taxes are named one by one, and never as one rate', () => {
    const said = text(markUp, { taxes: [{ code: 'GST', rate: '5' }, { code: 'QST', rate: '9.975' }] });
    expect(said).toContain('The taxes of the place are GST 5 % and QST 9.975 %.\n');
    expect(said).not.toContain('14.975');
  });

  test('a flat price is reckoned before the driver', () => {
    expect(text(flat)).toContain('A session: 1 CAD\n6 kWh × 0.35 CAD = 2.1 CAD\n1.3333 h × 0.6 CAD = 0.79998 CAD\n');
  });

  test('an exception says what it is', () => {
    expect(text(markUp, { own: true })).toContain('At our own stations');
    expect(passesThrough(markUp, { exception: 'own-station' })).toBe(true);
    expect(passesThrough(flat, { exception: 'no-price-in-currency' })).toBe(false);
  });

  test('a plan is said in all its currencies', () => {
    expect(termsText(only({ perKwh: { CAD: '0.02', EUR: '0.015' } }))).toBe(
      'You pay what the charge costs there, and 0.02 CAD a kWh and 0.015 EUR a kWh on top, plus the tax of the place.',
    );
  });
});
