import { compile, type CompiledTariff } from './compile.ts';
import { type EvseFacts, lintCanada, UNNAMED } from './lint-canada.ts';
import { lintFields } from './lint-fields.ts';
import { type Finding, finding, pointer } from './lint-finding.ts';
import { lintPrices } from './lint-prices.ts';
import { type Never, type Reach, reachOf } from './lint-reach.ts';
import { lintRestrictions } from './lint-restrictions.ts';
import { Effort, TooIntricate } from './lint-space.ts';
import { lintWindows } from './lint-windows.ts';
import { InvalidTariff, type Tariff } from './shapes.ts';

/** What is known beside the tariff. */
export interface LintFacts {
  /** RFC 3339: a tariff that ended before is said to have ended. */
  readonly now?: string;
  /** Of the Location: ISO 3166-1, CAN or CA. Canada has rules of its own. */
  readonly country?: string;
  readonly timeZone?: string;
  /** Its earlier version that prices charges once this one has ended, where no other tariff does. */
  readonly returns?: number;
  /** The EVSEs that have this tariff. */
  readonly evses?: readonly EvseFacts[];
}

/**
 * What is wrong with an OCPI 2.2.1 Tariff, or hardly meant so; most serious first, then by place.
 * Takes anything that JSON can hold and never throws. Which elements can be reached is decided
 * exactly, by the same restrictions that price.
 */
export function lint(tariff: unknown, facts: LintFacts = {}): Finding[] {
  const found = lintFields(tariff);
  const compiled = compiledOf(tariff, found);
  if (compiled) {
    found.push(
      ...lintPrices(compiled),
      ...lintRestrictions(compiled, facts.now),
      ...earlierReturns(compiled, facts.returns),
      ...decided(compiled, facts),
    );
  }
  return sorted(withoutEchoes(found));
}

function earlierReturns({ source }: CompiledTariff, version: number | undefined): Finding[] {
  if (version === undefined) return [];
  const over = `Once it has ended at ${source.end_date_time}, version ${version} prices charges`;
  const [message, advice] = source.start_date_time == null
    ? [
      `${over} at Connectors where no other tariff applies; partners hold this version alone, and no price of then`,
      'Publish what holds from then on when it ends; or say when a price for a time begins, and the earlier one is published anew behind it',
    ]
    : [
      `${over} again: it is published anew then. Until this one begins at ${source.start_date_time}, partners hold it alone, and no price of before`,
      'Give what partners\' drivers should see beside today\'s price an id of its own, which Connectors name beside this one',
    ];
  return [finding('earlier-version-returns', '/end_date_time', message, advice)];
}

/** What takes looking at all that the elements can tell apart. */
function decided(compiled: CompiledTariff, facts: LintFacts): Finding[] {
  try {
    const effort = new Effort();
    const reaches = reachOf(compiled, effort);
    const evses = facts.evses ?? [UNNAMED];
    return [
      ...unreachable(reaches),
      ...lintWindows(compiled, reaches, effort),
      ...(isCanada(facts.country) ? lintCanada(compiled, reaches, { ...facts, evses }, effort) : []),
    ];
  } catch (error) {
    if (!(error instanceof TooIntricate)) throw error;
    const message =
      'Its elements have more bounds than can be looked at: whether some never apply, ' +
      'and when none does, is left open';
    return [finding('too-intricate', '/elements', message, 'Make fewer elements of it')];
  }
}

function isCanada(country: string | undefined): boolean {
  return ['CA', 'CAN'].includes(country?.toUpperCase() ?? '');
}

/** The tariff as pricing reads it; undefined where pricing refuses it, which is then a finding. */
function compiledOf(tariff: unknown, found: Finding[]): CompiledTariff | undefined {
  try {
    // Dates are read when they are needed, not when a tariff is compiled.
    if (found.some(({ code, path }) => code === 'bad-format' && /_date_time$/.test(path))) {
      return undefined;
    }
    if (found.some(({ code }) => code === 'wrong-type')) return undefined;
    return compile(tariff as Tariff);
  } catch (error) {
    if (!(error instanceof InvalidTariff) && !(error instanceof TypeError)) throw error;
    if (found.some(({ severity }) => severity === 'error')) return undefined;
    const path = error instanceof InvalidTariff ? asPointer(error.path) : '';
    const message = `It cannot be priced by: ${error.message}`;
    found.push(finding('invalid-tariff', path, message, 'Correct this first'));
    return undefined;
  }
}

