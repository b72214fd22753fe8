import { Decimal, decimal, type DecimalLike, max, min } from '#money';
import { rfc3339 } from '#time';
import { reservedPhases } from './bill.ts';
import { type Priceable, PriceChanges } from './changes.ts';
import type { CompiledTariff } from './compile.ts';
import { type Course, readCourse } from './course.ts';
import type { Note } from './notes.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import type { Priced, PriceOptions } from './price.ts';
import type { Moment } from './restriction.ts';
import { type CdrDimension, type Charge, type ChargingPeriod, InvalidCharge, type TariffDimension } from './shapes.ts';
import { levelsOf, type Stretch, usesCharger } from './stretch.ts';

// A CDR with a start in 1970 (CDR-19), or by a tariff of a thousand bounds, has more moments than anybody wants to look at.
const MOMENTS_MAX = 5_000;

/**
 * The periods in whose midst what they use gets another price, however the energy ran, or a fee
 * begins that no period begins under: a CDR should have been split there (CDR-07). They are priced
 * as they began.
 */
export function spanningPeriods(priced: Priced): Note[] {
  return [...spanningReservations(priced), ...spanningCharges(priced)];
}

/** By what it was billed by, be it used or expired. */
function spanningReservations({ course, policy, timeZone, reservation }: Priced): Note[] {
  const stretches = course.stretches.filter((stretch) => stretch.tariff && stretch.reservationS && !usesCharger(stretch));
  const phases = reservedPhases(reservation, policy);
  const changesOf = changesBy(policy, timeZone, 'reservation');
  const at = (stretch: Stretch, atMs: number) => {
    const changes = changesOf(stretch.tariff!);
    const elapsedMs = atMs - course.startMs;
    const levels = levelsOf(stretch, policy);
    return changes.reservedBy(phases, { atMs, wallMs: changes.wallMs(atMs), elapsedMs, energyWh: stretch.energySoFarWh, levels });
  };
  const fees = new Set(stretches.flatMap((stretch) => at(stretch, stretch.startMs).fee ?? []));
  let moments = 0;
  const isAnother = (stretch: Stretch): boolean => {
    const changes = changesOf(stretch.tariff!);
    const begun = at(stretch, stretch.startMs);
    const endMs = Math.min(stretch.endMs, stretch.startMs + stretch.reservationS!.shift(3).toApproximate());
    for (let atMs = changes.nextMs(stretch.startMs, course.startMs); atMs < endMs; atMs = changes.nextMs(atMs, course.startMs)) {
      if ((moments += 1) > MOMENTS_MAX) return false;
      const { cost, fee } = at(stretch, atMs);
      if (cost !== begun.cost || (fee !== undefined && !isTakenBy(fees, fee, policy))) return true;
    }
    return false;
  };
  return stretches.filter(isAnother).map(({ index: period }) => ({ code: 'period-spans-price-change', period }));
}

function isTakenBy(fees: ReadonlySet<string>, fee: string, { flatFee }: Policy): boolean {
  return fees.has(fee) || (flatFee === 'once-per-session' && fees.size > 0);
}

function spanningCharges({ course, policy, timeZone }: Priced): Note[] {
  const changesOf = changesBy(policy, timeZone);
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
  if (isOneStretch(stretches, course, changesOf)) return [];
  const fees = new Set<string>();
  for (const stretch of stretches) {
    const changes = changesOf(stretch.tariff!);
    const fee = changes.flatAt(momentsOf(stretch, changes)(stretch.startMs, stretch.energySoFarWh));
    if (fee !== undefined) fees.add(fee);
  }
  const notes: Note[] = [];
  let moments = 0;
  for (const stretch of stretches) {
    if (stretch.endMs <= stretch.startMs) continue;
    const changes = changesOf(stretch.tariff!);
    const momentAt = momentsOf(stretch, changes);
    const used = usedIn(stretch);
    const costs = changes.costOf(used, momentAt(stretch.startMs, stretch.energySoFarWh));
    const isAsBegun = (atMs: number, energyWh: Decimal) => {
      moments += 1;
      const moment = momentAt(atMs, energyWh);
      const fee = changes.flatAt(moment);
      return changes.costOf(used, moment) === costs && (fee === undefined || isTakenBy(fees, fee, policy));
    };
    if (!mayStayAsBegun(stretch, course, changes, isAsBegun, () => moments > MOMENTS_MAX))
      notes.push({ code: 'period-spans-price-change', period: stretch.index });
  }
  return notes;
}

