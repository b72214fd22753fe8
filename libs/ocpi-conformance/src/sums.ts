import { type Cdr, type CdrDimensionType, instantMs } from '#ocpi';
import type { Bench, Seen } from './bench.ts';

/** Hours and kWh that are rounded, and clocks that are read a little apart. */
const NEAR = 0.02;
/** Of money: what rounding each part by itself may come to. */
const NEAR_COST = 0.05;

/** Whether a CDR's, not a Credit CDR's, volumes are in hours and kWh, and its costs add up. */
export function judgeSums(bench: Bench, cdr: Cdr, seen: Seen | string): void {
  const volumeOf = (...types: CdrDimensionType[]) => cdr.charging_periods.flatMap(({ dimensions }) => dimensions)
    .filter(({ type }) => types.includes(type)).reduce((sum, { volume }) => sum + volume, 0);
  const near = (a: number, b: number) => Math.abs(a - b) <= Math.max(NEAR, Math.abs(b) * NEAR);
  const [startMs, endMs] = [instantMs(cdr.start_date_time)!, instantMs(cdr.end_date_time)!];
  const isKnown = startMs > 0 && endMs > 0;
  const hours = (endMs - startMs) / 3_600_000;
  if (isKnown && volumeOf('RESERVATION_TIME') === 0) {
    bench.judge('CDR-11', near(cdr.total_time, hours), `total_time in hours: CDR ${cdr.id} lasts ${hours.toFixed(4)} h`, seen);
  }
  const timed = volumeOf('TIME', 'PARKING_TIME');
  if (timed > 0)
    bench.judge(
      'CDR-11',
      near(timed, cdr.total_time),
      `TIME and PARKING_TIME of CDR ${cdr.id} in hours, together its total_time of ${cdr.total_time} h`,
      seen,
    );
  const energy = volumeOf('ENERGY');
  if (energy > 0)
    bench.judge(
      'CDR-11',
      near(energy, cdr.total_energy),
      `ENERGY of CDR ${cdr.id} in kWh, together its total_energy of ${cdr.total_energy} kWh`,
      seen,
    );
  const parts = [
    cdr.total_fixed_cost,
    cdr.total_energy_cost,
    cdr.total_time_cost,
    cdr.total_parking_cost,
    cdr.total_reservation_cost,
  ].flatMap((part) => part ?? []);
  const isBounded = cdr.tariffs?.some(({ min_price, max_price }) => min_price ?? max_price) ?? false;
  if (parts.length === 0 || isBounded) return;
  const sum = parts.reduce((total, { excl_vat }) => total + excl_vat, 0);
  bench.judge(
    'CDR-12',
    Math.abs(sum - cdr.total_cost.excl_vat) <= NEAR_COST,
    `the total_cost of CDR ${cdr.id} as the sum of its parts, ${sum.toFixed(4)}`,
    seen,
  );
}
