import { instant } from '#time';
import type { CompiledTariff } from './compile.ts';
import { type Finding, finding, pointer } from './lint-finding.ts';
import type { PriceComponent, Tariff, TariffRestrictions } from './shapes.ts';

/** Restrictions that many readers take otherwise than OCPI means them, and validities. */
export function lintRestrictions({ source }: CompiledTariff, now?: string): Finding[] {
  return [
    ...lintValidity(source, now),
    ...lintTexts(source),
    ...source.elements.flatMap(({ restrictions, price_components }, element) => [
      ...duplicates(price_components, element),
      ...(restrictions == null
        ? []
        : [
            ...lintDays(restrictions, `${pointer(element)}/restrictions`),
            ...lintTimes(restrictions, `${pointer(element)}/restrictions`),
            ...lintDates(restrictions, `${pointer(element)}/restrictions`, source),
            ...lintDurations(restrictions, price_components, element),
          ]),
    ]),
  ];
}

function lintValidity({ start_date_time, end_date_time }: Tariff, now?: string): Finding[] {
  if (end_date_time == null) return [];
  const endMs = instant(end_date_time);
  if (start_date_time != null && instant(start_date_time) >= endMs) {
    const message = `The tariff ends (${end_date_time}) before it begins (${start_date_time})`;
    return [finding('validity-empty', '/end_date_time', message, 'Exchange or correct them')];
  }
  if (now === undefined || instant(now) < endMs) return [];
  const message = `The tariff has ended (${end_date_time})`;
  return [finding('tariff-ended', '/end_date_time', message, 'Publish one that is in force')];
}

const LOOKS_LIKE_A_PRICE = /\d[.,]\d\d\b|[$€£¥]\s?\d|\d\s?[$€£¥]/;

/** TAR-04: the texts beside the elements hold no prices. */
function lintTexts(tariff: Tariff): Finding[] {
  const texts = (tariff as { tariff_alt_text?: unknown }).tariff_alt_text;
  if (!Array.isArray(texts)) return [];
  return texts.flatMap((entry: { text?: unknown } | null, i) => {
    if (typeof entry?.text !== 'string' || !LOOKS_LIKE_A_PRICE.test(entry.text)) return [];
    const message = 'The text seems to name a price; the elements alone say what is paid';
    const path = `/tariff_alt_text/${i}/text`;
    return [finding('alt-text-price', path, message, 'Take it out: one day they differ')];
  });
}

function duplicates(components: readonly PriceComponent[], element: number): Finding[] {
  return components.flatMap(({ type }, i) => {
    if (components.findIndex((one) => one.type === type) === i) return [];
    const message = `The element has two components of ${type}: the second never applies`;
    const advice = 'Take one away, or give it an element of its own';
    return [finding('duplicate-dimension', pointer(element, i), message, advice)];
  });
}

/** A list without a day (cardinality *) is as good as none. */
function lintDays({ day_of_week }: TariffRestrictions, path: string): Finding[] {
  if (day_of_week?.length !== 0) return [];
  const message = 'The list names no day: that restricts nothing, and the element applies on all days';
  return [finding('empty-days', `${path}/day_of_week`, message, 'Name its days, or leave the list away')];
}

function lintTimes(restrictions: TariffRestrictions, path: string): Finding[] {
  const { start_time: from, end_time: to, day_of_week, start_date, end_date } = restrictions;
  if (to == null) return [];
  if (from === to) {
    const message = `${from} to ${to}: some read that as a whole day (so do we), some as never`;
    const advice = 'Leave both away for a whole day';
    return [finding('equal-times', `${path}/end_time`, message, advice)];
  }
  if (to === '23:59') {
    const message = 'The last minute of the day is outside: end_time is exclusive';
    return [finding('ends-a-minute-early', `${path}/end_time`, message, 'Write 00:00')];
  }
  const wraps = to !== '00:00' && (from ?? '00:00') > to;
  if (!wraps || (!day_of_week?.length && start_date == null && end_date == null)) return [];
  const message =
    'The window goes over midnight, and after midnight it is the next day: ' +
    'days and dates are those of the moment, not of the window’s start';
  const advice = 'Make two elements of it, one until 00:00 and one from 00:00 on';
  return [finding('wraps-with-days', path, message, advice)];
}

function lintDates(restrictions: TariffRestrictions, path: string, tariff: Tariff): Finding[] {
  const { start_date, end_date } = restrictions;
  const found: Finding[] = [];
  if (end_date != null && /-(12-31|(0[13578]|10)-31|(0[469]|11)-30|02-2[89])$/.test(end_date)) {
    const message = `${end_date} itself is outside: end_date is exclusive`;
    const advice = 'If that day is to count, write the day after it';
    found.push(finding('end-date-exclusive', `${path}/end_date`, message, advice));
  }
  // A day more on either side: the zone of the Location is not known here.
  const day = (text: string) => instant(`${text}T00:00:00Z`);
  const { start_date_time, end_date_time } = tariff;
  const tooLate =
    start_date != null &&
    end_date_time != null &&
    day(start_date) >= instant(end_date_time) + DAY_MS;
  const tooEarly =
    end_date != null &&
    start_date_time != null &&
    day(end_date) <= instant(start_date_time) - DAY_MS;
  if (tooLate || tooEarly) {
    const message = 'Its dates lie outside the validity of the tariff';
    found.push(finding('outside-validity', path, message, 'Correct the dates, or take it away'));
  }
  return found;
}

const DAY_MS = 86_400_000;

/** Durations count from the start of the session, not from that of parking. */
function lintDurations(
  { min_duration, max_duration, reservation }: TariffRestrictions,
  components: readonly PriceComponent[],
  element: number,
): Finding[] {
  if (min_duration == null && max_duration == null) return [];
  if (reservation != null || !components.some(({ type }) => type === 'PARKING_TIME')) return [];
  const field = min_duration == null ? 'max_duration' : 'min_duration';
  const message = `${field} counts from the start of the session, not from that of parking`;
  const path = `${pointer(element)}/restrictions/${field}`;
  const advice = 'Say it so to drivers; OCPI 2.2.1 cannot count from the start of parking';
  return [finding('duration-of-session', path, message, advice)];
}