/** "elements[0].restrictions.start_time" as a JSON pointer. */
function asPointer(path: string): string {
  return `/${path.replaceAll(/\[(\d+)\]/g, '/$1').replaceAll('.', '/')}`;
}

function unreachable(reaches: readonly Reach[]): Finding[] {
  const found: Finding[] = [];
  const elements = new Map<number, Reach[]>();
  for (const reach of reaches) {
    const { element } = reach.component;
    elements.set(element, [...(elements.get(element) ?? []), reach]);
  }
  for (const [element, own] of elements) {
    const dead = own.filter(({ never }) => never && never.why !== 'no-part-of-reservations');
    const whole = dead.length === own.length && isOneReason(dead);
    if (whole) {
      found.push(unused('unreachable-element', pointer(element), 'This element', dead[0]!));
    }
    for (const reach of own) {
      const { component, never, onlyWithoutCurrent } = reach;
      const path = pointer(element, component.index);
      if (never?.why === 'no-part-of-reservations') {
        const { dimension } = component;
        const message = `A reservation has only FLAT and TIME, no ${dimension} (OCPI 2.2.1)`;
        found.push(finding('reservation-dimension', path, message, 'Take it away'));
      } else if (never && !whole) {
        found.push(unused('unreachable-component', path, `This ${component.dimension}`, reach));
      } else if (onlyWithoutCurrent) {
        const message = 'It only applies where a CDR does not say the current: else it never does';
        const advice = 'Correct min_current and max_current, or the elements before it';
        found.push(finding('only-without-current', path, message, advice));
      }
    }
  }
  return found;
}

function isOneReason(dead: readonly Reach[]): boolean {
  return dead.every(({ never }) => JSON.stringify(never) === JSON.stringify(dead[0]!.never));
}

function unused(
  code: 'unreachable-element' | 'unreachable-component',
  path: string,
  what: string,
  { never }: Reach,
): Finding {
  const [why, advice] = reasonOf(never!);
  return finding(code, path, `${what} never applies: ${why}`, advice);
}

const AXES = {
  clock: 'times, days and dates',
  energy: 'min_kwh and max_kwh',
  elapsed: 'min_duration and max_duration',
  current: 'min_current and max_current',
  power: 'min_power and max_power',
} as const;

function reasonOf(never: Never): [why: string, advice: string] {
  switch (never.why) {
    case 'contradiction':
      return [`its ${AXES[never.axis]} contradict each other`, 'Correct them, or take it away'];
    case 'no-part-of-reservations':
      return ['a reservation has only FLAT and TIME', 'Take it away'];
    case 'nothing-flows':
      return ['no energy, power or current flows in a reservation', 'Restrict it otherwise, or take it away'];
    case 'shadowed':
      return [
        `${elementsText(never.by)} always applies before it`,
        'Put it before them, restrict them, or take it away',
      ];
    case 'fee-taken':
      return [
        `a fee is taken once a session, and ${elementsText(never.by)} has taken it by then`,
        'Price TIME or PARKING_TIME under this restriction instead',
      ];
  }
}

function elementsText(elements: readonly number[]): string {
  const [first, ...others] = elements;
  return others.length === 0 ? `element ${first}` : `one of elements ${elements.join(', ')}`;
}

/** A second component of a dimension is said once, and by its own name. */
function withoutEchoes(found: readonly Finding[]): Finding[] {
  const doubled = new Set(
    found.filter(({ code }) => code === 'duplicate-dimension').map(({ path }) => path),
  );
  return found.filter(({ code, path }) => code !== 'unreachable-component' || !doubled.has(path));
}

const RANK = { error: 0, warning: 1, info: 2 } as const;

function sorted(found: Finding[]): Finding[] {
  const byPath = (a: Finding, b: Finding) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
  return found.sort((a, b) => RANK[a.severity] - RANK[b.severity] || byPath(a, b));
}
