import type { PriceComponent, Tariff, TariffRestrictions } from '../src/shapes.ts';
import { Ratio } from './ratio.ts';

/**
 * A second calculator, written from the checklist's rules and sharing nothing with the product's:
 * it walks through a charge tick by tick, looks at every restriction at every tick with the
 * runtime's own time zones, and adds up fractions.
 */
export interface Tick {
  readonly state: 'reserved' | 'charging' | 'parking' | 'paused';
  /** Energy that flows in this tick, in tenths of a Wh; negative = back into the grid. */
  readonly tenthWh: number;
  /** Lowest and highest level while it lasts; absent = nobody tells. */
  readonly kw?: readonly [number, number];
  readonly amps?: readonly [number, number];
  /** Index of the tariff; absent = none applies. */
  readonly tariff?: number;
}

export interface NaiveCharge {
  readonly startMs: number;
  readonly tickS: number;
  readonly ticks: readonly Tick[];
  readonly tariffs: readonly Tariff[];
  readonly timeZone: string;
  readonly expired: boolean;
}

export interface NaivePrice {
  readonly excl: Ratio;
  readonly incl: Ratio | undefined;
  /** Wh or s after step_size, by dimension. */
  readonly billed: Readonly<Record<string, Ratio>>;
  /** Per tick: which components were in force, as a text. */
  readonly inForce: readonly string[];
}

interface Bill {
  readonly dimension: string;
  readonly component: PriceComponent;
  amount: Ratio;
}

export interface Now {
  readonly day: string;
  readonly clock: string;
  readonly weekday: string;
  readonly elapsedS: number;
  readonly wh: Ratio;
  readonly kw: readonly [Ratio, Ratio];
  readonly amps: readonly [Ratio, Ratio] | undefined;
}

export function naivePrice(charge: NaiveCharge): NaivePrice {
  const bills: Bill[] = [];
  const inForce: string[] = [];
  const local = wallClock(charge.timeZone);
  const reservedTicks = charge.ticks.filter(({ state }) => state === 'reserved').length;
  let tenthWh = 0;
  charge.ticks.forEach((tick, i) => {
    const tariff = tick.tariff === undefined ? undefined : charge.tariffs[tick.tariff];
    const sinceTick = tick.state === 'reserved' ? 0 : reservedTicks;
    const kw = new Ratio(BigInt(tick.tenthWh) * 36n, 100n * BigInt(charge.tickS));
    const idle = tick.tenthWh === 0 ? ([Ratio.zero, Ratio.zero] as const) : undefined;
    const now: Now = {
      ...local(charge.startMs + i * charge.tickS * 1000),
      elapsedS: (i - sinceTick) * charge.tickS,
      wh: Ratio.of(tenthWh / 10),
      kw: tick.kw ? [Ratio.of(tick.kw[0]), Ratio.of(tick.kw[1])] : [kw, kw],
      amps: tick.amps ? [Ratio.of(tick.amps[0]), Ratio.of(tick.amps[1])] : idle,
    };
    inForce.push(tariff ? takeTick(bills, tick, tariff, now, charge) : 'no tariff');
    tenthWh += tick.tenthWh;
  });
  return { ...sum(bills, charge), inForce };
}

const SECONDS_AN_HOUR = Ratio.of(3600);
const WH_A_KWH = Ratio.of(1000);
const HUNDRED = Ratio.of(100);
const ONE = Ratio.of(1);

function takeTick(
  bills: Bill[],
  tick: Tick,
  tariff: Tariff,
  now: Now,
  { tickS, expired }: NaiveCharge,
): string {
  const seconds = Ratio.of(tickS);
  const found: (PriceComponent | undefined)[] = [];
  const look = (type: string) => {
    const component = lookUp(tariff, type, now, tick.state === 'reserved', expired);
    found.push(component);
    return component;
  };
  // PRC-04 and PRC-14: a FLAT once, and the reservation's once beside it.
  const fee = tick.state === 'reserved' ? 'reservation FLAT' : 'FLAT';
  const flat = look('FLAT');
  if (flat && !bills.some(({ dimension }) => dimension === fee)) put(bills, fee, flat, ONE);
  if (tick.state === 'reserved') put(bills, 'reservation TIME', look('TIME'), seconds);
  else put(bills, 'ENERGY', look('ENERGY'), Ratio.of(tick.tenthWh / 10));
  if (tick.state === 'charging') put(bills, 'TIME', look('TIME'), seconds);
  if (tick.state === 'parking') put(bills, 'PARKING_TIME', look('PARKING_TIME'), seconds);
  return found.map((component) => JSON.stringify(component)).join();
}

function put(bills: Bill[], dimension: string, component: PriceComponent | undefined, of: Ratio) {
  if (!component || of.n === 0n) return;
  bills.push({ dimension, component, amount: of });
}

/** A moment without power or current. */
export function naiveNow(timeZone: string, ms: number, elapsedS: number, wh: number): Now {
  const nothing = [Ratio.zero, Ratio.zero] as const;
  const now = { elapsedS, wh: Ratio.of(wh.toFixed(6)), kw: nothing, amps: nothing };
  return { ...wallClock(timeZone)(ms), ...now };
}

/** PRC-02: the first element that is active and has the dimension. */
export function lookUp(
  { elements }: Tariff,
  type: string,
  now: Now,
  reserved: boolean,
  expired: boolean,
): PriceComponent | undefined {
  const kinds = reserved
    ? expired
      ? ['RESERVATION_EXPIRES', 'RESERVATION']
      : ['RESERVATION']
    : [undefined];
  for (const kind of kinds) {
    for (const { restrictions, price_components } of elements) {
      if ((restrictions?.reservation ?? undefined) !== kind) continue;
      const component = price_components.find((one) => one.type === type);
      if (component && (!restrictions || matches(restrictions, now))) return component;
    }
  }
  return undefined;
}

