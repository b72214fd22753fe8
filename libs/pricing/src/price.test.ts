import { expect, test } from 'vitest';
import type { Priced } from './price.ts';
import { price } from './price.ts';
import { vectors } from '../test/vectors.ts';

const billedLines = ({ lines }: Priced) =>
  lines.map(
    ({ dimension, billed, component, reservation }) =>
      `${dimension} ${billed} @${component.price}${reservation ? ' reserved' : ''}`,
  );

test.each(vectors.map((vector) => [vector.id, vector.shows, vector] as const))(
  '%s: %s',
  (_, __, { charge, timeZone, reservation, excl, incl, billed }) => {
    const priced = price(charge, { timeZone, reservation });
    expect(priced.unrounded.excl.toString()).toBe(excl);
    expect(priced.unrounded.incl?.toString()).toBe(incl);
    expect(billedLines(priced).sort()).toEqual([...billed].sort());
  },
);
