import { instantWithOffset, rfc3339 } from '#time';
import type { Charge, Tariff } from '#pricing';
import type { InWords } from './language.ts';
import { isOf230, priceOf230, readTaxes } from './taxes-230.ts';
import { RefusedInput } from './verb.ts';

type Loose = Record<string, unknown>;

/** What has to be said about how an object was read. */
export interface Remark {
  /** `ignored`: a field without a meaning where it stands. */
  readonly code: 'ignored' | 'periods-cut' | 'first-of-tariffs' | 'tariff-for-all-periods' | 'taxes-of-2.3.0';
  readonly path: string;
  readonly why: InWords;
}

/** Reads what partners and people write as what they mean; changes the parsed JSON in place. */
export class LiberalReader {
  readonly remarks: Remark[] = [];

  /** A CDR, a Session, or just periods, times and tariffs. Throws RefusedInput. */
  charge(value: Loose, tariffs?: readonly Tariff[]): Charge {
    if (value.charging_periods == null) {
      throw new RefusedInput(
        'charging_periods: it has none, and they are what is priced (OCPI 2.2.1 mod_cdrs). ' +
          'Give a CDR or a Session with its charging_periods',
      );
    }
    const periods = listOf(value.charging_periods, 'charging_periods');
    value.charging_periods = periods;
    for (let i = 0; i < periods.length; i++) this.#period(periods[i]!, i);
    readDate(value, 'start_date_time');
    readDate(value, 'end_date_time');
    readCurrency(value, '');
    if (isOf230(value.total_cost)) value.total_cost = priceOf230(value.total_cost);
    value.tariffs = tariffs ?? this.#ownTariffs(value);
    return value as unknown as Charge;
  }

  tariff(value: Loose, path: string): Tariff {
    if (value.elements == null) {
      throw new RefusedInput(
        `${path}elements: it has none (OCPI 2.2.1 mod_tariffs). A Tariff has at least one element`,
      );
    }
    value.id ??= '';
    if (typeof value.id !== 'string') value.id = String(value.id);
    readCurrency(value, path);
    const elements = listOf(value.elements, `${path}elements`);
    value.elements = elements;
    for (let i = 0; i < elements.length; i++) this.#element(elements[i]!, `${path}elements[${i}].`);
    readTaxes(value, path, this.remarks);
    for (const name of ['min_price', 'max_price']) {
      if (typeof value[name] === 'number' || typeof value[name] === 'string') {
        value[name] = { excl_vat: value[name] };
      }
    }
    readDate(value, 'start_date_time');
    readDate(value, 'end_date_time');
    return value as unknown as Tariff;
  }

  #ownTariffs(value: Loose): Tariff[] {
    const given = value.tariffs ?? value.tariff;
    const tariffs = given == null ? [] : listOf(given, 'tariffs');
    if (tariffs.length === 0) {
      throw new RefusedInput(
        'tariffs: it has none to be priced by (OCPI 2.2.1 mod_cdrs). Give one with --tariff FILE',
      );
    }
    return tariffs.map((tariff, i) => this.tariff(tariff, `tariffs[${i}].`));
  }

  #period(period: Loose, index: number): void {
    readDate(period, 'start_date_time');
    if (typeof period.tariff_id === 'number') period.tariff_id = String(period.tariff_id);
    const path = `charging_periods[${index}].dimensions`;
    const dimensions = listOf(period.dimensions ?? [], path);
    (period as { dimensions: unknown }).dimensions = dimensions;
    for (let i = 0; i < dimensions.length; i++) {
      const one = dimensions[i]!;
      one.type = upperCase(one.type, `${path}[${i}].type`);
      if (DIMENSIONS.has(one.type as string)) continue;
      this.remarks.push({
        code: 'ignored',
        path: `${path}[${i}].type`,
        why: { en: `${String(one.type)} is no dimension; it is ignored`, fr: `${String(one.type)} n’est pas une dimension; elle est ignorée` },
      });
    }
  }

  #element(element: Loose, path: string): void {
    const components = listOf(element.price_components ?? [], `${path}price_components`);
    if (components.length === 0) {
      throw new RefusedInput(
        `${path}price_components: it has none (OCPI 2.2.1 mod_tariffs). ` +
          'An element has at least one; npx roamwatt lint says all that is wrong with a tariff',
      );
    }
    element.price_components = components;
    for (let i = 0; i < components.length; i++) {
      const component = components[i]!;
      component.type = upperCase(component.type, `${path}price_components[${i}].type`);
      readNumber(component, 'step_size');
    }
    const { restrictions } = element;
    if (restrictions == null) return;
    if (typeof restrictions !== 'object') {
      throw new RefusedInput(`${path}restrictions: an object expected (OCPI 2.2.1 mod_tariffs)`);
    }
    this.#restrictions(restrictions as Loose, `${path}restrictions.`);
  }

  #restrictions(restrictions: Loose, path: string): void {
    for (const name in restrictions) {
      if (!RESTRICTIONS.has(name)) {
        this.remarks.push({
          code: 'ignored',
          path: path + name,
          why: { en: 'OCPI 2.2.1 has no such restriction; it is ignored', fr: 'OCPI 2.2.1 n’a pas cette restriction; elle est ignorée' },
        });
      }
    }
    readNumber(restrictions, 'min_duration');
    readNumber(restrictions, 'max_duration');
    if (typeof restrictions.reservation === 'string') restrictions.reservation = restrictions.reservation.toUpperCase();
    const days = restrictions.day_of_week;
    if (typeof days === 'string') restrictions.day_of_week = [days.toUpperCase()];
    else if (Array.isArray(days)) {
      restrictions.day_of_week = days.map((day) =>
        typeof day === 'string' ? day.toUpperCase() : day,
      );
    }
  }
}

