import { decimal, isCurrency } from '#money';
import { isInstant } from '#time';
import { type Finding, finding } from './lint-finding.ts';

type Kind = 'text' | 'number' | 'count' | 'date-time' | 'date' | 'time' | 'object' | 'names' | 'currency';

interface Field {
  readonly kind: Kind | readonly string[] | Fields;
  readonly required?: boolean;
  readonly list?: boolean;
  readonly max?: number;
}
interface Fields {
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
}

const need = (field: Field): Field => ({ ...field, required: true });
const text = (max: number): Field => ({ kind: 'text', max });
const of = (kind: Field['kind']): Field => ({ kind });
const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];

const PRICE: Fields = {
  name: 'Price',
  fields: { excl_vat: need(of('number')), incl_vat: of('number') },
};
const DISPLAY_TEXT: Fields = {
  name: 'DisplayText',
  fields: { language: need(text(2)), text: need(text(512)) },
};
const COMPONENT: Fields = {
  name: 'PriceComponent',
  fields: {
    type: need(of(['ENERGY', 'FLAT', 'PARKING_TIME', 'TIME'])),
    price: need(of('number')),
    vat: of('number'),
    step_size: need(of('count')),
  },
};
const RESTRICTIONS: Fields = {
  name: 'TariffRestrictions',
  fields: {
    start_time: of('time'),
    end_time: of('time'),
    start_date: of('date'),
    end_date: of('date'),
    min_kwh: of('number'),
    max_kwh: of('number'),
    min_current: of('number'),
    max_current: of('number'),
    min_power: of('number'),
    max_power: of('number'),
    min_duration: of('count'),
    max_duration: of('count'),
    day_of_week: { kind: DAYS, list: true },
    reservation: of(['RESERVATION', 'RESERVATION_EXPIRES']),
  },
};
const ELEMENT: Fields = {
  name: 'TariffElement',
  fields: {
    price_components: need({ kind: COMPONENT, list: true }),
    restrictions: of(RESTRICTIONS),
  },
};
const TARIFF: Fields = {
  name: 'Tariff',
  fields: {
    country_code: need(text(2)),
    party_id: need(text(3)),
    id: need(text(36)),
    currency: need({ kind: 'currency', max: 3 }),
    type: of(['AD_HOC_PAYMENT', 'PROFILE_CHEAP', 'PROFILE_FAST', 'PROFILE_GREEN', 'REGULAR']),
    tariff_alt_text: { kind: DISPLAY_TEXT, list: true },
    tariff_alt_url: text(255),
    min_price: of(PRICE),
    max_price: of(PRICE),
    elements: need({ kind: ELEMENT, list: true }),
    start_date_time: of('date-time'),
    end_date_time: of('date-time'),
    energy_mix: of('object'),
    last_updated: need(of('date-time')),
  },
};

/** Of OCPI 2.3.0, where they say what 2.2.1 says otherwise. */
const OF_230: ReadonlyMap<string, string> = new Map([
  ['tax_included', 'It is of OCPI 2.3.0; for 2.2.1 write the prices without tax, and vat beside them'],
  ['before_taxes', 'It is of OCPI 2.3.0; for 2.2.1 write excl_vat'],
  ['after_taxes', 'It is of OCPI 2.3.0; for 2.2.1 write incl_vat'],
]);

/** What a Tariff's fields break of OCPI 2.2.1's table of them. */
export function lintFields(tariff: unknown): Finding[] {
  const found: Finding[] = [];
  checkObject(found, tariff, TARIFF, '');
  return found;
}

function checkObject(found: Finding[], value: unknown, { name, fields }: Fields, path: string) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrongType(found, path, `${name} (an object)`, value);
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(fields, key)) continue;
    const like = nearest(key, Object.keys(fields));
    const mistaken = like ? `Did you mean ${like}?` : 'Take it away, or write what it should say';
    const advice = OF_230.get(key) ?? mistaken;
    const message = `${name} of OCPI 2.2.1 has no field "${key}": whoever reads this ignores it`;
    found.push(finding('unknown-field', `${path}/${escaped(key)}`, message, advice));
  }
  for (const [key, field] of Object.entries(fields)) {
    const given = (value as Record<string, unknown>)[key];
    if (given == null) {
      if (!field.required) continue;
      const message = `${name}.${key} is required (OCPI 2.2.1 mod_tariffs)`;
      found.push(finding('missing-field', path, message, `Add ${key}`));
    } else {
      checkField(found, given, field, `${path}/${key}`);
    }
  }
}