/** Made once per tariff. */
function changesBy(policy: Policy, timeZone: string | undefined, of?: Priceable): (tariff: CompiledTariff) => PriceChanges {
  const made = new Map<CompiledTariff, PriceChanges>();
  return (tariff) => {
    const changes = made.get(tariff) ?? new PriceChanges(tariff, policy, timeZone, of);
    made.set(tariff, changes);
    return changes;
  };
}

/** No price can change from the first to the last: nearly always, and cheap to see. */
function isOneStretch(stretches: readonly Stretch[], { chargingStartMs }: Course, changesOf: (tariff: CompiledTariff) => PriceChanges): boolean {
  const [first] = stretches;
  if (!first) return true;
  if (stretches.some(({ tariff }) => tariff !== first.tariff)) return false;
  const changes = changesOf(first.tariff!);
  // A car that feeds back may come to less than it began with.
  const leastWh = stretches.reduce((least, { energySoFarWh }) => min(least, energySoFarWh), first.energySoFarWh);
  const bound = changes.nextEnergyWh(leastWh);
  const isReached = ({ energySoFarWh, energyWh = Decimal.zero }: Stretch) => energySoFarWh.add(energyWh).compare(bound!) >= 0;
  const lastMs = stretches.reduce((last, { endMs }) => Math.max(last, endMs), first.endMs);
  return changes.nextMs(first.startMs, chargingStartMs) >= lastMs && !(bound && stretches.some(isReached));
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
  isEnough: () => boolean,
): boolean {
  const energies = [energySoFarWh];
  const endWh = energySoFarWh.add(energyWh ?? Decimal.zero);
  let bound = changes.nextEnergyWh(energySoFarWh);
  for (; bound && bound.compare(endWh) <= 0; bound = changes.nextEnergyWh(bound)) energies.push(bound);
  let reached = energies.map((_, n) => n === 0);
  for (let atMs = startMs; atMs < endMs; atMs = changes.nextMs(atMs, chargingStartMs)) {
    const before = reached;
    reached = [];
    energies.forEach((wh, n) => {
      const isNear = before[n] || (n > 0 && (before[n - 1] || reached[n - 1]!));
      reached.push(isNear! && isAsBegun(atMs, wh));
    });
    if (!reached.includes(true)) return false;
    if (isEnough()) return true;
  }
  // Just at a bound the energy may have come to it at any time, or at the very end.
  const endsAtBound = energies.length > 1 && energies.at(-1)!.equals(endWh);
  return reached.at(-1)! || (endsAtBound && reached.at(-2)!);
}

/**
 * The periods of a charge that is priced by another tariff, or for another energy, than it was metered by: each cut where
 * its price changes (CDR-07), as if all had run evenly through it. Throws what `price` does.
 */
export function splitPeriods(charge: Charge, { timeZone, policy = defaultPolicy }: PriceOptions = {}): ChargingPeriod[] {
  const course = readCourse(charge, policy);
  const changesOf = { session: changesBy(policy, timeZone), reservation: changesBy(policy, timeZone, 'reservation') };
  let moments = 0;
  const look = () => {
    if ((moments += 1) > MOMENTS_MAX) throw new InvalidCharge('charging_periods', `a price that changes ${MOMENTS_MAX} times at most expected`);
  };
  return course.stretches.flatMap((stretch) => {
    const { tariff, source, startMs, endMs, reservationS } = stretch;
    // Of one that is both nobody knows when the one became the other.
    if (!tariff || (reservationS && usesCharger(stretch)) || !(endMs > startMs)) return [source];
    const power = tariff.usesPower ? averageOf(stretch, policy) : [];
    return partsOf(stretch, power, cutsOf(stretch, course, { changes: changesOf[reservationS ? 'reservation' : 'session'](tariff), policy, look }));
  });
}

/** A moment of a stretch, and the session's energy by then. */
interface Cut {
  readonly atMs: number;
  readonly soFarWh: Decimal;
}

