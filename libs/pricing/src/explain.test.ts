import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal } from '#money';
import { explain } from './explain.ts';
import { explanationText } from './explain-text.ts';
import { chargeOf, energy, flat, start_date_time, tariffOf, time } from '../test/one-hour.ts';
import { price } from './price.ts';
import type { Reason } from './reason.ts';
import type { ChargingPeriod, Tariff } from './shapes.ts';
import { cdrTotals, priceReport } from './totals.ts';
import { vectors } from '../test/vectors.ts';

test('a period that spans a price change is priced as it began, and noted', () => {
  const tariff: Tariff = {
    ...tariffOf(),
    elements: [
      { price_components: [energy], restrictions: { max_kwh: 5 } },
      { price_components: [{ ...energy, price: 9 }] },
    ],
  };
  const explanation = explain(price(chargeOf(tariff)));
  expect(explanation.total.excl_vat).toBe('2.5');
  expect(explanation.notes).toEqual([{ code: 'period-spans-price-change', period: 0 }]);
  expect(explain(price(chargeOf(tariffOf(energy)))).notes).toEqual([]);
});

test('CDR-07: only a change of what the period uses is noted, and a fee that no period begins under', () => {
  const stay = (type: 'PARKING_TIME' | 'ENERGY', volume: number) => ({ start_date_time, dimensions: [{ type, volume }] });
  const notes = (elements: Tariff['elements'], period: ChargingPeriod) =>
    explain(price(chargeOf({ ...tariffOf(), elements }, period))).notes;
  const dearer: Tariff['elements'] = [
    { price_components: [energy], restrictions: { max_duration: 1800 } },
    { price_components: [{ ...energy, price: 9 }] },
  ];
  expect(notes(dearer, stay('PARKING_TIME', 1))).toEqual([]);
  expect(notes(dearer, stay('ENERGY', 0))).toEqual([]);
  expect(notes(dearer, stay('ENERGY', 1))).toEqual([{ code: 'period-spans-price-change', period: 0 }]);
  const late = { price_components: [flat], restrictions: { min_duration: 1800 } };
  expect(notes([late], stay('PARKING_TIME', 1))).toEqual([{ code: 'period-spans-price-change', period: 0 }]);
  expect(notes([late, { price_components: [flat] }], stay('PARKING_TIME', 1))).toEqual([]);
});

test('a CDR gets its money and quantities as OCPI numbers', () => {
  const tariff = tariffOf(flat, { ...energy, vat: 5, price: 0.3333 }, { ...time, vat: 5 });
  expect(cdrTotals(price(chargeOf(tariff)))).toEqual({
    total_cost: { excl_vat: 6.33, incl_vat: 6.6 },
    total_fixed_cost: { excl_vat: 1, incl_vat: 1 },
    total_energy: 10,
    total_energy_cost: { excl_vat: 3.333, incl_vat: 3.4997 },
    total_time: 1,
    total_time_cost: { excl_vat: 2, incl_vat: 2.1 },
  });
});

test('a price is told in exact decimals as text', () => {
  expect(priceReport(price(chargeOf(tariffOf({ ...energy, price: 0.3333, vat: 5 }))))).toEqual({
    currency: 'CAD',
    total_cost: { excl_vat: '3.33', incl_vat: '3.5' },
    unrounded: { excl_vat: '3.333', incl_vat: '3.49965' },
    lines: [
      {
        dimension: 'ENERGY',
        reservation: false,
        billed: '10000',
        unit: 'Wh',
        price: '0.3333',
        vat: '5',
        cost: { excl_vat: '3.333', incl_vat: '3.49965' },
      },
    ],
  });
});

test('an explanation says which part applied, why others did not, and what was rounded', () => {
  const tariff: Tariff = {
    ...tariffOf(),
    min_price: { excl_vat: 3 },
    elements: [
      { price_components: [{ ...energy, price: 9 }], restrictions: { min_power: 50 } },
      { price_components: [{ ...energy, step_size: 3000 }] },
    ],
  };
  const priced = price(chargeOf(tariff), { timeZone: 'America/Vancouver' });
  const explanation = explain(priced);
  expect(explanation.periods[0]!.localStart).toBe('2024-01-10 04:00');
  expect(explanation.periods[0]!.dimensions[0]).toMatchObject({
    dimension: 'ENERGY',
    volume: '10000',
    unit: 'Wh',
    passedOver: [
      {
        element: 0,
        reason: { restriction: 'min_power', asks: 'at least 50 kW', was: '10 kW' },
      },
    ],
    applied: { element: 1, component: 0, price: '0.25', stepSize: '3000' },
    cost: { excl_vat: '2.5' },
  });
  expect(explanationText(explanation)).toBe(
    [
      '2024-01-10 04:00 to 05:00 (America/Vancouver):',
      '  Energy 10 kWh at 0.25 CAD per kWh (part 2 of the tariff): 2.50 CAD.',
      '    Part 1 does not apply: only with a power of at least 50 kW, and it was 10 kW.',
      '  Charging time 1 h: no part of the tariff prices it.',
      'Billed in steps of 3 kWh: energy 10 kWh becomes 12 kWh, which adds 0.50 CAD.',
      'Sum: 3.00 CAD.',
      'To pay: 3.00 CAD.',
      '',
    ].join('\n'),
  );
});