function checkField(found: Finding[], value: unknown, field: Field, path: string) {
  if (!field.list) return checkOne(found, value, field, path);
  if (!Array.isArray(value)) return wrongType(found, path, 'a list', value);
  if (value.length === 0 && field.required) {
    const message = 'The list is empty, and at least one entry is required';
    found.push(finding('empty-list', path, message, 'Add an entry'));
  }
  value.forEach((one, i) => checkOne(found, one, field, `${path}/${i}`));
}

function checkOne(found: Finding[], value: unknown, { kind, max }: Field, path: string) {
  if (isNames(kind)) {
    if (typeof value === 'string' && kind.includes(value)) return;
    const message = `${shown(value)} is none of ${kind.join(', ')}`;
    const like = nearest(String(value).toUpperCase(), kind);
    const advice = like ? `Did you mean ${like}?` : 'Write one of them';
    found.push(finding('unknown-value', path, message, advice));
  } else if (typeof kind === 'object') {
    checkObject(found, value, kind, path);
  } else if (kind === 'number' || kind === 'count') {
    checkNumber(found, value, kind, path);
  } else if (kind === 'object') {
    if (typeof value !== 'object') wrongType(found, path, 'an object', value);
  } else if (typeof value !== 'string') {
    wrongType(found, path, 'text', value);
  } else if (max !== undefined && value.length > max) {
    const message = `${value.length} characters, and at most ${max} are allowed`;
    found.push(finding('too-long', path, message, 'Shorten it'));
  } else if (kind === 'currency') {
    checkCurrency(found, value, path);
  } else {
    checkFormat(found, value, kind, path);
  }
}

function isNames(kind: Field['kind']): kind is readonly string[] {
  return Array.isArray(kind);
}

function checkNumber(found: Finding[], value: unknown, kind: 'number' | 'count', path: string) {
  const number = readNumber(value);
  if (number === undefined) {
    const isDecimalComma = typeof value === 'string' && /^-?\d+,\d{1,2}$/.test(value);
    return wrongType(found, path, 'a number', value, isDecimalComma ? `Write ${value.replace(',', '.')} without quotes` : undefined);
  }
  if (kind === 'count' && !(Number.isInteger(number) && number >= 0)) {
    return wrongType(found, path, 'a whole number from 0 on', value);
  }
  if (typeof value === 'number') return;
  const message = `OCPI's numbers are JSON numbers, and "${String(value)}" is text`;
  found.push(finding('number-as-text', path, message, `Write ${String(value)} without quotes`));
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  try {
    return typeof value === 'string' ? decimal(value).toApproximate() : undefined;
  } catch {
    return undefined;
  }
}

/** TYP-10: texts are case-sensitive, and the codes of ISO 4217 have capital letters. */
function checkCurrency(found: Finding[], value: string, path: string) {
  if (isCurrency(value)) return;
  const capital = value.trim().toUpperCase();
  const advice = isCurrency(capital) ? `Write ${capital}` : 'Write its code, such as CAD';
  const message = `"${value}" is no currency of ISO 4217: how many decimals its sums have is not known`;
  found.push(finding('unknown-currency', path, message, advice));
}

const FORMATS: Partial<Record<Kind, readonly [RegExp, string]>> = {
  time: [/^([01]\d|2[0-3]):[0-5]\d$/, 'a local time HH:MM'],
  date: [/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a date YYYY-MM-DD'],
};

function checkFormat(found: Finding[], value: string, kind: Kind, path: string) {
  const [pattern, wanted] = FORMATS[kind] ?? [/^/, 'a date-time in UTC'];
  const fine = pattern.test(value) && (kind !== 'date-time' || isInstant(value));
  if (fine) return;
  const advice =
    kind === 'time' && value.startsWith('24') ? 'Write 00:00 for the end of a day' : 'Write it so';
  found.push(finding('bad-format', path, `"${value}" is not ${wanted}`, advice));
}

function wrongType(found: Finding[], path: string, wanted: string, value: unknown, advice = 'Correct it'): void {
  found.push(finding('wrong-type', path, `${wanted} expected, and it is ${shown(value)}`, advice));
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 40) ?? typeof value;
}

/** JSON pointers write ~ and / of a name as ~0 and ~1. */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The name that has the most letter pairs in common, if they are most of them. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const pairs = (word: string) =>
    new Set([...word].slice(1).map((letter, i) => word[i]!.toLowerCase() + letter.toLowerCase()));
  const own = pairs(name);
  const scored = names
    .map((one) => {
      const other = pairs(one);
      const shared = [...own].filter((pair) => other.has(pair)).length;
      return [one, (2 * shared) / (own.size + other.size || 1)] as const;
    })
    .sort(([, a], [, b]) => b - a)[0];
  return scored && scored[1] > 0.6 ? scored[0] : undefined;
}