/** `look`: throws where there is no end of it. */
function cutsOf(
  stretch: Stretch, course: Course, { changes, policy, look }: { changes: PriceChanges; policy: Policy; look: () => void },
): Cut[] {
  const { startMs, endMs, energySoFarWh, energyWh = Decimal.zero } = stretch;
  const spanMs = Decimal.of(endMs - startMs);
  const originMs = stretch.reservationS ? course.startMs : course.chargingStartMs;
  const levels = levelsOf(stretch, policy);
  const states = stretch.parkingS ? (['charging', 'parking'] as const) : (['charging'] as const);
  const priceAt = ({ atMs, soFarWh }: Cut): string => {
    const moment = { atMs, wallMs: changes.wallMs(atMs), elapsedMs: atMs - originMs, energyWh: soFarWh, levels };
    if (stretch.reservationS) return changes.reservedAt(moment);
    return [...states.map((state) => changes.priceAt(moment, state)), changes.flatAt(moment)].join(' ');
  };
  const after = ({ atMs, soFarWh }: Cut): Cut => {
    const timeMs = Math.min(changes.nextMs(atMs, originMs), endMs);
    const bound = changes.nextEnergyWh(soFarWh);
    if (bound && bound.compare(energySoFarWh.add(energyWh)) < 0) {
      const flown = bound.sub(energySoFarWh).mul(spanMs).divide(energyWh, 0, 'ceiling');
      const boundMs = startMs + Number(flown.toString());
      // Energy is counted in tenths of a Wh, as in a CDR.
      if (boundMs <= timeMs) return { atMs: boundMs, soFarWh: bound.roundTo(1, 'ceiling') };
    }
    const flown = energyWh.mul(Decimal.of(timeMs - startMs)).divide(spanMs, 1, 'half-away-from-zero');
    return { atMs: timeMs, soFarWh: energyWh.isNegative() ? energySoFarWh.add(flown) : max(soFarWh, energySoFarWh.add(flown)) };
  };
  const cuts: Cut[] = [{ atMs: startMs, soFarWh: energySoFarWh }];
  let known = priceAt(cuts[0]!);
  for (let at = after(cuts[0]!); at.atMs < endMs; at = after(at)) {
    look();
    const price = priceAt(at);
    if (price !== known) cuts.push(at);
    known = price;
  }
  return cuts;
}

/** Where no power is told, that of the whole: of a part it would be another one by what its energy is rounded to. */
function averageOf(stretch: Stretch, policy: Policy): CdrDimension[] {
  const { min_power: power } = levelsOf(stretch, policy);
  if (!power || !stretch.energyWh || stretch.source.dimensions.some(({ type }) => type.endsWith('POWER'))) return [];
  const volume = power.toJsonNumber();
  return [{ type: 'MIN_POWER', volume }, { type: 'MAX_POWER', volume }];
}

function partsOf(
  { source, startMs, endMs, energySoFarWh, energyWh = Decimal.zero }: Stretch, power: readonly CdrDimension[], cuts: readonly Cut[],
): ChargingPeriod[] {
  if (cuts.length === 1) return [source];
  const end = { atMs: endMs, soFarWh: energySoFarWh.add(energyWh) };
  // Some tell it in several dimensions.
  const first = source.dimensions.findIndex(({ type }) => type === 'ENERGY');
  const told = source.dimensions.filter(({ type }, n) => type !== 'ENERGY' || n === first);
  return cuts.map(({ atMs, soFarWh }, n) => {
    const to = cuts[n + 1] ?? end;
    const share = (volume: DecimalLike) =>
      decimal(volume).mul(Decimal.of(to.atMs - atMs)).divide(Decimal.of(endMs - startMs), 8, 'half-away-from-zero');
    const dimensions = told.map((one): CdrDimension => {
      if (one.type === 'ENERGY') return { ...one, volume: to.soFarWh.sub(soFarWh).shift(-3).toJsonNumber() };
      return one.type.endsWith('TIME') ? { ...one, volume: share(one.volume).toJsonNumber() } : one;
    });
    return { ...source, start_date_time: rfc3339(atMs), dimensions: [...dimensions, ...power] };
  });
}
