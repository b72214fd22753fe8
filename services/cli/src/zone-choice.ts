import type { Charge, Tariff } from '#pricing';
import { instant, isTimeZone, type PlaceFacts, zoneOfPlace } from '#time';
import type { InWords } from './language.ts';
import { locationsOf } from './locations.ts';
import type { Terminal } from './terminal.ts';
import { type Given, optionOf, RefusedInput, WrongUsage } from './verb.ts';
import { placeWords, TOLD } from './zone-words.ts';

type Loose = Readonly<Record<string, unknown>>;

export interface ChosenZone {
  readonly name: string;
  /** Why it is this one. */
  readonly source: InWords;
  /** It may be another one: to be said aloud. */
  readonly assumed: boolean;
}

/**
 * The zone of a charge: as given, else as the object or its Location says, else by where it was. A
 * CDR has no field for it (PRC-16), and no zone is ever taken without being told.
 */
export class ZoneChoice {
  readonly #given: ChosenZone | undefined;
  readonly #locations: readonly Loose[];

  private constructor(given: ChosenZone | undefined, locations: readonly Loose[]) {
    this.#given = given;
    this.#locations = locations;
  }

  static async of(given: Given, terminal: Terminal): Promise<ZoneChoice> {
    return new ZoneChoice(givenZone(given), await locationsOf(given, terminal));
  }

  of(source: Loose, charge: Charge): ChosenZone | undefined {
    if (this.#given) return this.#given;
    const place = objectOf(source.cdr_location) ?? objectOf(source.location);
    const isNeeded = (charge.tariffs ?? []).some(hasLocalTimes);
    const id = place?.id ?? source.location_id;
    const said =
      stated(source.time_zone, TOLD.object, isNeeded) ??
      stated(place?.time_zone, TOLD.place, isNeeded) ??
      stated(this.#locationOf(id)?.time_zone, TOLD.location, isNeeded);
    if (said || !isNeeded) return said;
    const facts = factsOf(place ?? {});
    const there = zoneOfPlace(facts, spanOf(charge));
    if (!there && this.#locations.length > 0) throw this.#untold(id);
    return there && { name: there.name, source: placeWords(there.by, facts), assumed: there.assumed };
  }

  #locationOf(id: unknown): Loose | undefined {
    const named = this.#locations.find((one) => sameId(one.id, id));
    const only = id == null && this.#locations.length === 1 ? this.#locations[0] : undefined;
    return named ?? only;
  }

  #untold(id: unknown): RefusedInput {
    const found = this.#locationOf(id);
    const ids = this.#locations.map((one) => String(one.id)).slice(0, 3).join(', ');
    const why = found
      ? `the Location ${String(found.id)} of --location has no time_zone`
      : `no Location of --location is ${id == null ? 'named by it' : String(id)}: there is ${ids}${this.#locations.length > 3 ? ' …' : ''}`;
    return new RefusedInput(`time_zone: the tariff has local times, and ${why}. Give its zone by --time-zone, or its own Location`);
  }
}

/** The zone of --time-zone. Throws WrongUsage. */
export function givenZone(given: Given): ChosenZone | undefined {
  const name = optionOf(given, 'time-zone');
  if (name === undefined) return undefined;
  if (isTimeZone(name)) return { name, source: TOLD.option, assumed: false };
  const like = spelt(name).find(isTimeZone);
  const wanted = like ? `did you mean ${like}?` : 'one like America/Vancouver expected';
  throw new WrongUsage(`--time-zone: "${name}" is no IANA time zone; ${wanted}`);
}

/** As IANA may spell it. */
function spelt(name: string): string[] {
  const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1).toLowerCase();
  const trimmed = name.trim().replaceAll(' ', '_');
  return [trimmed, trimmed.replaceAll(/[a-z]+/gi, capital), trimmed.toUpperCase()];
}

/** The zone that all Locations of --location are in. Throws RefusedInput. */
export async function zoneOfLocations(
  given: Given,
  terminal: Terminal,
): Promise<ChosenZone | undefined> {
  const locations = await locationsOf(given, terminal);
  const zones = locations.map((one) => stated(one.time_zone, TOLD.location));
  const different = new Set(zones.map((one) => one?.name));
  if (different.size > 1) {
    throw new RefusedInput(
      `--location: its Locations are in different zones (${[...different].join(', ')}). ` +
        'Give one with --time-zone',
    );
  }
  return zones[0];
}

export function hasLocalTimes({ elements }: Tariff): boolean {
  return elements.some(
    ({ restrictions: r }) =>
      r != null &&
      (r.start_time ?? r.end_time ?? r.start_date ?? r.end_date ?? r.day_of_week) != null,
  );
}

/** One that there is not matters only where a zone is needed. */
function stated(name: unknown, source: InWords, isNeeded = true): ChosenZone | undefined {
  if (name == null || name === '') return undefined;
  if (typeof name === 'string' && isTimeZone(name)) return { name, source, assumed: false };
  if (!isNeeded) return undefined;
  throw new RefusedInput(
    `time_zone: "${String(name)}", ${source.en}, is no IANA time zone. ` +
      'Give the right one with --time-zone',
  );
}

function factsOf(place: Loose): PlaceFacts {
  const coordinates = objectOf(place.coordinates);
  return {
    country: textOf(place.country),
    state: textOf(place.state),
    latitude: numberOf(coordinates?.latitude),
    longitude: numberOf(coordinates?.longitude),
  };
}

function spanOf(charge: Charge): [number, number] {
  const times = [charge.start_date_time, charge.end_date_time]
    .concat((charge.charging_periods ?? []).map((period) => period.start_date_time))
    .flatMap((text) => {
      try {
        return [instant(text!)];
      } catch {
        return []; // Pricing refuses it with its place.
      }
    });
  return times.length === 0 ? [0, 0] : [Math.min(...times), Math.max(...times)];
}

function objectOf(value: unknown): Loose | undefined {
  return typeof value === 'object' && value !== null ? (value as Loose) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function sameId(one: unknown, other: unknown): boolean {
  return one != null && other != null && String(one).toLowerCase() === String(other).toLowerCase();
}
