import { type Cdr, type CdrDimensionType, instantMs } from '#ocpi';
import type { Bench, Seen } from './bench.ts';

/** Hours and kWh that are rounded, and clocks that are read a little apart. */
const NEAR = 0.02;
/** Of money: what rounding each part by itself may come to. */
const NEAR_COST = 0.05;
/** The same of a currency that has no parts. */
const NEAR_WHOLE = 1;

type Judge = Pick<Bench, 'judge'>;

const isNear = (a: number, b: number) => Math.abs(a - b) <= Math.max(NEAR, Math.abs(b) * NEAR);

/** Whether a CDR's, not a Credit CDR's, volumes are in hours and kWh, and its costs add up. */
export function judgeSums(bench: Judge, cdr: Cdr, seen: Seen | string): void {
  const [startMs, endMs] = [instantMs(cdr.start_date_time)!, instantMs(cdr.end_date_time)!];
  const isKnown = startMs > 0 && endMs > 0;
  const hours = (endMs - startMs) / 3_600_000;
  if (isKnown && volumeOf(cdr, 'RESERVATION_TIME') === 0) {
    bench.judge('CDR-11', isNear(cdr.total_time, hours), `total_time in hours: CDR ${cdr.id} lasts ${hours.toFixed(4)} h`, seen);
  }
  judgeTotal(bench, cdr, ['TIME', 'PARKING_TIME'], [cdr.total_time, 'total_time', 'h'], seen);
  judgeTotal(bench, cdr, ['ENERGY'], [cdr.total_energy, 'total_energy', 'kWh'], seen);
  judgeCosts(bench, cdr, seen);
}

function volumeOf({ charging_periods }: Cdr, ...types: CdrDimensionType[]): number {
  return charging_periods.flatMap(({ dimensions }) => dimensions)
    .filter(({ type }) => types.includes(type)).reduce((sum, { volume }) => sum + volume, 0);
}

/** What has no price need not be told of a period: then the volumes may come to less than the total, but not to more. */
function judgeTotal(
  bench: Judge, cdr: Cdr, types: CdrDimensionType[], [total, name, unit]: readonly [number, string, string], seen: Seen | string,
): void {
  const volume = volumeOf(cdr, ...types);
  if (volume <= 0) return;
  const isTold = cdr.charging_periods.every(({ dimensions }) => dimensions.some(({ type }) => types.includes(type)));
  bench.judge(
    'CDR-11',
    isNear(volume, total) || (!isTold && volume < total),
    `${types.join(' and ')} of CDR ${cdr.id} in ${unit}, together its ${name} of ${total} ${unit}`,
    seen,
  );
}

/** The parts are optional: one that is not told may be what the others lack, where a tariff has a price of its kind. CDR-12. */
function judgeCosts(bench: Judge, cdr: Cdr, seen: Seen | string): void {
  const { tariffs = [], total_cost: { excl_vat: total } } = cdr;
  const components = tariffs.flatMap(({ elements }) => elements.flatMap(({ price_components }) => price_components));
  const mayCost = (type: string) => tariffs.length === 0 || components.some((one) => one.type === type && one.price > 0);
  const isReservable = tariffs.length === 0 || tariffs.some(({ elements }) => elements.some(({ restrictions }) => restrictions?.reservation));
  const parts = [
    [cdr.total_fixed_cost, mayCost('FLAT')],
    [cdr.total_energy_cost, mayCost('ENERGY')],
    [cdr.total_time_cost, mayCost('TIME')],
    [cdr.total_parking_cost, mayCost('PARKING_TIME')],
    [cdr.total_reservation_cost, isReservable],
  ] as const;
  const told = parts.flatMap(([cost]) => (cost ? [cost.excl_vat] : []));
  const isBounded = tariffs.some(({ min_price, max_price }) => min_price ?? max_price);
  if (told.length === 0 || isBounded) return;
  const sum = told.reduce((whole, part) => whole + part, 0);
  const near = [...told, total].every(Number.isInteger) ? NEAR_WHOLE * told.length : NEAR_COST;
  const isPartial = parts.some(([cost, mayBe]) => !cost && mayBe) && total > sum;
  bench.judge(
    'CDR-12',
    isPartial || Math.abs(sum - total) <= near,
    `the total_cost of CDR ${cdr.id} as the sum of its parts, ${sum.toFixed(4)}`,
    seen,
  );
}
