import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { instant, rfc3339 } from '#time';
import type { Outcome } from '../src/bill.ts';
import { price } from '../src/price.ts';
import type { CdrDimension, Charge, ChargingPeriod, Tariff } from '../src/shapes.ts';

// The project's checklist lies beside the repository, not in it: its own numbers are compared where
// it is at hand. What this repository carries of them is vectors.ts.
const folder = join(import.meta.dirname, '../../../../shared/ocpi');
const file = join(folder, 'price-vectors.json');

interface Given {
  readonly id: string;
  readonly tariff_file?: string;
  readonly tariff?: Tariff;
  readonly time_zone: string;
  readonly periods: readonly {
    readonly start_utc: string;
    readonly reservation_outcome?: string;
    readonly volumes: readonly (Record<string, number> & { readonly type: string })[];
  }[];
  readonly expected: { readonly excl_vat: number; readonly incl_vat: number | null };
  readonly billed_lines: readonly { dimension: string; billed: number; price: number }[];
}

function chargeOf(given: Given): Charge {
  const tariff: Tariff =
    given.tariff ?? JSON.parse(readFileSync(join(folder, 'examples', given.tariff_file!), 'utf8'));
  let endMs = 0;
  const charging_periods = given.periods.map(({ start_utc, volumes }): ChargingPeriod => {
    const minutes = volumes.reduce((total, volume) => total + (volume.minutes ?? 0), 0);
    endMs = instant(start_utc) + minutes * 60_000;
    const dimensions = volumes.map(({ type, minutes: m, kwh, ampere, kilowatt }): CdrDimension => ({
      type,
      volume: m === undefined ? (kwh ?? ampere ?? kilowatt)! : Math.round((m / 60) * 1e4) / 1e4,
    }));
    return { start_date_time: start_utc, dimensions };
  });
  return { end_date_time: rfc3339(endMs), tariffs: [tariff], charging_periods };
}

const given: Given[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).vectors : [];

// because the checklist lies beside the repository: where it is not at hand nothing is compared, and the run says so
test.skipIf(given.length === 0)('every price of the checklist is met before rounding, where the checklist is at hand', () => {
  for (const vector of given) {
    const reservation = vector.periods[0]!.reservation_outcome?.toLowerCase() as
      Outcome | undefined;
    const { unrounded, lines } = price(chargeOf(vector), {
      timeZone: vector.time_zone,
      reservation,
    });
    const six = (amount: typeof unrounded.excl | undefined) =>
      amount?.roundTo(6, 'half-away-from-zero').toApproximate() ?? null;
    expect([vector.id, six(unrounded.excl)]).toEqual([vector.id, vector.expected.excl_vat]);
    expect([vector.id, six(unrounded.incl)]).toEqual([vector.id, vector.expected.incl_vat]);
    const billed = lines.map(
      ({ dimension, reservation: reserved, billed: quantity, component }) => [
        reserved && dimension === 'TIME' ? 'TIME (reservation)' : dimension,
        quantity.toApproximate(),
        component.price.toApproximate(),
      ],
    );
    const expected = vector.billed_lines.map(({ dimension, billed: b, price: p }) => [
      dimension,
      b,
      p,
    ]);
    expect([vector.id, billed.map(String).sort()]).toEqual([
      vector.id,
      expected.map(String).sort(),
    ]);
  }
});
