import { expect, test } from 'vitest';
import { cdrTotals, price } from '../src/index.ts';
import { chargeOf, energy, flat, tariffOf } from './one-hour.ts';
import { vectors } from './vectors.ts';

// Which of the vectors proves which rule of OCPI's prices; that each is met is what this asks again, by name.

function met(...ids: readonly string[]): void {
  for (const id of ids) {
    const { charge, timeZone, reservation, excl, incl, billed } = vectors.find((vector) => vector.id === id)!;
    const { unrounded, lines } = price(charge, { timeZone, reservation });
    expect([unrounded.excl.toString(), unrounded.incl?.toString()], id).toEqual([excl, incl]);
    const said = lines.map((line) => `${line.dimension} ${line.billed} @${line.component.price}${line.reservation ? ' reserved' : ''}`);
    expect(said.sort(), id).toEqual([...billed].sort());
  }
}

test('PRC-01 an element is active while its restrictions hold, and ends in mid-session', () => met('W17', 'W10a', 'W10b', 'W18'));
test('PRC-02 for each dimension the first active element that has it gives the price', () => met('PRC-02a', 'PRC-02b'));
test('PRC-03 energy is in kWh, times are in hours, a fee is due once', () => met('W01', 'W02', 'W07', 'W04'));
test('PRC-04 a FLAT is due once, when its element is first active', () => met('PRC-04'));
test('PRC-05 no VAT is not 0 %, and each component has its own', () => met('PRC-05', 'W08', 'W11'));
test('PRC-06 a step rounds the total of its dimension, once for the session', () =>
  met('W09', 'W19', 'W20', 'I494', 'W23a', 'W23b', 'W23c'));
test('PRC-07 of charging and then parking only the parking is rounded', () => met('PRC-07', 'W16a', 'W21', 'W22'));
test('PRC-08 neither a new element nor a new tariff rounds anything', () => met('PRC-08', 'W19', 'W20'));
test('PRC-09 the last stretch that costs time gives the step', () => met('PRC-09a', 'PRC-09b', 'PRC-09c', 'W16c'));
test('PRC-10 an exact multiple stays, a step of 0 does nothing', () => met('PRC-10', 'W06', 'W23d'));
test('PRC-11 the time of a reservation is rounded by itself', () => met('PRC-11'));
test('PRC-12 least and highest price hold without and with VAT, each by itself', () =>
  met('PRC-12a', 'PRC-12b', 'W03a', 'W03b', 'W05a', 'W05b'));
test('PRC-13 times and dates are local, durations count from the start of the session', () => met('PRC-13a', 'PRC-13b', 'PRC-13c'));
test('PRC-14 a reservation has its own prices, and others when it expired', () =>
  met('W14a', 'W14b', 'W15a', 'W15b', 'PRC-14a', 'PRC-14b'));
test('PRC-15 RESERVATION_TIME costs the TIME of reservations', () => met('W12', 'W13', 'PRC-15a', 'PRC-15b'));
test('TAR-06 a FLAT of 0.00 is free of charge', () => met('W11'));
test('CDR-19 a start and an end at the epoch are not known', () => met('CDR-19'));

test('TAR-04 the text beside the elements changes no price', () => {
  const tariff = tariffOf(energy, flat);
  const texts = { tariff_alt_text: [{ language: 'en', text: '9.99 CAD per kWh' }], tariff_alt_url: 'https://oasis.example/prices' };
  const told = (of: object) => price(chargeOf({ ...tariff, ...of })).total.excl.toString();
  expect(told(texts)).toBe(told({}));
});

test('TAR-05 money is rounded once, by the rule of its currency and not of the protocol', () => {
  const charge = (currency: string) => chargeOf({ ...tariffOf({ ...energy, price: 0.12345 }), currency });
  for (const [currency, total] of [['JPY', 1], ['CAD', 1.23], ['KWD', 1.235]] as const) {
    expect(cdrTotals(price(charge(currency))).total_cost.excl_vat, currency).toBe(total);
    expect(price(charge(currency)).unrounded.excl.toString()).toBe('1.2345');
  }
});

test('CDR-23 the periods of a charge are enough to reckon its price again', () => {
  const { charge, timeZone } = vectors.find(({ id }) => id === 'W17')!;
  const again = JSON.parse(JSON.stringify(charge)) as typeof charge;
  expect(cdrTotals(price(again, { timeZone }))).toEqual(cdrTotals(price(charge, { timeZone })));
});
