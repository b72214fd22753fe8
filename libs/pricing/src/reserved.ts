import { Decimal } from '#money';
import { PriceChanges } from './changes.ts';
import { compile } from './compile.ts';
import type { MeterContext } from './meter.ts';
import { defaultPolicy } from './policy.ts';
import type { Levels } from './restriction.ts';

const ZERO = Decimal.zero;
/** As a period without energy is read. */
const NOTHING_FLOWS: Levels = { min_power: ZERO, max_power: ZERO, min_current: ZERO, max_current: ZERO };

/**
 * Where the periods of a reservation begin (epoch ms), the first at its start: one wherever another price
 * applies, be it used or expire (CDR-07, PRC-14). Throws InvalidTariff, InvalidCharge, UnknownTimeZone.
 */
export function reservationStarts(
  { tariff, timeZone, policy = defaultPolicy }: Omit<MeterContext, 'registerWh'>,
  startMs: number,
  endMs: number,
): number[] {
  const changes = new PriceChanges(compile(tariff), policy, timeZone, 'reservation');
  const priceAt = (atMs: number): string => {
    const elapsedMs = atMs - startMs;
    const wallMs = changes.wallMs(atMs);
    return changes.reservedAt({ atMs, wallMs, elapsedMs, energyWh: ZERO, levels: NOTHING_FLOWS });
  };
  const starts = [startMs];
  let known = priceAt(startMs);
  for (let atMs = changes.nextMs(startMs, startMs); atMs < endMs; atMs = changes.nextMs(atMs, startMs)) {
    const price = priceAt(atMs);
    if (price !== known) starts.push(atMs);
    known = price;
  }
  return starts;
}
