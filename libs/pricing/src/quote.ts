import { Decimal, type DecimalLike, decimal, InvalidDecimal } from '#money';
import { instant, rfc3339 } from '#time';
import type { ChargeState } from './changes.ts';
import { isValidAt } from './course.ts';
import { type MeterEvent, splitAtPriceChanges } from './meter.ts';
import type { Policy } from './policy.ts';
import { type Cost, type Priced, price } from './price.ts';
import { InvalidCharge, type Tariff } from './shapes.ts';

/** What a driver expects of a charge; two of energy, stay and power are enough. */
export interface QuoteRequest {
  /** RFC 3339. */
  readonly start: string;
  readonly energyKwh?: DecimalLike;
  /** How long the car stays. Absent = until it has its energy. */
  readonly stayMs?: number;
  /**
   * The car charges with so much until it has its energy, and is parked for the rest of its stay.
   * Absent = it charges evenly as long as it stays.
   */
  readonly powerKw?: DecimalLike;
  /** IANA name of the Location's zone; needed once the tariff has local times. */
  readonly timeZone?: string;
  readonly policy?: Policy;
}

export interface Quote {
  readonly start: string;
  readonly end: string;
  /** What the car gets: less than what was asked for where power and stay do not suffice. */
  readonly energyKwh: string;
  readonly chargingMs: number;
  readonly parkingMs: number;
  /** False = the tariff is not in force at the start (TAR-03); it is priced by it all the same. */
  readonly inForce: boolean;
  readonly priced: Priced;
}

export interface Alternative {
  readonly start: string;
  readonly total: Priced['total'];
  readonly unrounded: Cost;
  readonly inForce: boolean;
}

const DAY_MS = 86_400_000;
const STAY_MS_MAX = 31 * DAY_MS;
const MS_PER_HOUR = decimal(3_600_000);

/**
 * What a charge would cost, split wherever the price changes, as its CDR will be. Pure.
 * Throws InvalidCharge (path `energy`, `stay` or `power`), InvalidTariff, InvalidInstant.
 */
export function quote(tariff: Tariff, request: QuoteRequest): Quote {
  const plan = planOf(request);
  const startMs = instant(request.start);
  const at = (ms: number) => rfc3339(startMs + ms);
  const { timeZone, policy } = request;
  const context = { tariff, ...(timeZone && { timeZone }), ...(policy && { policy }) };
  const events: MeterEvent[] = [];
  if (plan.chargingMs > 0) events.push({ at: at(plan.chargingMs), energyWh: plan.energyWh });
  if (plan.stayMs > plan.chargingMs) events.push({ at: at(plan.chargingMs), state: 'parking' });
  const end = at(plan.stayMs);
  const state: ChargeState = plan.chargingMs > 0 ? 'charging' : 'parking';
  const start = { at: at(0), energyWh: 0, state };
  const charge = {
    start_date_time: at(0),
    end_date_time: end,
    currency: tariff.currency,
    tariffs: [tariff],
    charging_periods: splitAtPriceChanges(context, start, events, { at: end }),
  };
  return {
    start: at(0),
    end,
    energyKwh: plan.energyWh.shift(-3).toString(),
    chargingMs: plan.chargingMs,
    parkingMs: plan.stayMs - plan.chargingMs,
    inForce: isValidAt(tariff, startMs),
    priced: price(charge, { ...(timeZone && { timeZone }), ...(policy && { policy }) }),
  };
}

export interface Starts {
  readonly withinMs?: number;
  readonly everyMs?: number;
  /** By which tariff a charge is priced that begins then (epoch ms); undefined = by none. */
  readonly tariffAt?: (startMs: number) => Tariff | undefined;
}

/**
 * The same charge begun at other times: from the asked start on, as far as `withinMs` (a day) in
 * steps of `everyMs` (half an hour); those that have a tariff.
 */
export function alternatives(
  tariff: Tariff,
  request: QuoteRequest,
  { withinMs = DAY_MS, everyMs = 1_800_000, tariffAt = () => tariff }: Starts = {},
): Alternative[] {
  const fromMs = instant(request.start);
  const found: Alternative[] = [];
  for (let startMs = fromMs; startMs < fromMs + withinMs; startMs += everyMs) {
    const applies = tariffAt(startMs);
    if (!applies) continue;
    const { start, inForce, priced } = quote(applies, { ...request, start: rfc3339(startMs) });
    found.push({ start, total: priced.total, unrounded: priced.unrounded, inForce });
  }
  return found;
}

/** The cheapest of those in force, the earliest of equals; of all, where none is in force. */
export function cheapest(among: readonly Alternative[]): Alternative | undefined {
  const valid = among.filter(({ inForce }) => inForce);
  let best: Alternative | undefined;
  for (const one of valid.length > 0 ? valid : among) {
    const cost = one.unrounded.incl ?? one.unrounded.excl;
    if (!best || cost.compare(best.unrounded.incl ?? best.unrounded.excl) < 0) best = one;
  }
  return best;
}

interface Plan {
  readonly energyWh: Decimal;
  readonly stayMs: number;
  readonly chargingMs: number;
}

function planOf({ energyKwh, stayMs, powerKw }: QuoteRequest): Plan {
  const power = powerKw === undefined ? undefined : read(powerKw, 'power', 'kW');
  if (power?.isZero()) throw new InvalidCharge('power', 'more than 0 kW expected');
  const wanted = energyKwh === undefined ? undefined : read(energyKwh, 'energy', 'kWh').shift(3);
  const stay = stayMs === undefined ? undefined : stayOf(stayMs);
  if (power === undefined) {
    if (wanted === undefined) throw new InvalidCharge('energy', 'kWh expected');
    if (stay === undefined) throw new InvalidCharge('stay', 'a duration or a power expected');
    return { energyWh: tenth(wanted), stayMs: stay, chargingMs: stay };
  }
  if (wanted === undefined && stay === undefined) {
    throw new InvalidCharge('energy', 'an energy or a duration expected beside the power');
  }
  if (wanted !== undefined) {
    const needed = wanted.mul(MS_PER_HOUR).divide(power.shift(3), 0, 'ceiling');
    const neededMs = Number(needed.toString());
    if (stay === undefined) {
      const whole = stayOf(neededMs);
      return { energyWh: tenth(wanted), stayMs: whole, chargingMs: whole };
    }
    if (neededMs <= stay) return { energyWh: tenth(wanted), stayMs: stay, chargingMs: neededMs };
  }
  const energyWh = power.shift(3).mul(Decimal.of(stay!)).divide(MS_PER_HOUR, 1, 'half-even');
  return { energyWh, stayMs: stay!, chargingMs: stay! };
}

/** Energy is counted in tenths of a Wh, the four decimals of a CDR's kWh. */
function tenth(energyWh: Decimal): Decimal {
  return energyWh.roundTo(1, 'half-away-from-zero');
}

function read(value: DecimalLike, path: string, unit: string): Decimal {
  try {
    const quantity = decimal(value);
    if (!quantity.isNegative()) return quantity;
  } catch (error) {
    if (!(error instanceof InvalidDecimal)) throw error;
  }
  throw new InvalidCharge(path, `a number of ${unit} from 0 on expected`);
}

function stayOf(ms: number): number {
  if (Number.isFinite(ms) && ms > 0 && ms <= STAY_MS_MAX) return Math.ceil(ms);
  throw new InvalidCharge('stay', 'more than nothing and at most 31 days expected');
}
