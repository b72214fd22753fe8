import { Decimal } from 'decimal.js';
import type { PriceComponent, Tariff, TariffRestrictions } from '../src/shapes.ts';
import type { Session } from './arbitrary.ts';

/**
 * A second, slow calculator that shares nothing with the product's: minute by minute, local time
 * from the runtime's Intl, sums in decimal.js. For charges without step_size, bounds, reservations.
 */
const Exact = Decimal.clone({ precision: 60 });

interface Minute {
  readonly date: Date;
  readonly elapsedS: number;
  readonly energyWh: number;
  readonly powerKw: number;
}

export function oraclePrice(
  tariff: Tariff,
  session: Session,
  timeZone: string,
): [Decimal, Decimal] {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'long',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  let excl = new Exact(0);
  let incl = new Exact(0);
  let tenthWh = 0;
  let flat = false;
  session.minutes.forEach(({ charging, tenthWh: gained }, index) => {
    const minute: Minute = {
      date: new Date(Date.parse(session.start.at) + index * 60_000),
      elapsedS: index * 60,
      energyWh: tenthWh / 10,
      powerKw: (gained / 10) * 0.06,
    };
    const local = Object.fromEntries(
      format.formatToParts(minute.date).map((p) => [p.type, p.value]),
    );
    const pay = (component: PriceComponent | undefined, quantity: Decimal.Value) => {
      if (!component) return;
      const cost = new Exact(component.price as number).mul(quantity);
      excl = excl.add(cost);
      incl = incl.add(cost.mul(new Exact(100).add((component.vat as number) ?? 0)).div(100));
    };
    const find = (type: string) => {
      for (const { restrictions, price_components } of tariff.elements) {
        const found = price_components.find((component) => component.type === type);
        if (found && (!restrictions || active(restrictions, minute, local))) return found;
      }
      return undefined;
    };
    const fee = flat ? undefined : find('FLAT');
    if (fee) flat = true;
    pay(fee, 1);
    if (gained > 0) pay(find('ENERGY'), new Exact(gained).div(10_000));
    pay(find(charging ? 'TIME' : 'PARKING_TIME'), new Exact(1).div(60));
    tenthWh += gained;
  });
  return [excl, incl];
}

function active(r: TariffRestrictions, minute: Minute, local: Record<string, string>): boolean {
  const day = `${local.year}-${local.month}-${local.day}`;
  const clock = `${local.hour}:${local.minute}`;
  const from = r.start_time ?? '00:00';
  const until = r.end_time == null || r.end_time === '00:00' ? '24:00' : r.end_time;
  const within =
    from === until ||
    (from < until ? clock >= from && clock < until : clock >= from || clock < until);
  const { energyWh, elapsedS, powerKw } = minute;
  return (
    within &&
    (r.start_date == null || day >= r.start_date) &&
    (r.end_date == null || day < r.end_date) &&
    (r.day_of_week == null || r.day_of_week.includes(local.weekday!.toUpperCase())) &&
    (r.min_kwh == null || energyWh >= Number(r.min_kwh) * 1000) &&
    (r.max_kwh == null || energyWh < Number(r.max_kwh) * 1000) &&
    (r.min_duration == null || elapsedS >= r.min_duration) &&
    (r.max_duration == null || elapsedS < r.max_duration) &&
    (r.min_power == null || powerKw >= Number(r.min_power)) &&
    (r.max_power == null || powerKw < Number(r.max_power))
  );
}
