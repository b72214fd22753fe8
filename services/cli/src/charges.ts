import {
  type Charge,
  defaultPolicy,
  FLAGS,
  InvalidTariff,
  type Outcome,
  type Policy,
  policyWith,
  price,
  type Priced,
  type PriceOptions,
  splitPeriods,
  type Tariff,
} from '#pricing';
import { type Document, documentsOf } from './documents.ts';
import { eachDocument } from './each-document.ts';
import { otherThanCharge } from './kind.ts';
import { LANGUAGE_OPTION } from './language.ts';
import { type Remark, LiberalReader } from './liberal.ts';
import type { Terminal } from './terminal.ts';
import { type ExitStatus, type Given, type Option, optionOf, RefusedInput, WrongUsage } from './verb.ts';
import { type ChosenZone, ZoneChoice } from './zone-choice.ts';

/** A charge that was priced, and what has to be said about how it was read. */
export interface PricedCharge {
  /** "cdrs.jsonl:17" */
  readonly at: string;
  readonly id: string | undefined;
  readonly source: Readonly<Record<string, unknown>>;
  readonly priced: Priced;
  /** Undefined where no local time matters and none was given. */
  readonly zone: ChosenZone | undefined;
  readonly remarks: readonly Remark[];
}

export const isCredit = ({ source }: PricedCharge): boolean => source['credit'] === true;

export const CHARGE_OPTIONS = {
  tariff: {
    type: 'string',
    multiple: true,
    value: 'TARIFF.json',
    help: 'price by these tariffs, and not by the CDR’s own',
  },
  'time-zone': {
    type: 'string',
    value: 'IANA',
    help: 'zone of the Location, such as America/Vancouver; local times need one',
  },
  location: {
    type: 'string',
    multiple: true,
    value: 'LOCATION.json',
    help: 'Locations whose time_zone is taken where the CDR names them',
  },
  reservation: {
    type: 'string',
    value: 'used|expired',
    help: 'what became of the reservation; else inferred from whether a charge followed',
  },
  policy: {
    type: 'string',
    multiple: true,
    value: 'FLAG=ANSWER',
    help: 'answer a question that OCPI leaves open otherwise than we do (see above)',
  },
  language: LANGUAGE_OPTION,
  json: { type: 'boolean', help: 'one line of JSON for each charge; decimals are exact, as text' },
} as const satisfies Record<string, Option>;

/** The flags of --policy with their answers, ours first. */
export const POLICY_HELP = `Questions that OCPI leaves open (--policy), our answer first:
${Object.entries(FLAGS)
  .filter(([, { others }]) => others.length > 0)
  .map(([flag, { ours, others }]) => `  ${flag}=${[ours, ...others].join('|')}`)
  .join('\n')}`;

/** Prices every charge of the files; `take` answers what is printed. */
export async function eachCharge(
  given: Given,
  terminal: Terminal,
  take: (priced: PricedCharge) => string,
): Promise<ExitStatus> {
  if (given.files.length === 0) {
    throw new WrongUsage('name the files to read; "-" is the standard input');
  }
  const reading = await Reading.of(given, terminal);
  return eachDocument(given, terminal, (one) => [take(reading.priced(one))]);
}

class Reading {
  readonly #found: readonly FoundTariff[] | undefined;
  readonly #zones: ZoneChoice;
  readonly #policy: Policy | undefined;
  readonly #reservation: Outcome | undefined;
  readonly #warn: (line: string) => void;
  readonly #warned = new Set<string>();

  private constructor(
    found: readonly FoundTariff[] | undefined,
    zones: ZoneChoice,
    { policy, reservation }: { policy: Policy | undefined; reservation: Outcome | undefined },
    warn: (line: string) => void,
  ) {
    this.#found = found;
    this.#zones = zones;
    this.#policy = policy;
    this.#reservation = reservation;
    this.#warn = warn;
  }

