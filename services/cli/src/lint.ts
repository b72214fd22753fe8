import {
  type EvseFacts,
  type Finding,
  lint as linted,
  LINT_CODES,
  type LintFacts,
  METER_STANDINGS,
  type MeterStanding,
  type Severity,
} from '#pricing';
import { countryCode, countryOfTwo, instant, rfc3339 } from '#time';
import type { Document } from './documents.ts';
import { eachDocument } from './each-document.ts';
import { parseNumbers } from './exact-json.ts';
import { otherKind } from './kind.ts';
import { locationsOf } from './locations.ts';
import type { Terminal } from './terminal.ts';
import { type Given, optionOf, RefusedInput, type Verb, WrongUsage } from './verb.ts';
import { givenZone } from './zone-choice.ts';

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

export const lint: Verb = {
  usage: 'TARIFF.json… [options]',
  about: `Finds what is wrong with tariffs, or hardly meant so: unknown and wrong fields, elements that
never apply (decided exactly), times without a price, overlapping windows, per-minute prices in
per-hour fields, wrong steps; for Canada, prices per kWh on meters that may not sell kWh, and
prices of time after 2029. Each finding has a code, its place as a JSON pointer, and advice.
Tariffs inside CDRs are looked at as well.

A Location of --location may say of each EVSE, or of itself, how its meter stands with Measurement
Canada, in a field that is ours and not OCPI's: "meter_standing": "approved", "dispensation" or "none".
Of its EVSEs those are meant whose connectors name the tariff; all, where none names any.

${codesText()}`,
  options: {
    country: {
      type: 'string',
      value: 'CAN',
      help: 'of the Location; else as --location or the tariff’s country_code say',
    },
    meter: { type: 'string', value: METER_STANDINGS.join('|'), help: 'standing of all meters not told' },
    location: { type: 'string', multiple: true, value: 'LOCATION.json', help: 'where it applies' },
    'time-zone': { type: 'string', value: 'IANA', help: 'zone of the Location' },
    now: { type: 'string', value: 'RFC3339', help: 'the day for which to judge; else today' },
    'fail-on': {
      type: 'string',
      value: 'info|warning|error',
      help: 'least finding that makes the exit status 1 (warning)',
    },
    json: { type: 'boolean', help: 'one line of JSON for each tariff' },
  },
  examples: [
    ['npx roamwatt lint tariffs/*.json', 'all tariffs of a folder'],
    ['npx roamwatt lint tariff.json --country CAN --meter dispensation', 'by the rules of Canada'],
    ['npx roamwatt lint cdrs.jsonl --json --fail-on error', 'the tariffs that CDRs were priced by'],
  ],
  run: async (given, terminal) => {
    if (given.files.length === 0) throw new WrongUsage('name the tariffs to read');
    const facts = await Facts.of(given, terminal);
    const least = leastOf(given);
    const show = given.flags.has('json') ? jsonLine : asText;
    let found = false;
    const look = (one: Document) => tariffsIn(one).map(([at, tariff]) => {
      const findings = linted(tariff, facts.for(tariff));
      found ||= findings.some(({ severity }) => RANK[severity] >= RANK[least]);
      return show(at, idOf(tariff), findings);
    });
    const status = await eachDocument(given, terminal, look, parseNumbers);
    return found && terminal.out.open ? 1 : status;
  },
};

/** All codes by how much they matter, in lines of readable length. */
function codesText(): string {
  const severities: Severity[] = ['error', 'warning', 'info'];
  return severities
    .map((severity) => {
      const codes = Object.entries(LINT_CODES).filter(([, own]) => own === severity);
      const text = codes.map(([code]) => code).join(', ');
      return `Codes, ${severity}\n  ${text.replaceAll(/(.{60,88}?), /g, '$1,\n  ')}`;
    })
    .join('\n');
}

function leastOf(given: Given): Severity {
  const text = optionOf(given, 'fail-on') ?? 'warning';
  if (Object.hasOwn(RANK, text)) return text as Severity;
  throw new WrongUsage('--fail-on: info, warning or error expected');
}

/** A tariff itself, or those of a CDR. Throws RefusedInput for another object of OCPI. */
function tariffsIn({ at, value }: Document): [at: string, tariff: Document['value']][] {
  const { elements, tariffs, charging_periods: periods } = value;
  if (elements === undefined && periods !== undefined && Array.isArray(tariffs) && tariffs.length > 0)
    return tariffs.map((tariff, i) => [`${at} /tariffs/${i}`, tariff as Document['value']]);
  const kind = otherKind(value);
  if (kind === undefined) return [[at, value]];
  const advice =
    kind === 'a Location'
      ? 'Give it with --location, beside the Tariffs that apply there.'
      : 'Give the Tariffs themselves, or CDRs with theirs.';
  throw new RefusedInput(`this is ${kind}, and lint reads Tariffs. ${advice}`);
}

