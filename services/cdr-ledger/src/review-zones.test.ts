import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cdr, Tariff } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { carbonPlunk, cdr, tariff } from '../test/charge.ts';
import { priceCdr } from './amounts.ts';
import { review } from './review.ts';

// CDRs that a partner reckoned by the clocks of another zone, over a night in which these were set.

const wall = fc.integer({ min: 0, max: 47 }).map((n) => `${String(n >> 1).padStart(2, '0')}:${n % 2 ? '30' : '00'}`);
const nights: Readonly<Record<string, string>> = {
  'America/Toronto': '2022-03-13T07:00:00Z', 'America/Chicago': '2022-11-06T07:00:00Z', 'Europe/Berlin': '2022-03-27T01:00:00Z',
  'Europe/London': '2022-10-30T01:00:00Z', 'Australia/Sydney': '2022-04-02T16:00:00Z', 'America/St_Johns': '2022-03-13T05:30:00Z',
};
const charge = fc.record({
  zone: fc.constantFrom(...Object.keys(nights)), beforeMin: fc.integer({ min: 1, max: 300 }),
  minutes: fc.array(fc.integer({ min: 5, max: 120 }), { minLength: 3, maxLength: 8 }), from: wall, to: wall,
  price: fc.integer({ min: 1, max: 90 }),
}).filter(({ from, to }) => from !== to);

test('of 1,000 CDRs reckoned by the clocks of a zone in the night when they are set, none is found to be wrong but by its zone', () => {
  const found: Record<string, number> = {};
  fc.assert(fc.property(charge, ({ zone, beforeMin, minutes, from, to, price }) => {
    const [element] = tariff.elements;
    const [energy] = element!.price_components;
    const night = { price_components: [{ ...energy!, price: price / 100 }], restrictions: { start_time: from, end_time: to } };
    const tariffs = [{ ...tariff, elements: [night, { price_components: [energy!] }] } as Tariff];
    let atMs = instant(nights[zone]!) - beforeMin * 60_000;
    const start_date_time = rfc3339(atMs);
    const charging_periods = minutes.map((length, n) => {
      const period = { start_date_time: rfc3339(atMs), tariff_id: tariff.id, dimensions: [{ type: 'ENERGY' as const, volume: 1.3 + n }] };
      atMs += length * 60_000;
      return period;
    });
    const { total_energy_cost: _, total_time_cost: __, total_fixed_cost: ___, total_parking_cost: ____, ...bare } = cdr;
    const reckoned = { ...bare, tariffs, start_date_time, end_date_time: rfc3339(atMs), charging_periods } as Cdr;
    const { unrounded } = priceCdr(reckoned, zone).priced;
    const told = (amount: typeof unrounded.excl) => amount.roundTo(2, 'half-away-from-zero').toJsonNumber();
    const total_cost = { excl_vat: told(unrounded.excl), incl_vat: told(unrounded.incl ?? unrounded.excl) };
    const options = { timeZone: { name: 'America/Vancouver' }, published: [], ownParty: carbonPlunk, nowMs: atMs + 60_000 };
    const codes = review({ ...reckoned, total_cost }, options).findings.map(({ code }) => code);
    for (const code of codes) found[code] = (found[code] ?? 0) + 1;
    expect(codes).not.toContain('price-differs');
  }), { numRuns: 1_000 });
  expect(found['time-zone-differs']).toBeGreaterThan(100);
});
