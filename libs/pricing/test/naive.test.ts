import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Amount } from '../src/amount.ts';
import { price } from '../src/price.ts';
import { runs, seed } from './arbitrary.ts';
import { naiveCharge, writeCdr, writing } from './naive-charges.ts';
import { naivePrice, type Tick } from './naive.ts';
import { Ratio } from './ratio.ts';

console.log(`a second calculator: SEED=${seed}`);

const exactly = (amount: Amount | undefined) =>
  amount && String(Ratio.of(amount.ninths.toString()).over(Ratio.of(9)));

test('a naive calculator, tick by tick, finds the same prices', () => {
  fc.assert(
    fc.property(naiveCharge, writing, (charge, as) => {
      const naive = naivePrice(charge);
      // What became of a reservation can be told from what followed, unless that was nothing, or a wait of unknown length.
      const isUse = ({ state }: Tick) => state !== 'reserved' && (state !== 'paused' || as.withEnd);
      const isTold = charge.expired || charge.ticks.some(isUse);
      const { unrounded, lines } = price(writeCdr(charge, naive.inForce, as), {
        timeZone: charge.timeZone,
        ...(isTold ? {} : { reservation: 'used' }),
      });
      expect(exactly(unrounded.excl)).toBe(String(naive.excl));
      expect(exactly(unrounded.incl)).toBe(naive.incl && String(naive.incl));
      const billed: Record<string, Ratio> = {};
      for (const { dimension, reservation, billed: quantity } of lines) {
        const name = reservation ? `reservation ${dimension}` : dimension;
        billed[name] = (billed[name] ?? Ratio.zero).plus(Ratio.of(quantity.toString()));
      }
      expect(asText(billed)).toEqual(asText(naive.billed));
    }),
    runs(2_000),
  );
}, 600_000);

const asText = (billed: Readonly<Record<string, Ratio>>) =>
  Object.fromEntries(Object.entries(billed).map(([name, quantity]) => [name, String(quantity)]));
