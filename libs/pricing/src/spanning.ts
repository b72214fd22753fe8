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
 * The periods in whose midst what they use gets another price, however the energy ran, or a fee
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
    const costs = changes.costOf(used, momentAt(stretch.startMs, stretch.energySoFarWh));
    const isAsBegun = (atMs: number, energyWh: Decimal) => {
      const moment = momentAt(atMs, energyWh);
      const fee = changes.flatAt(moment);
      return changes.costOf(used, moment) === costs && (fee === undefined || isTaken(fee));
    };
    if (!mayStayAsBegun(stretch, course, changes, isAsBegun))
      notes.push({ code: 'period-spans-price-change', period: stretch.index });
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

/**
 * Nobody knows how the energy ran through a stretch. It may have run so that nothing changed, if the fields of time and
 * energy between the tariff's bounds can be crossed from the first to the last by those that are priced as the first.
 */
function mayStayAsBegun(
  { startMs, endMs, energySoFarWh, energyWh }: Stretch,
  { chargingStartMs }: Course,
  changes: PriceChanges,
  isAsBegun: (atMs: number, energyWh: Decimal) => boolean,
): boolean {
  const energies = [energySoFarWh];
  const endWh = energySoFarWh.add(energyWh ?? Decimal.zero);
  let bound = changes.nextEnergyWh(energySoFarWh);
  for (; bound && bound.compare(endWh) <= 0; bound = changes.nextEnergyWh(bound)) energies.push(bound);
  let reached = energies.map((_, n) => n === 0);
  let atMs = startMs;
  for (let i = 0; i <= MOMENTS_MAX && atMs < endMs; i++) {
    const before = reached;
    reached = [];
    energies.forEach((wh, n) => {
      const isNear = before[n] || (n > 0 && (before[n - 1] || reached[n - 1]!));
      reached.push(isNear! && isAsBegun(atMs, wh));
    });
    atMs = changes.nextMs(atMs, chargingStartMs);
  }
  // Just at a bound the energy may have come to it at any time, or at the very end.
  const endsAtBound = energies.length > 1 && energies.at(-1)!.equals(endWh);
  return reached.at(-1)! || (endsAtBound && reached.at(-2)!);
}
