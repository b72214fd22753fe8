import type { z } from 'zod';
import { headerText, instantMs, type ModuleId, read, sameId } from '#ocpi';
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
const proven = ['TRN-12', 'TYP-01', 'TYP-02', 'TYP-06', 'TYP-08'];
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
  const times = [...(JSON.stringify(value) ?? '').matchAll(/"(\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?)"/g)];
  const wrong = times.find(([, text = '', zone = '']) => text.length > 25 || zone.length > 1)?.[1];
  bench.judge('TYP-03', wrong === undefined, `DateTimes in UTC, of at most 25 characters${wrong === undefined ? '' : `, not ${wrong}`}`, seen);
  const reading = read(schema, value);
  if (reading.ok) {
    for (const rule of [modules[module], ...proven, ...provenBy[module] ?? []]) bench.judge(rule, true, 'an object by its schema', seen);
    return reading.value;
  }
  const faults = reading.message.replace(/ \(OCPI 2\.2\.1\)$/, '').split('; ').filter((one) => !/^and \d+ more$/.test(one));
  const cased = new Map(namesIn(value).map((name) => [name.replace(/-?([A-Z])/g, '_$1').toLowerCase(), name]));
  for (const fault of faults) {
    const otherwise = cased.get(/(\w+): is missing/.exec(fault)?.[1] ?? '');
    const what = otherwise === undefined ? fault : `${fault}, and there is ${otherwise}`;
    bench.judge(otherwise === undefined ? ruleOf(module, fault) : 'TRN-12', false, `an object in which nothing is wrong; but ${what}`, seen);
  }
  return undefined;
}

/** Names of fields that are not written as OCPI's are, at any depth. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => [...(/[A-Z]/.test(name) ? [name] : []), ...namesIn(one)]);
}

/** Whether something was taken; where it was not, the rule of the HTTP status or the given one is broken. */
export function judgeTaken(bench: Bench, rule: string, what: string, seen: Seen): boolean {
  return bench.judge(rule, ok(seen), `${what} is taken: HTTP 200 or 201, and 1000`, seen);
}

/** Whose Sessions and CDRs have to be of its own Tokens, or of Locations that it knows, may refuse those that the kit makes up. */
export function stopAtUnknown({ status }: Seen, what: string): void {
  if (status === 2003 || status === 2004) throw new Error(`the platform refuses ${what} of a made-up ${status === 2003 ? 'Location' : 'Token'} (${status})`);
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

/** The same of what is wrong in a query alone: whether HTTP 400 is for that, too, the text leaves open. */
export function judgeQueryRefused(bench: Bench, rule: string, what: string, seen: Seen, status: number): void {
  if (seen.http === 400 && (seen.status ?? 0) >= 2000) bench.judge(rule, true, `${what} is refused`, seen);
  else judgeRefused(bench, rule, what, seen, status);
}

/** A GET of what is not there is HTTP 404; of what is written to no parent the text says nothing, and 2xxx refuses it, too. */
export function judgeNotThere(bench: Bench, rule: string, what: string, seen: Seen): void {
  bench.judge(rule, seen.http === 404 || (seen.sent.method !== 'GET' && refused(seen)), `${what}: HTTP 404`, seen);
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

/** What a CiString names is the same in any case. */
const named = new Set([
  'id', 'uid', 'country_code', 'party_id', 'evse_id', 'evse_uid', 'connector_id', 'location_id', 'session_id', 'tariff_id', 'tariff_ids',
  'contract_id', 'credit_reference_id',
]);
const numbered = new Set(['latitude', 'longitude']);

/**
 * Whether `held` says all that was told: its members in any order, and lists that have none; null as good as absent; DateTimes by
 * their instant, ids in any case. What it has besides may be its own, or a default.
 */
export function sameJson(held: unknown, told: unknown, field = ''): boolean {
  if (told === null || told === undefined) return true;
  if (Array.isArray(told)) return sameList(held ?? [], told, field);
  if (typeof told === 'object') {
    const has = held as Readonly<Record<string, unknown>> | null;
    return typeof has === 'object' && has !== null && !Array.isArray(has) && Object.entries(told).every(([name, one]) => sameJson(has[name], one, name));
  }
  if (typeof told !== 'string' || typeof held !== 'string') return held === told;
  return held === told || sameInstant(held, told) || (named.has(field) && sameId(held, told)) || (numbered.has(field) && Number(held) === Number(told));
}

function sameList(held: unknown, told: readonly unknown[], field: string): boolean {
  if (!Array.isArray(held) || held.length !== told.length) return false;
  const left = [...held];
  return told.every((one) => {
    const at = left.findIndex((other) => sameJson(other, one, field));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** However a DateTime is written. */
export function sameInstant(one: unknown, other: string): boolean {
  const ms = typeof one === 'string' ? instantMs(one) : undefined;
  return ms !== undefined && ms === instantMs(other);
}
