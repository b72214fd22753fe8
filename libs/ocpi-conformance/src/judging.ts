import type { z } from 'zod';
import { headerText, type ModuleId, read } from '#ocpi';
import { type Bench, ok, refused, type Seen } from './bench.ts';

/** The rule that a field breaks, by what the schema says of it; else the module's own. */
export function ruleOf(module: ModuleId | 'versions', message: string): string {
  const found = byMessage.find(([form]) => form.test(message));
  return found?.[1] ?? modules[module];
}

const byMessage: readonly (readonly [RegExp, string])[] = [
  [/(latitude|longitude): /, 'LOC-09'],
  [/dimensions: (CURRENT|.*unknown)|CdrDimensionType/, 'CDR-16'],
  [/credit_reference_id: /, 'CDR-04'],
  [/longer than the 36 characters/, 'CDR-03'],
  [/charging_periods.*at least one/, 'CDR-06'],
  [/time_zone: is missing/, 'LOC-10'],
  [/alpha-2|alpha-3|ISO 4217|ISO 639/, 'TYP-10'],
  [/excl_vat|incl_vat/, 'TYP-05'],
  [/DateTime/, 'TYP-03'],
  [/JSON number|whole number/, 'TYP-04'],
  [/http\(s\) URL/, 'TYP-06'],
  [/unknown \w+ "/, 'TYP-08'],
  [/printable ASCII/, 'TYP-01'],
  [/longer than|control character/, 'TYP-02'],
];

const modules: Readonly<Record<ModuleId | 'versions', string>> = {
  versions: 'VER-02', credentials: 'CRE-10', locations: 'LOC-30', sessions: 'SES-10', cdrs: 'CDR-14', tariffs: 'TAR-01', tokens: 'TOK-13',
  commands: 'CMD-02', chargingprofiles: 'CHP-01', hubclientinfo: 'HCI-01',
};

/** What a whole object is right in, whatever it is. */
const proven = ['TYP-01', 'TYP-02', 'TYP-06', 'TYP-08'];
const provenBy: Partial<Record<ModuleId | 'versions', readonly string[]>> = {
  locations: ['LOC-09', 'LOC-10', 'TYP-10'],
  sessions: ['SES-06', 'TYP-04'],
  cdrs: ['CDR-06', 'CDR-16', 'TYP-04', 'TYP-05'],
  tariffs: ['TYP-04'],
  tokens: ['TOK-12'],
};

/** Reads an object of the platform by its schema; what is wrong in it is judged by the rule that it breaks. */
export function judgeObject<T extends z.ZodType>(
  bench: Bench, module: ModuleId | 'versions', schema: T, value: unknown, seen: Seen | string,
): z.output<T> | undefined {
  const offset = /"(\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:]+\.\d{4,}Z?)"/.exec(JSON.stringify(value) ?? '')?.[1];
  bench.judge(
    'TYP-03',
    offset === undefined,
    `DateTimes in UTC, of at most 25 characters${offset === undefined ? '' : `, not ${offset}`}`,
    seen,
  );
  const reading = read(schema, value);
  if (reading.ok) {
    for (const rule of [modules[module], ...proven, ...provenBy[module] ?? []]) bench.judge(rule, true, 'an object by its schema', seen);
    return reading.value;
  }
  const faults = reading.message.replace(/ \(OCPI 2\.2\.1\)$/, '').split('; ').filter((one) => !/^and \d+ more$/.test(one));
  for (const fault of faults) bench.judge(ruleOf(module, fault), false, `an object in which nothing is wrong; but ${fault}`, seen);
  return undefined;
}

/** Whether something was taken; where it was not, the rule of the HTTP status or the given one is broken. */
export function judgeTaken(bench: Bench, rule: string, what: string, seen: Seen): boolean {
  return bench.judge(rule, ok(seen), `${what} is taken: HTTP 200 or 201, and 1000`, seen);
}

/**
 * Whether wrong content was refused as OCPI does it: by `rule` it has to be refused, and by the table of HTTP
 * statuses with no HTTP error.
 */
export function judgeRefused(bench: Bench, rule: string, what: string, seen: Seen, status?: number): void {
  if (!bench.judge(rule, !ok(seen), `${what} is refused`, seen)) return;
  const wanted = `${what} is refused with HTTP 200 and ${status ?? '2xxx'}, not with an HTTP error`;
  if (seen.http !== 0) bench.judge('TRN-30', refused(seen) || seen.http === 413 || seen.http === 429, wanted, seen);
  if (status !== undefined && refused(seen)) bench.judge(rule, seen.status === status, wanted, seen);
}

export function judgeNotThere(bench: Bench, rule: string, what: string, seen: Seen): void {
  bench.judge(rule, seen.http === 404, `${what}: HTTP 404`, seen);
}

export function judgeNotOffered(bench: Bench, rule: string, what: string, seen: Seen): void {
  bench.judge(rule, !ok(seen), `${what} is not offered`, seen);
  if (!ok(seen)) bench.judge('TRN-10', seen.http === 405 || seen.http === 404, `${what} is not offered: HTTP 405`, seen);
}

/** Of a timeout. */
export function isSeconds(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

export function wholeNumber(seen: Seen, name: string): number | undefined {
  const text = headerText(seen.headers, name) ?? '';
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Whether two JSON values are the same, whatever the order of members; null is as good as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0))
    .sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, one]) => [name, sorted(one)]));
}
