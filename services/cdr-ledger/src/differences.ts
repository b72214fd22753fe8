import { namedFields, Tariff } from '#ocpi';

/** What of a tariff decides on a price, or on whether it applies. */
const PRICING_FIELDS = [
  'currency',
  'type',
  'min_price',
  'max_price',
  'elements',
  'start_date_time',
  'end_date_time',
] as const satisfies readonly (keyof Tariff)[];

/**
 * Where two versions of a tariff differ in what it costs: "elements[0].price_components[1].price is
 * 0.3, published 0.24". Texts, links, last_updated and a partner's own fields, which say nothing of the
 * price and might name somebody, are of no account; what is null, empty or absent is the same,
 * and so are days or components in another order.
 */
export function tariffDifferences(told: Tariff, published: Tariff): string[] {
  const [is, was] = [namedFields(Tariff, told), namedFields(Tariff, published)];
  return PRICING_FIELDS.flatMap((field) => differences(is[field], was[field], field));
}

function differences(told: unknown, published: unknown, path: string): string[] {
  const [is, was] = [told, published].map(plain);
  if (is === undefined && was === undefined) return [];
  if (Array.isArray(is) && Array.isArray(was)) {
    const found = inPlaces(is, was, path);
    const isSame = found.length > 0 && ANY_ORDER.test(path) && inPlaces(sorted(is), sorted(was), path).length === 0;
    return isSame ? [] : found;
  }
  if (isObject(is) && isObject(was)) {
    const names = [...new Set([...Object.keys(is), ...Object.keys(was)])];
    return names.flatMap((name) => differences(is[name], was[name], `${path}.${name}`));
  }
  return is === was ? [] : [`${path} is ${spoken(is)}, published ${spoken(was)}`];
}

/** The days of an element, and its components, as long as those of one dimension keep their order. */
const ANY_ORDER = /\.(day_of_week|price_components)$/;

function inPlaces(is: readonly unknown[], was: readonly unknown[], path: string): string[] {
  const length = Math.max(is.length, was.length);
  return Array.from({ length }, (_, n) => differences(is[n], was[n], `${path}[${n}]`)).flat();
}

function sorted(list: readonly unknown[]): unknown[] {
  const name = (one: unknown) => String(isObject(one) ? one['type'] : one);
  return list.toSorted((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}

function plain(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value;
  if (isObject(value)) return Object.values(value).some((one) => plain(one) !== undefined) ? value : undefined;
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SPOKEN_MAX = 80;

function spoken(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > SPOKEN_MAX ? `${text.slice(0, SPOKEN_MAX)}…` : text;
}