test.each<[Tariff['elements'][number]['restrictions'], string, string]>([
  [{ min_power: 50.5 }, '50.5', '10'],
  [{ start_time: '07:30', end_time: '22:00' }, '07:30/22:00', '04:00'],
  [{ start_time: '07:30' }, '07:30/24:00', '04:00'],
  [{ start_date: '2024-01-11' }, '2024-01-11', '2024-01-10'],
  [{ day_of_week: ['SUNDAY', 'MONDAY'] }, 'MONDAY,SUNDAY', 'WEDNESDAY'],
  [{ min_kwh: 1.5 }, '1.5', '0'],
  [{ min_duration: 90 }, '90', '0'],
])('why %j did not apply is told in codes and figures that no language changes, beside its words', (restrictions, bound, value) => {
  const tariff: Tariff = {
    ...tariffOf(),
    elements: [{ price_components: [energy], ...(restrictions ? { restrictions } : {}) }, { price_components: [energy] }],
  };
  const priced = price(chargeOf(tariff), { timeZone: 'America/Vancouver' });
  const [english, french] = (['en', 'fr'] as const).map((language) => {
    const [first] = explain(priced, language).periods[0]!.dimensions[0]!.passedOver;
    return first!.reason as Extract<Reason, { why: 'restriction' }>;
  });
  const { asks, was, ...codes } = english!;
  expect(codes).toEqual({ why: 'restriction', restriction: expect.any(String), bound, value });
  expect(french).toEqual({ ...codes, asks: expect.any(String), was: expect.any(String) });
});

test('an explanation is said in French as in English: its digits, days, hours, steps, bounds and notes', () => {
  const tariff: Tariff = {
    ...tariffOf(),
    min_price: { excl_vat: 4 },
    elements: [
      { price_components: [{ ...energy, price: 9 }], restrictions: { min_power: 50 } },
      { price_components: [{ ...energy, price: 8 }], restrictions: { day_of_week: ['SATURDAY', 'SUNDAY'] } },
      { price_components: [{ ...energy, price: 7 }], restrictions: { start_time: '07:30', end_time: '22:00' } },
      { price_components: [{ ...flat, price: 2 }], restrictions: { reservation: 'RESERVATION' } },
      { price_components: [{ ...energy, price: 0.1234567, vat: 14.975, step_size: 3500 }] },
    ],
  };
  const explanation = explain(price(chargeOf(tariff), { timeZone: 'America/Vancouver' }), 'fr');
  const text = explanationText(explanation).replaceAll('\u00a0', ' ');
  expect(text).toBe(
    [
      '2024-01-10 04:00 à 05:00 (America/Vancouver) :',
      '  Énergie 10 kWh à 0,1234567 $ le kWh plus 14,975 % de taxes (partie 5 du tarif) : 1,234567 $, taxes comprises 1,419443… $.',
      '    La partie 1 ne s’applique pas : seulement à une puissance d’au moins 50 kW (ici : 10 kW).',
      '    La partie 2 ne s’applique pas : seulement le samedi ou le dimanche (ici : mercredi).',
      '    La partie 3 ne s’applique pas : seulement de 7 h 30 à 22 h (ici : 4 h).',
      '  Temps de recharge 1 h : aucune partie du tarif n’en fixe le prix.',
      'Facturé par tranches de 3,5 kWh : l’énergie passe de 10 kWh à 10,5 kWh, ce qui ajoute 0,061728… $, taxes comprises 0,070972… $.',
      'Somme : 1,296295… $, taxes comprises 1,490415… $.',
      'Le prix minimal du tarif avant taxes s’applique : + 2,703704… $, soit 4,00 $ au lieu de 1,296295… $.',
      'Le prix minimal du tarif taxes comprises s’applique : + 2,509584… $, soit 4,00 $ au lieu de 1,490415… $.',
      'À payer : 4,00 $.',
      '',
    ].join('\n'),
  );
  expect(explanationText(explain(price(chargeOf(tariff), { timeZone: 'America/Vancouver' })))).not.toMatch(/Énergie|partie/);
});

test('no explanation in French has English in it, of all tariffs with known prices', () => {
  const said = vectors.map(({ charge, timeZone, reservation }) => explanationText(explain(price(charge, { timeZone, reservation }), 'fr')));
  expect(said.join('')).toContain('À payer');
  expect(said.join('').match(/\b(the|and|only|tax|of|per|not|part|to|with|was|rounded|[A-Z]+DAY)\b/g)).toBeNull();
});

