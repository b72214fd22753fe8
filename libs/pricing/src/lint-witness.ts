import { rfc3339 } from '#time';
import type { Outcome } from './bill.ts';
import type { CompiledTariff, Component } from './compile.ts';
import type { LevelPair, Situation } from './lint-space.ts';
import type { CdrDimension, Charge, ChargingPeriod, Tariff } from './shapes.ts';

/** A session that comes into a situation; `from`, if given, is what it was in when it began. */
export interface Course {
  readonly from?: Situation;
  readonly at: Situation;
}

/** A charge, to be priced with the zone UTC, in which a component is used. */
export interface Witness {
  readonly charge: Charge;
  readonly reservation?: Outcome;
}

const MINUTE_MS = 60_000;
const MINUTE_H = '0.0167';

/** The charge of a course: what came before as one period, then a minute that is to be priced. */
export function witness(
  { source }: CompiledTariff,
  component: Component,
  { from, at }: Course,
  reservation: Outcome | undefined,
): Witness {
  const startMs = at.clock - at.elapsed;
  const periods: ChargingPeriod[] = [];
  const type = reservation === undefined ? 'TIME' : 'RESERVATION_TIME';
  if (at.elapsed > 0) {
    const dimensions: CdrDimension[] = [{ type, volume: String(at.elapsed / 3_600_000) }];
    if (!at.energy.isZero()) dimensions.push({ type: 'ENERGY', volume: at.energy.shift(-3) });
    if (from && reservation === undefined) dimensions.push(...levelsOf(from));
    periods.push({ start_date_time: rfc3339(startMs), dimensions });
  }
  const dimensions: CdrDimension[] =
    reservation === undefined
      ? [...volumesOf(component), ...levelsOf(at)]
      : [{ type: 'RESERVATION_TIME', volume: MINUTE_H }];
  periods.push({ start_date_time: rfc3339(at.clock), dimensions });
  const charge = {
    start_date_time: rfc3339(startMs),
    end_date_time: rfc3339(at.clock + MINUTE_MS),
    currency: source.currency,
    tariffs: [unlimited(source)],
    charging_periods: periods,
  };
  return { charge, ...(reservation === undefined ? {} : { reservation }) };
}

/** Energy beside the time: without it a current that is not told would be 0. */
function volumesOf({ dimension }: Component): CdrDimension[] {
  const time = dimension === 'PARKING_TIME' ? 'PARKING_TIME' : 'TIME';
  return [
    { type: time, volume: MINUTE_H },
    { type: 'ENERGY', volume: '0.1' },
  ];
}

function levelsOf({ current, power }: Situation): CdrDimension[] {
  return [...pair('CURRENT', current), ...pair('POWER', power)];
}

function pair(name: string, levels: LevelPair): CdrDimension[] {
  if (!levels) return [];
  return [
    { type: `MIN_${name}`, volume: levels[0] },
    { type: `MAX_${name}`, volume: levels[1] },
  ];
}

/** In force whenever: what its elements do is asked, not when it is valid. */
function unlimited(tariff: Tariff): Tariff {
  const { start_date_time: _from, end_date_time: _to, ...rest } = tariff;
  return rest;
}