  static async of(given: Given, terminal: Terminal): Promise<Reading> {
    const files = given.options.tariff;
    const tariffs = files && (await tariffsOf(files, terminal));
    const zones = await ZoneChoice.of(given, terminal);
    const answers = { policy: policyOf(given), reservation: reservationOf(given) };
    return new Reading(tariffs, zones, answers, (line) => terminal.err(line));
  }

  priced({ at, value }: Document): PricedCharge {
    const source = unnested(value);
    const other = otherThanCharge(source);
    if (other) throw new RefusedInput(other);
    const reader = new LiberalReader();
    const own = source.tariffs ?? source.tariff;
    const read = reader.charge(source, this.#found?.map(({ tariff }) => tariff));
    const zone = this.#zones.of(source, read);
    if (zone?.assumed) this.#assumed(at, zone);
    const { found, policy } = this.#choice(read, ownOf(own), reader.remarks);
    const charge = found ? { ...read, tariffs: found.map(({ tariff }) => tariff) } : read;
    const isOther = isOfOther(ownOf(own), found, policy !== this.#policy);
    const options = {
      ...(zone && { timeZone: zone.name }),
      ...(policy && { policy }),
      ...(this.#reservation && { reservation: this.#reservation }),
    };
    const priced = byPlaces(found, () => price(isOther ? cutAnew(charge, options, reader.remarks) : charge, options));
    if (found) sayFirst(priced, found, reader.remarks);
    const id = typeof source.id === 'string' || typeof source.id === 'number' ? String(source.id) : undefined;
    return { at, id, source, priced, zone, remarks: reader.remarks };
  }

  /** Of --tariff, what the periods name; where they name none of it, it is meant for all of them, that of the charge's own ids first. */
  #choice({ charging_periods: periods }: Charge, own: readonly Own[], remarks: Remark[]): Choice {
    const [found, policy] = [this.#found, this.#policy];
    if (!found || !periods) return { found, policy };
    const ids = new Set(found.map(({ tariff }) => tariff.id.toLowerCase()));
    const named = periods.flatMap(({ tariff_id: id }) => (id == null ? [] : [id.toLowerCase()]));
    if (named.some((id) => ids.has(id))) return { found, policy };
    const its = new Set(own.map((one) => String(one?.id).toLowerCase()));
    const ofIts = found.filter(({ tariff }) => its.has(tariff.id.toLowerCase()));
    const chosen = ofIts.length > 0 ? ofIts : found;
    if (named.length === 0) return { found: chosen, policy };
    const why = {
      en: 'the periods name other tariffs, and all are priced by --tariff',
      fr: 'les périodes nomment d’autres tarifs; le prix de toutes est celui de --tariff',
    };
    remarks.push({ code: 'tariff-for-all-periods', path: 'charging_periods', why });
    return { found: chosen, policy: { ...(policy ?? defaultPolicy), periodTariff: 'first-valid' } };
  }

  /** Said once for each zone and reason, not for each of a million CDRs. */
  #assumed(at: string, { name, source }: ChosenZone): void {
    const text = `${name} is assumed (${source.en})`;
    if (this.#warned.has(text) || this.#warned.size >= 20) return;
    this.#warned.add(text);
    this.#warn(`${at}: the time zone is not given; ${text}. --time-zone says it for sure.`);
  }
}

interface Choice {
  readonly found: readonly FoundTariff[] | undefined;
  readonly policy: Policy | undefined;
}

/** A tariff of the charge itself, as it is written. */
type Own = Partial<Tariff> | null;

function ownOf(own: unknown): Own[] {
  return [own ?? []].flat() as Own[];
}

/** What is wrong in a file of --tariff is named by that file. */
function byPlaces(found: Choice['found'], priced: () => Priced): Priced {
  try {
    return priced();
  } catch (error) {
    const [, index, path] = error instanceof InvalidTariff ? /^tariffs\[(\d+)\]\.(.+)$/.exec(error.path) ?? [] : [];
    const at = found?.[Number(index)]?.at;
    throw at === undefined ? error : new InvalidTariff(`${at}: ${path}`, (error as InvalidTariff).rule);
  }
}

/** Whether the charge was metered by other tariffs than those of --tariff, be they of the same id. */
function isOfOther(own: readonly Own[], found: Choice['found'], isForAll: boolean): boolean {
  if (!found) return false;
  const elements = new Set(found.map((one) => one.elements));
  return own.length === 0 ? isForAll : !own.some((one) => elements.has(JSON.stringify(one?.elements)));
}

/** Which of several tariffs prices a charge that names none of them. */
function sayFirst({ course: { stretches }, policy }: Priced, found: readonly FoundTariff[], remarks: Remark[]): void {
  const ids = new Set(found.map(({ tariff }) => tariff.id.toLowerCase()));
  const isNamed = policy.periodTariff === 'named' && stretches.some(({ source }) => source.tariff_id != null);
  const taken = found.find(({ tariff }) => tariff === stretches[0]?.tariff?.source);
  const areVersions = ids.size === 1 && !ids.has('');
  if (found.length === 1 || areVersions || isNamed || !taken) return;
  const first = `${taken.tariff.id} (${taken.at})`.trimStart();
  const why = {
    en: `none of the ${found.length} tariffs of --tariff is named; all is priced by the first that holds at its start, ${first}`,
    fr: `aucun des ${found.length} tarifs de --tariff n’est nommé; le prix de tout est celui du premier en vigueur au début, ${first}`,
  };
  remarks.push({ code: 'first-of-tariffs', path: 'tariffs', why });
}

/** Its periods are those of the prices that it was metered by: as a correction cuts them. */
function cutAnew(charge: Charge, options: PriceOptions, remarks: Remark[]): Charge {
  const periods = splitPeriods(charge, options);
  if (periods.length > charge.charging_periods!.length) {
    const why = {
      en: 'its periods are cut where the price of --tariff changes, as if all had run evenly through each',
      fr: 'ses périodes sont coupées où le prix de --tariff change, comme si tout avait été régulier en chacune',
    };
    remarks.push({ code: 'periods-cut', path: 'charging_periods', why });
  }
  return { ...charge, charging_periods: periods };
}

interface FoundTariff {
  readonly at: string;
  /** As they are written, as those in a CDR are. */
  readonly elements: string;
  readonly tariff: Tariff;
}

/** Tariffs of files, read as liberally as those in CDRs. Throws RefusedInput. */
async function tariffsOf(files: readonly string[], terminal: Terminal): Promise<FoundTariff[]> {
  const found = await documentsOf(files, terminal.stdin);
  return found.map(({ at, value }) => {
    const elements = JSON.stringify(value.elements);
    return { at, elements, tariff: new LiberalReader().tariff(value, `${at}: `) };
  });
}

/** `{"cdr": {…}, "tariff": {…}}` holds a CDR as well. */
function unnested(value: Document['value']): Record<string, unknown> {
  const { cdr, session, ...rest } = value as Record<string, unknown>;
  const inner = cdr ?? session;
  if (typeof inner !== 'object' || inner === null) return value as Record<string, unknown>;
  return { ...rest, ...inner };
}

function policyOf(given: Given): Policy | undefined {
  const changes = (given.options.policy ?? []).map((text) => {
    const [flag = '', answer = ''] = text.split('=');
    const known = Object.hasOwn(FLAGS, flag) ? FLAGS[flag as keyof typeof FLAGS] : undefined;
    const answers: readonly string[] = known ? [known.ours, ...known.others] : [];
    if (!known) throw new WrongUsage(`--policy: there is no flag "${flag}"`);
    if (!answers.includes(answer)) {
      throw new WrongUsage(`--policy ${flag}: one of ${answers.join(', ')} expected`);
    }
    return [flag, answer];
  });
  return changes.length > 0 ? policyWith(Object.fromEntries(changes)) : undefined;
}

function reservationOf(given: Given): Outcome | undefined {
  const outcome = optionOf(given, 'reservation');
  if (outcome === undefined || outcome === 'used' || outcome === 'expired') return outcome;
  throw new WrongUsage('--reservation: used or expired expected');
}