test('what an explanation adds up is the price', () => {
  for (const { charge, timeZone, reservation } of vectors) {
    const explanation = explain(price(charge, { timeZone, reservation }));
    const costs = explanation.periods.flatMap(({ dimensions }) =>
      dimensions.map(({ cost }) => cost),
    );
    const parts = [...costs, ...explanation.steps.map(({ surplusCost }) => surplusCost)];
    const sum = parts.reduce((total, part) => total.add(decimal(part?.excl_vat ?? 0)), decimal(0));
    const off = sum.sub(decimal(explanation.subtotal.excl_vat)).abs();
    expect(off.compare(decimal('0.000000000003'))).toBeLessThanOrEqual(0);
    expect(explanationText(explanation)).toContain('To pay: ');
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  }
});

test('every part of a CDR of a reservation finds its place', () => {
  const { charge, timeZone, reservation } = vectors.find(({ id }) => id === 'W13')!;
  expect(cdrTotals(price(charge, { timeZone, reservation }))).toEqual({
    total_cost: { excl_vat: 8.75, incl_vat: 10 },
    total_fixed_cost: { excl_vat: 0.5, incl_vat: 0.6 },
    total_energy: 20,
    total_energy_cost: { excl_vat: 5, incl_vat: 5.5 },
    total_time: 1,
    total_reservation_cost: { excl_vat: 3.25, incl_vat: 3.9 },
  });
});

test('PRC-12: a price with VAT that a bound without incl_vat raised is named as bounded', () => {
  const raised: Tariff = { ...tariffOf({ ...energy, vat: 5 }), min_price: { excl_vat: 9 } };
  const { subtotal, bounds, unrounded } = explain(price(chargeOf(raised)));
  expect(bounds).toEqual([
    { side: 'excl_vat', by: 'min_price', from: subtotal.excl_vat, to: '9', difference: '6.5' },
    { side: 'incl_vat', by: 'min_price', from: subtotal.incl_vat, to: '9', difference: '6.375' },
  ]);
  expect(unrounded).toEqual({ excl_vat: '9', incl_vat: '9' });
});

test('what a least or highest price adds or takes off has a line of its own: with the parts it comes to the price, of 1,000 tariffs', () => {
  const cents = fc.integer({ min: 0, max: 2_000 }).map((n) => n / 100);
  const vat = fc.constantFrom(5, 14.975);
  const bound = fc.option(fc.record({ excl_vat: cents, incl_vat: fc.option(cents, { nil: undefined }) }), { nil: undefined });
  let bounded = 0;
  fc.assert(fc.property(fc.record({ perKwh: cents, perHour: cents, vat, min: bound, max: bound }), ({ perKwh, perHour, vat: tax, min, max }) => {
    const tariff = {
      ...tariffOf({ ...energy, price: perKwh, vat: tax }, { ...time, price: perHour, vat: tax }), ...(min && { min_price: min }), ...(max && { max_price: max }),
    };
    const priced = price(chargeOf(tariff));
    const { bounds, unrounded, currency } = explain(priced);
    const { lines } = priceReport(priced);
    for (const side of ['excl_vat', 'incl_vat'] as const) {
      const parts = lines.reduce((all, line) => all.add(decimal(line.cost[side]!)), decimal(0));
      const moved = bounds.find((one) => one.side === side);
      expect(parts.add(decimal(moved?.difference ?? '0')).toString()).toBe(unrounded[side]);
      if (!moved) continue;
      bounded += 1;
      const [sign, figure] = moved.difference.startsWith('-') ? ['−', moved.difference.slice(1)] : ['+', moved.difference];
      const shown = decimal(figure).scale <= 2 ? decimal(figure).toFixed(2) : figure;
      if (decimal(figure).scale <= 6) expect(explanationText(explain(priced))).toContain(` holds: ${sign} ${shown} ${currency}, `);
    }
  }), { numRuns: 1_000 });
  expect(bounded).toBeGreaterThan(200);
});

test.each<[string, Partial<Tariff>, string, string]>([
  ['a least price above the highest', { min_price: { excl_vat: 9 }, max_price: { excl_vat: 4 } }, 'bounds-contradict', 'Note: the tariff’s least price is above its highest one'],
  ['the same with tax alone', { min_price: { excl_vat: 4, incl_vat: 9 }, max_price: { excl_vat: 4, incl_vat: 8 } }, 'bounds-contradict', 'Note: '],
  ['a step below zero', tariffOf({ ...energy, step_size: -500 }), 'step-negative', 'Note: a step_size below zero rounds nothing.'],
])('%s is priced as it stands, and said', (_of, changed, code, words) => {
  const explanation = explain(price(chargeOf({ ...tariffOf(energy), ...changed })));
  expect(explanation.notes).toEqual([{ code }]);
  expect(explanationText(explanation)).toContain(words);
});