const DIMENSIONS = new Set(
  (
    'ENERGY TIME PARKING_TIME RESERVATION_TIME MIN_CURRENT MAX_CURRENT MIN_POWER MAX_POWER ' +
    'CURRENT POWER ENERGY_EXPORT ENERGY_IMPORT STATE_OF_CHARGE'
  ).split(' '),
);
const RESTRICTIONS = new Set(
  (
    'start_time end_time start_date end_date min_kwh max_kwh min_current max_current min_power ' +
    'max_power min_duration max_duration day_of_week reservation'
  ).split(' '),
);

/** A list of objects; one object stands for a list of one. */
function listOf(value: unknown, path: string): Loose[] {
  const list = Array.isArray(value) ? value : [value];
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] === 'object' && list[i] !== null && !Array.isArray(list[i])) continue;
    throw new RefusedInput(`${path}[${i}]: an object expected (OCPI 2.2.1)`);
  }
  return list as Loose[];
}

function upperCase(type: unknown, path: string): string {
  if (typeof type !== 'string') throw new RefusedInput(`${path}: a name expected (OCPI 2.2.1)`);
  return DIMENSIONS.has(type) || type === 'FLAT' ? type : type.toUpperCase();
}

/** ISO 4217 has capital letters: by them, a currency's digits are found. */
function readCurrency(object: Loose, path: string): void {
  const { currency } = object;
  if (currency == null) return;
  if (typeof currency !== 'string' || !/^\s*[a-z]{3}\s*$/i.test(currency)) {
    throw new RefusedInput(`${path}currency: three letters expected, such as CAD (ISO 4217, OCPI 2.2.1 types)`);
  }
  object.currency = currency.trim().toUpperCase();
}

/** Decimal text where a number belongs; anything else stays for pricing to refuse. */
function readNumber(object: Loose, name: string): void {
  const value = object[name];
  if (typeof value === 'string' && /^\s*-?\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(value))
    object[name] = Number(value);
}

/** "2019-01-15T10:00:00+01:00", "2019-01-15 09:00Z": as OCPI writes it. */
function readDate(object: Loose, name: string): void {
  const text = object[name];
  if (typeof text !== 'string' || (text.length === 20 && text.endsWith('Z'))) return;
  const parts = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d+)?)? ?(.*)$/.exec(text.trim());
  if (!parts) return;
  const [, date, minutes, seconds = ':00', zone] = parts;
  const offset = /^([+-]\d\d):?(\d\d)?$/.exec(zone!);
  const shift = offset ? `${offset[1]}:${offset[2] ?? '00'}` : 'Z';
  if (!offset && !/^(?:Z|UTC|GMT)?$/i.test(zone!)) return;
  try {
    object[name] = rfc3339(
      instantWithOffset(`${date}T${minutes}${seconds.replace(',', '.')}${shift}`),
    );
  } catch {
    // It stays as it is, and pricing refuses it with its place.
  }
}
