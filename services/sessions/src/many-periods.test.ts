import { expect, test } from 'vitest';
import { type ChargingPeriod, exampleTariff } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { isRefreshDue, newReadings, startMetering, takeReadings, type Terms, toldUpToNow } from './metering.ts';

const startMs = instant('2022-02-01T17:00:00Z');
const at = (second: number) => rfc3339(startMs + second * 1_000);
const energy = (price: number) => ({ price_components: [{ type: 'ENERGY' as const, price, step_size: 1 }] });
const byPower: Terms = {
  tariff: { ...exampleTariff, elements: [{ ...energy(0.3), restrictions: { min_power: 7 } }, energy(0.2)] },
  timeZone: 'America/Vancouver',
};

test.each([
  ['a month, read every five minutes', 31 * 24 * 3_600, 300],
  ['five days, read every minute', 5 * 24 * 3_600, 60],
  ['two hours, read every second', 7_200, 1],
])('SES-12: a charge of %s, whose power changes the price each time, is told in no more periods than can be carried', (_, lengthS, everyS) => {
  const running: ChargingPeriod = { start_date_time: at(0), dimensions: [] };
  let metering = startMetering(byPower, at(0), '1000');
  for (let n = 1; n <= lengthS / everyS; n += 1) {
    const readings = [{ at: at(n * everyS), energyWh: String(1000 + n), powerW: n % 2 === 0 ? '6900' : '7100', currentMa: 30_000 + n % 2 }];
    metering = takeReadings(byPower, metering, newReadings(byPower, metering, readings));
    if (!isRefreshDue(metering, 300_000)) continue;
    // What they hold counts for nothing here.
    const { told, meter, cut } = metering;
    metering = toldUpToNow(metering, Array(told.length + meter.closed.length - cut.changes + 1).fill(running));
  }
  const { meter, told } = metering;
  expect(meter.tenthWh).toBeGreaterThan(10_000 + (lengthS / everyS) * 9.8);
  // Of 300 bytes each, of the 900,000 that the bus carries.
  expect(told.length).toBeLessThan(2_500);
});
