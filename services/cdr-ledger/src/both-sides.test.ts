import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal, decimal, sum } from '#money';
import { type ChargingPeriod, creditCdr, type Session, type Tariff } from '#ocpi';
import { splitPeriods } from '#pricing';
import { instant, rfc3339 } from '#time';
import { carbonPlunk, cdr, location, session, tariff, token } from '../test/charge.ts';
import { billOf } from './bill.ts';
import { replacementOf } from './correction.ts';
import { review } from './review.ts';

const startMs = instant(session.start_date_time);

/** A stretch of a charge: minutes, tenths of a Wh, and whether the car still asks for power. */
const stretch = fc.record({
  minutes: fc.integer({ min: 1, max: 90 }),
  tenthsWh: fc.integer({ min: 0, max: 300_000 }),
  charging: fc.boolean(),
});

/** Prices with up to four decimals, steps, a night rate and a fee now and then. */
const tariffs: fc.Arbitrary<Tariff> = fc
  .record({
    perKwh: fc.integer({ min: 0, max: 9_999 }),
    perHour: fc.integer({ min: 0, max: 99_999 }),
    fee: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
    vat: fc.constantFrom(5, 13, 14.975, undefined),
    step: fc.constantFrom(1, 60, 500),
    atNight: fc.boolean(),
  })
  .map(({ perKwh, perHour, fee, vat, step, atNight }) => {
    const tax = vat === undefined ? {} : { vat };
    const component = (type: 'ENERGY' | 'TIME' | 'PARKING_TIME' | 'FLAT', price: number) => {
      return { type, price: price / 10_000, step_size: step, ...tax };
    };
    const prices = [
      component('ENERGY', perKwh),
      component('TIME', perHour),
      component('PARKING_TIME', perHour),
      ...(fee === undefined ? [] : [component('FLAT', fee * 100)]),
    ];
    const night = {
      price_components: [component('ENERGY', perKwh * 2)],
      restrictions: { start_time: '22:00', end_time: '10:00' },
    };
    return { ...tariff, elements: [...(atNight ? [night] : []), { price_components: prices }] };
  });

/** Where the tariff's VAT is what the place's taxes come to. */
function placeOf({ elements: [element] }: Tariff) {
  const states: Readonly<Record<string, string>> = { 13: 'ON', 14.975: 'QC' };
  return { ...location, state: states[String(element?.price_components[0]?.vat)] ?? 'BC' };
}

function sessionOf(stretches: readonly { minutes: number; tenthsWh: number; charging: boolean }[]) {
  let atMs = startMs;
  const charging_periods = stretches.map(({ minutes, tenthsWh, charging }): ChargingPeriod => {
    const start_date_time = rfc3339(atMs);
    atMs += minutes * 60_000;
    const hours = decimal(minutes).divide(decimal(60), 4, 'half-away-from-zero').toJsonNumber();
    const energy = {
      type: 'ENERGY' as const,
      volume: new Decimal(BigInt(tenthsWh), 4).toJsonNumber(),
    };
    return {
      start_date_time,
      tariff_id: tariff.id,
      dimensions: charging
        ? [energy, { type: 'TIME', volume: hours }, { type: 'POWER', volume: 7 }]
        : [{ type: 'PARKING_TIME', volume: hours }],
    };
  });
  const energyWh = sum(
    stretches.map((each) => (each.charging ? new Decimal(BigInt(each.tenthsWh), 1) : Decimal.zero)),
  );
  const end_date_time = rfc3339(atMs);
  const ended: Session = { ...session, charging_periods, end_date_time };
  return { ended, energyWh: energyWh.toString(), endMs: atMs };
}

test('what one side bills, credits and corrects, the other finds nothing wrong with', () => {
  const charge = fc.array(stretch, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      charge,
      tariffs,
      fc.integer({ min: 0, max: 90_000 }),
      (stretches, priced, correctedWh) => {
        const { ended: whole, energyWh, endMs } = sessionOf(stretches);
        // CDR-07: at ten the night rate ends.
        const periods = splitPeriods({ ...whole, tariffs: [priced] }, { timeZone: location.time_zone });
        const ended = { ...whole, charging_periods: periods as ChargingPeriod[] };
        const at = rfc3339(endMs + 1_000);
        const options = {
          timeZone: { name: location.time_zone },
          published: [],
          ownParty: carbonPlunk,
          nowMs: endMs + 2_000,
        };
        const { cdr: billed, pricing } = billOf(
          { session: ended, location: placeOf(priced), tariff: priced, tariffVersion: 1, token, energyWh },
          at,
        );
        expect(review(billed, options)).toMatchObject({
          findings: [],
          pricing: { unrounded: pricing.unrounded },
        });
        expect(review(creditCdr(billed, at), options).findings).toEqual([]);
        const standing = { cdr: billed, number: 1, sessionId: session.id, pricing };
        const { cdr: corrected } = replacementOf(standing, { energyWh: String(correctedWh) }, at);
        expect(review(corrected, options).findings).toEqual([]);
        expect(corrected.id).toBe(cdr.id.replace(/-1$/, '-2'));
      },
    ),
  );
});
