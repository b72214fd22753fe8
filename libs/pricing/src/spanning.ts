import { Decimal } from '#money';
import { type ChargeState, PriceChanges } from './changes.ts';
import type { CompiledTariff } from './compile.ts';
import type { Course } from './course.ts';
import type { Note } from './notes.ts';
import type { Priced } from './price.ts';
import type { Moment } from './restriction.ts';
import { levelsOf, type Stretch } from './stretch.ts';

// A CDR with a start in 1970 (CDR-19) has more midnights than anybody wants to look at.
const MOMENTS_MAX = 500;

/**
 * The periods in whose midst another component would have become active, energy running evenly: a
 * CDR should have been split there (CDR-07). They are priced as they began.
 */
export function spanningPeriods({ course, policy, timeZone }: Priced): Note[] {
  const changes = new Map<CompiledTariff, PriceChanges>();
  const notes: Note[] = [];
  for (const stretch of course.stretches) {
    const { tariff, index } = stretch;
    if (!tariff || stretch.reservationS || stretch.endMs <= stretch.startMs) continue;
    let where = changes.get(tariff);
    if (!where) changes.set(tariff, (where = new PriceChanges(tariff, policy, timeZone)));
    const levels = levelsOf(stretch, policy);
    const momentAt = (atMs: number, energyWh: Decimal): Moment => ({
      atMs,
      wallMs: where.wallMs(atMs),
      elapsedMs: atMs - course.chargingStartMs,
      energyWh,
      levels,
    });
    const state = stateOf(stretch);
    const price = where.priceAt(momentAt(stretch.startMs, stretch.energySoFarWh), state);
    for (const [atMs, energyWh] of moments(stretch, course, where)) {
      if (where.priceAt(momentAt(atMs, energyWh), state) === price) continue;
      notes.push({ code: 'period-spans-price-change', period: index });
      break;
    }
  }
  return notes;
}

function stateOf({ chargingS, parkingS }: Stretch): ChargeState {
  if (chargingS) return 'charging';
  return parkingS ? 'parking' : 'paused';
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