function idOf(tariff: Document['value'] | null): string | undefined {
  return typeof tariff?.id === 'string' ? tariff.id : undefined;
}

function jsonLine(at: string, id: string | undefined, findings: readonly Finding[]): string {
  return JSON.stringify({ ...(id === undefined ? {} : { id }), source: at, findings });
}

function asText(at: string, id: string | undefined, findings: readonly Finding[]): string {
  const heading = `${at}${id === undefined ? '' : `  ${id}`}`;
  if (findings.length === 0) return `${heading}: fine`;
  return [
    heading,
    ...findings.flatMap(({ severity, code, path, message, advice }) => [
      `  ${severity} ${code} at ${path === '' ? 'the tariff' : path}`,
      `    ${closed(message)}`,
      `    ${closed(advice)}`,
    ]),
    '',
  ].join('\n');
}

function closed(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** What is known of the places where a tariff applies. */
class Facts {
  readonly #given: Omit<LintFacts, 'evses'>;
  readonly #meter: MeterStanding | undefined;
  readonly #locations: readonly Document['value'][];

  private constructor(
    given: Omit<LintFacts, 'evses'>,
    meter: MeterStanding | undefined,
    locations: readonly Document['value'][],
  ) {
    this.#given = given;
    this.#meter = meter;
    this.#locations = locations;
  }

  static async of(given: Given, terminal: Terminal): Promise<Facts> {
    const meter = optionOf(given, 'meter');
    if (meter !== undefined && !isStanding(meter)) {
      throw new WrongUsage(`--meter: one of ${METER_STANDINGS.join(', ')} expected`);
    }
    const locations = await locationsOf(given, terminal);
    const country = countryOf(given) ?? textOf(locations[0]?.country);
    const timeZone = givenZone(given)?.name ?? textOf(locations[0]?.time_zone);
    const known = {
      now: nowOf(given, terminal),
      ...(country !== undefined && { country }),
      ...(timeZone !== undefined && { timeZone }),
    };
    return new Facts(known, meter, locations);
  }

  for(tariff: Document['value'] | null): LintFacts {
    const country = this.#given.country ?? textOf(tariff?.country_code);
    const evses = this.#locations.flatMap((location) => this.#evsesOf(location, idOf(tariff)));
    const named = this.#meter && [{ name: 'its EVSEs', meter: this.#meter }];
    return {
      ...this.#given,
      ...(country !== undefined && { country }),
      ...(evses.length > 0 ? { evses } : named ? { evses: named } : {}),
    };
  }

  #evsesOf(location: Document['value'], tariffId: string | undefined): EvseFacts[] {
    const evses = listOf(location.evses);
    const idsOf = (evse: Record<string, unknown>) =>
      listOf(evse.connectors).flatMap(({ tariff_ids: ids }) => (Array.isArray(ids) ? ids : []));
    const someNamed = evses.some((evse) => idsOf(evse).length > 0);
    const own = someNamed
      ? evses.filter((evse) => idsOf(evse).some((id) => sameId(id, tariffId)))
      : evses;
    return own.map((evse) => {
      const standing = evse.meter_standing ?? location.meter_standing ?? this.#meter;
      const name = textOf(evse.evse_id) ?? textOf(evse.uid) ?? 'an EVSE';
      return { name, ...(isStanding(standing) && { meter: standing }) };
    });
  }
}

function countryOf(given: Given): string | undefined {
  const text = optionOf(given, 'country');
  if (text === undefined) return undefined;
  const code = countryCode(text);
  if (code !== undefined && countryOfTwo(code)) return code;
  throw new WrongUsage(`--country: "${text}" is no code of ISO 3166-1; one like CAN or CA expected`);
}

function nowOf(given: Given, { now }: Terminal): string {
  const text = optionOf(given, 'now');
  if (text === undefined) return rfc3339(now());
  try {
    return rfc3339(instant(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text));
  } catch {
    throw new WrongUsage(`--now: "${text}" is no date-time; one as 2026-12-01T17:00:00Z expected`);
  }
}

function isStanding(value: unknown): value is MeterStanding {
  return METER_STANDINGS.includes(value as MeterStanding);
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function sameId(one: unknown, other: string | undefined): boolean {
  return typeof one === 'string' && one.toLowerCase() === other?.toLowerCase();
}
