import {
  type Alternative,
  alternatives,
  cheapest,
  type ExplainLanguage,
  InvalidCharge,
  type NoteCode,
  type Priced,
  priceReport,
  type Quote,
  quote as quoted,
  type QuoteRequest,
  sentence,
  type Tariff,
} from '#pricing';
import { instantWithOffset, rfc3339, zone } from '#time';
import { costTable } from './cost-table.ts';
import { COST_WORDS } from './cost-words.ts';
import type { Document } from './documents.ts';
import { readDuration } from './duration.ts';
import { eachDocument } from './each-document.ts';
import { otherKind } from './kind.ts';
import { givenLanguage, LANGUAGE_OPTION } from './language.ts';
import { LiberalReader } from './liberal.ts';
import { moneyText } from './money-text.ts';
import type { Terminal } from './terminal.ts';
import { type Given, optionOf, RefusedInput, type Verb, WrongUsage } from './verb.ts';
import { type ChosenZone, givenZone, zoneOfLocations } from './zone-choice.ts';
import { zoneJson } from './zone-words.ts';

const DEFAULT_EVERY = '30m';
const DEFAULT_WITHIN = '24h';

export const quote: Verb = {
  usage: 'TARIFF.json… --energy-kwh N --duration 2h [options]',
  about: `Says what a charge would cost by each tariff, split wherever its price changes, and what it
would cost if it began later. Two of energy, duration and power are enough: with a power the car
charges until it has its energy and is parked for the rest of its stay; without, it charges evenly.`,
  options: {
    'energy-kwh': { type: 'string', value: 'N', help: 'what the car is to get' },
    duration: { type: 'string', value: '1h30m', help: 'how long it stays: 90m, 1:30, PT1H30M' },
    'power-kw': { type: 'string', value: 'N', help: 'what it charges with' },
    start: { type: 'string', value: 'RFC3339', help: 'UTC if no offset is given; else now' },
    'time-zone': { type: 'string', value: 'IANA', help: 'zone of the Location' },
    location: { type: 'string', value: 'LOCATION.json', help: 'Location whose time_zone is taken' },
    within: { type: 'string', value: '24h', help: `other starts so far ahead (${DEFAULT_WITHIN})` },
    every: { type: 'string', value: '30m', help: `in such steps (${DEFAULT_EVERY})` },
    language: LANGUAGE_OPTION,
    json: { type: 'boolean', help: 'one line of JSON for each tariff' },
  },
  examples: [
    [
      'npx roamwatt quote tariff.json --energy-kwh 20 --duration 2h --time-zone America/Vancouver',
      'two hours from now on, and the cheaper times',
    ],
    [
      'npx roamwatt quote tariffs/*.json --energy-kwh 30 --power-kw 11 --start 2026-12-01T17:00-08:00 --json',
      'the same charge by several tariffs',
    ],
  ],
  run: async (given, terminal) => {
    if (given.files.length === 0) throw new WrongUsage('name the tariffs to read');
    const request = await requestOf(given, terminal);
    const show = given.flags.has('json') ? jsonLine : asText;
    return eachDocument(given, terminal, (one) => {
      try {
        return [show(answerOf(one, request))];
      } catch (error) {
        throw asAsked(error, given);
      }
    });
  },
};

/** What is wrong with the options is wrong for every tariff. */
function asAsked(error: unknown, { options }: Given): unknown {
  if (!(error instanceof InvalidCharge)) return error;
  const stay = options['duration'] ? '--duration' : '--energy-kwh at --power-kw';
  const names: Readonly<Record<string, string>> = { energy: '--energy-kwh', power: '--power-kw', stay };
  const option = Object.hasOwn(names, error.path) ? names[error.path]! : undefined;
  return option === undefined ? error : new WrongUsage(error.message.replace(error.path, option));
}

const STARTS_MAX = 10_000;

interface Asked {
  readonly quote: QuoteRequest;
  readonly zone: ChosenZone | undefined;
  readonly withinMs: number;
  readonly everyMs: number;
  readonly language: ExplainLanguage;
}

async function requestOf(given: Given, terminal: Terminal): Promise<Asked> {
  const place = givenZone(given) ?? (await zoneOfLocations(given, terminal));
  const energyKwh = optionOf(given, 'energy-kwh');
  const powerKw = optionOf(given, 'power-kw');
  const stay = optionOf(given, 'duration');
  if ([energyKwh, powerKw, stay].filter((one) => one !== undefined).length < 2) {
    throw new WrongUsage('two of --energy-kwh, --duration and --power-kw are needed');
  }
  const language = givenLanguage(given);
  const withinMs = readDuration(optionOf(given, 'within') ?? DEFAULT_WITHIN, '--within');
  const everyMs = readDuration(optionOf(given, 'every') ?? DEFAULT_EVERY, '--every');
  if (withinMs / everyMs > STARTS_MAX)
    throw new WrongUsage(`--every: at most ${STARTS_MAX} other starts are tried; a longer step or a shorter --within expected`);
  return {
    zone: place,
    quote: {
      start: startOf(given, terminal),
      ...(energyKwh !== undefined && { energyKwh: amountOf(energyKwh, '--energy-kwh') }),
      ...(powerKw !== undefined && { powerKw: amountOf(powerKw, '--power-kw') }),
      ...(stay !== undefined && { stayMs: readDuration(stay, '--duration') }),
      ...(place && { timeZone: place.name }),
    },
    withinMs,
    everyMs,
    language,
  };
}

function amountOf(text: string, option: string): string {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text))
    throw new WrongUsage(`${option}: "${text}" is no amount; a number from 0 on expected, such as 20 or 7.4`);
  return text;
}