/** PRC-01 and PRC-13. */
function matches(r: TariffRestrictions, now: Now): boolean {
  const from = r.start_time ?? '00:00';
  const to = r.end_time == null || r.end_time === '00:00' ? '24:00' : r.end_time;
  const inside =
    from < to ? now.clock >= from && now.clock < to : now.clock >= from || now.clock < to;
  if (from !== to && !inside) return false;
  if (r.start_date != null && now.day < r.start_date) return false;
  if (r.end_date != null && now.day >= r.end_date) return false;
  if (r.day_of_week?.length && !r.day_of_week.includes(now.weekday)) return false;
  const least = (bound: unknown, value: Ratio) =>
    bound == null || !value.isBelow(Ratio.of(bound as number));
  const under = (bound: unknown, value: Ratio) =>
    bound == null || value.isBelow(Ratio.of(bound as number));
  const kwh = now.wh.over(WH_A_KWH);
  const elapsed = Ratio.of(now.elapsedS);
  return (
    least(r.min_kwh, kwh) &&
    under(r.max_kwh, kwh) &&
    least(r.min_duration, elapsed) &&
    under(r.max_duration, elapsed) &&
    least(r.min_power, now.kw[0]) &&
    under(r.max_power, now.kw[1]) &&
    (!now.amps || (least(r.min_current, now.amps[0]) && under(r.max_current, now.amps[1])))
  );
}

function sum(bills: Bill[], { ticks, tariffs }: NaiveCharge) {
  const billed: Record<string, Ratio> = {};
  for (const { dimension, amount } of bills) {
    billed[dimension] = (billed[dimension] ?? Ratio.zero).plus(amount);
  }
  // PRC-06 to PRC-11: once for energy, once for charging and parking, once for a reservation.
  for (const group of [['ENERGY'], ['TIME', 'PARKING_TIME'], ['reservation TIME']]) {
    const last = bills.findLast(({ dimension }) => group.includes(dimension));
    const step = last?.component.step_size;
    const total = last && billed[last.dimension]!;
    if (!last || !total || !step || total.isBelow(Ratio.zero)) continue;
    const rounded = total.over(Ratio.of(step)).up().times(Ratio.of(step));
    last.amount = last.amount.plus(rounded.minus(total));
    billed[last.dimension] = rounded;
  }
  let excl = Ratio.zero;
  let incl = Ratio.zero;
  for (const { dimension, component, amount } of bills) {
    const units =
      dimension === 'ENERGY'
        ? amount.over(WH_A_KWH)
        : dimension.endsWith('FLAT')
          ? amount
          : amount.over(SECONDS_AN_HOUR);
    const cost = units.times(Ratio.of(component.price as number));
    excl = excl.plus(cost);
    incl = incl.plus(cost.times(ONE.plus(Ratio.of((component.vat as number) ?? 0).over(HUNDRED))));
  }
  const used = ticks.flatMap(({ tariff }) => (tariff === undefined ? [] : [tariffs[tariff]!]));
  // PRC-05: without any vat there is no price with VAT.
  const knowsVat = used.some(
    ({ elements, min_price, max_price }) =>
      min_price?.incl_vat != null ||
      max_price?.incl_vat != null ||
      elements.some(({ price_components }) => price_components.some(({ vat }) => vat != null)),
  );
  return { billed, ...bounded(excl, knowsVat ? incl : undefined, used[0]) };
}

/** PRC-12: both bounds, without and with VAT by themselves. */
function bounded(excl: Ratio, incl: Ratio | undefined, tariff: Tariff | undefined) {
  const { min_price: min, max_price: max } = tariff ?? {};
  const clamp = (value: Ratio, least: unknown, most: unknown) => {
    if (most != null && Ratio.of(most as number).isBelow(value)) return Ratio.of(most as number);
    if (least != null && value.isBelow(Ratio.of(least as number))) return Ratio.of(least as number);
    return value;
  };
  const exclBounded = clamp(excl, min?.excl_vat, max?.excl_vat);
  if (incl === undefined) return { excl: exclBounded, incl };
  const inclBounded = clamp(incl, min?.incl_vat, max?.incl_vat);
  // A least price that says nothing of VAT: with VAT it is not less than without.
  const lifted =
    min != null && min.incl_vat == null && excl.isBelow(Ratio.of(min.excl_vat as number));
  return {
    excl: exclBounded,
    incl: lifted && inclBounded.isBelow(exclBounded) ? exclBounded : inclBounded,
  };
}

/** To make one takes longer than to ask it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'long',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formats.set(timeZone, format);
  return format;
}

function wallClock(timeZone: string) {
  const format = formatOf(timeZone);
  const seen = new Map<number, Pick<Now, 'day' | 'clock' | 'weekday'>>();
  return (ms: number) => {
    const minute = Math.floor(ms / 60_000);
    let now = seen.get(minute);
    if (!now) {
      const p = Object.fromEntries(
        format.formatToParts(minute * 60_000).map(({ type, value }) => [type, value]),
      );
      now = {
        day: `${p.year}-${p.month}-${p.day}`,
        clock: `${p.hour}:${p.minute}`,
        weekday: p.weekday!.toUpperCase(),
      };
      seen.set(minute, now);
    }
    return now;
  };
}
