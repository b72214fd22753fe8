import { Decimal } from '#money';
import { PriceChanges } from './changes.ts';
import type { CompiledTariff } from './compile.ts';
import type { Course } from './course.ts';
import type { Note } from './notes.ts';
import type { Priced } from './price.ts';
import type { Moment } from './restriction.ts';
import type { TariffDimension } from './shapes.ts';
import { levelsOf, type Stretch } from './stretch.ts';

// A CDR with a start in 1970 (CDR-19) has more midnights than anybody wants to look at.
const MOMENTS_MAX = 500;

/**
 * The periods in whose midst what they use gets another price, energy running evenly, or a fee
 * begins that no period begins under: a CDR should have been split there (CDR-07). They are priced
 * as they began.
 */
export function spanningPeriods({ course, policy, timeZone }: Priced): Note[] {
  const tariffs = new Map<CompiledTariff, PriceChanges>();
  const changesOf = (tariff: CompiledTariff): PriceChanges => {
    let changes = tariffs.get(tariff);
    if (!changes) tariffs.set(tariff, (changes = new PriceChanges(tariff, policy, timeZone)));
    return changes;
  };
  const momentsOf = (stretch: Stretch, changes: PriceChanges) => {
    const levels = levelsOf(stretch, policy);
    return (atMs: number, energyWh: Decimal): Moment => ({
      atMs,
      wallMs: changes.wallMs(atMs),
      elapsedMs: atMs - course.chargingStartMs,
      energyWh,
      levels,
    });
  };
  const stretches = course.stretches.filter(({ tariff, reservationS }) => tariff && !reservationS);
  const fees = new Set<string>();
  for (const stretch of stretches) {
    const changes = changesOf(stretch.tariff!);
    const fee = changes.flatAt(momentsOf(stretch, changes)(stretch.startMs, stretch.energySoFarWh));
    if (fee !== undefined) fees.add(fee);
  }
  const isTaken = (fee: string) => fees.has(fee) || (policy.flatFee === 'once-per-session' && fees.size > 0);
  const notes: Note[] = [];
  for (const stretch of stretches) {
    if (stretch.endMs <= stretch.startMs) continue;
    const changes = changesOf(stretch.tariff!);
    const momentAt = momentsOf(stretch, changes);
    const used = usedIn(stretch);
    const price = changes.priceOf(used, momentAt(stretch.startMs, stretch.energySoFarWh));
    for (const [atMs, energyWh] of moments(stretch, course, changes)) {
      const moment = momentAt(atMs, energyWh);
      const fee = changes.flatAt(moment);
      if (changes.priceOf(used, moment) === price && (fee === undefined || isTaken(fee))) continue;
      notes.push({ code: 'period-spans-price-change', period: stretch.index });
      break;
    }
  }
  return notes;
}

function usedIn({ energyWh, chargingS, parkingS }: Stretch): TariffDimension[] {
  const used: TariffDimension[] = [];
  if (energyWh && !energyWh.isZero()) used.push('ENERGY');
  if (chargingS && !chargingS.isZero()) used.push('TIME');
  if (parkingS && !parkingS.isZero()) used.push('PARKING_TIME');
  return used;
}

/** Every moment inside a stretch at which a bound of the tariff lies, with the energy so far. */
function* moments(
  stretch: Stretch,
  course: Course,
  changes: PriceChanges,
): Iterable<[atMs: number, energyWh: Decimal]> {
  const { startMs, endMs, energySoFarWh } = stretch;
  const gained = stretch.energyWh ?? Decimal.zero;
  const endWh = energySoFarWh.add(gained);
  const duration = Decimal.of(endMs - startMs);
  let bound = changes.nextEnergyWh(energySoFarWh);
  for (; bound && bound.compare(endWh) < 0; bound = changes.nextEnergyWh(bound)) {
    const share = bound.sub(energySoFarWh).mul(duration).divide(gained, 0, 'half-even');
    yield [startMs + Number(share.coefficient), bound];
  }
  let atMs = changes.nextMs(startMs, course.chargingStartMs);
  for (let i = 0; i < MOMENTS_MAX && atMs < endMs; i++) {
    const flown = gained.mul(Decimal.of(atMs - startMs)).divide(duration, 4, 'half-even');
    yield [atMs, energySoFarWh.add(flown)];
    atMs = changes.nextMs(atMs, course.chargingStartMs);
  }
}