function startOf(given: Given, { now }: Terminal): string {
  const text = optionOf(given, 'start');
  // A quote to the second is no use to a driver: it begins with the next minute.
  if (text === undefined) return rfc3339(Math.ceil(now() / 60_000) * 60_000);
  try {
    return rfc3339(instantWithOffset(text.replace(/^\S+T\d\d:\d\d(?=$|Z|[+-])/i, '$&:00')));
  } catch {
    throw new WrongUsage(
      `--start: "${text}" is no date-time; one as 2026-12-01T17:00:00Z expected`,
    );
  }
}

interface Answer {
  readonly at: string;
  readonly tariff: Tariff;
  readonly asked: Asked;
  readonly quote: Quote;
  readonly others: readonly Alternative[];
  readonly best: Alternative | undefined;
}

function answerOf({ at, value }: Document, asked: Asked): Answer {
  const kind = otherKind(value)?.replace(' without tariffs', '');
  if (kind) throw new RefusedInput(`this is ${kind}, and quote reads Tariffs. Give the Tariffs themselves.`);
  const tariff = new LiberalReader().tariff(value as Record<string, unknown>, '');
  const { withinMs, everyMs } = asked;
  const others = alternatives(tariff, asked.quote, { withinMs, everyMs });
  return {
    at,
    tariff,
    asked,
    quote: quoted(tariff, asked.quote),
    others,
    best: cheapest(others),
  };
}

function jsonLine({ at, tariff, asked, quote: of, others, best }: Answer): string {
  const { currency, ...report } = priceReport(of.priced);
  const alternative = ({ start, total, unrounded, inForce }: Alternative) => ({
    start,
    total_cost: { excl_vat: total.excl, ...(total.incl && { incl_vat: total.incl }) },
    unrounded: { excl_vat: unrounded.excl, ...(unrounded.incl && { incl_vat: unrounded.incl }) },
    in_force: inForce,
  });
  return JSON.stringify({
    ...(tariff.id === '' ? {} : { tariff_id: tariff.id }),
    source: at,
    language: asked.language,
    sentence: sentence(tariff, COST_WORDS[asked.language].tariff),
    start: of.start,
    end: of.end,
    energy_kwh: of.energyKwh,
    charging_seconds: String(of.chargingMs / 1000),
    parking_seconds: String(of.parkingMs / 1000),
    in_force: of.inForce,
    ...(currency === '' ? {} : { currency }),
    ...report,
    ...(asked.zone ? { time_zone: asked.zone.name, ...zoneJson(asked.zone, asked.language) } : {}),
    notes: codes(of.priced).map((code) => ({ code })),
    alternatives: others.map(alternative),
    ...(best ? { cheapest: alternative(best) } : {}),
  });
}

function asText({ at, tariff, asked, quote: of, others, best }: Answer): string {
  const words = COST_WORDS[asked.language];
  const { colon, number } = words;
  const clock = new LocalClock(asked.zone?.name);
  const cost = ({ total: { excl, incl } }: Alternative) =>
    moneyText((incl ?? excl).toString(), of.priced.currency, number);
  const told = (one: Alternative) => `${cost(one)}${one.inForce ? '' : ` (${words.notInForce})`}`;
  const span = `${clock.of(of.start)} ${words.to} ${clock.of(of.end)} (${clock.name})`;
  const lines = [
    `${sentence(tariff, words.tariff)}.`,
    '',
    `${number(of.energyKwh)} kWh, ${span}${of.inForce ? '' : `; ${words.notInForceThen}`}${colon}`,
    ...costTable(of.priced, false, words),
    ...codes(of.priced).map((code) => `${words.note}${colon} ${words.notes[code]}.`),
    '',
    `${words.anotherTime}${colon}`,
    ...ranges(others, told).map(
      ([from, to, text]) =>
        `  ${clock.of(from)}${to === from ? '' : ` … ${clock.of(to)}`}  ${text}`,
    ),
    ...(best ? [`${words.cheapest}${colon} ${clock.of(best.start)}, ${cost(best)}.`] : []),
  ];
  const heading = `${at}${tariff.id === '' ? '' : `  ${tariff.id}`}`;
  return [heading, ...lines.map((line) => (line === '' ? '' : `  ${line}`)), ''].join('\n');
}

/** What the reader should know of the price; its periods are ours, so that a place says nothing. */
function codes({ notes }: Priced): NoteCode[] {
  return [...new Set(notes.map(({ code }) => code))];
}

/** Starts that follow one another and cost the same, as one. */
function ranges(
  others: readonly Alternative[],
  told: (of: Alternative) => string,
): [from: string, to: string, text: string][] {
  const found: [string, string, string][] = [];
  for (const one of others) {
    const text = told(one);
    const last = found.at(-1);
    if (last?.[2] === text) last[1] = one.start;
    else found.push([one.start, one.start, text]);
  }
  return found;
}

/** "2026-12-01 17:00" on the Location's clock, or in UTC where its zone is not known. */
class LocalClock {
  readonly name: string;
  readonly #zone: ReturnType<typeof zone> | undefined;

  constructor(timeZone: string | undefined) {
    this.name = timeZone ?? 'UTC';
    this.#zone = timeZone === undefined ? undefined : zone(timeZone);
  }

  of(at: string): string {
    const ms = instantWithOffset(at);
    const wall = rfc3339(this.#zone ? this.#zone.wallMs(ms) : ms);
    return `${wall.slice(0, 10)} ${wall.slice(11, wall.slice(17, 19) === '00' ? 16 : 19)}`;
  }
}
