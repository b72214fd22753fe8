import { daysFromCivil, rfc3339, type Zone } from '#time';

/** A calendar month of a time zone as the instants [from, to) in UTC, RFC 3339. */
export interface MonthWindow {
  readonly from: string;
  readonly to: string;
}

const DAY_MS = 86_400_000;

/** `month` is "2022-02". Undefined when it is no month. */
export function monthWindow(month: string, zone: Zone): MonthWindow | undefined {
  // No charge is older than this century, and instants have years of four digits.
  const match = /^([2-8]\d{3})-(0[1-9]|1[0-2])$/.exec(month);
  if (!match) return undefined;
  const year = Number(match[1]);
  const number = Number(match[2]);
  return {
    from: rfc3339(firstInstant(year, number, zone)),
    to: rfc3339(firstInstant(year, number + 1, zone)),
  };
}

/**
 * The first instant at which the zone's wall clock shows the first day of the month; where a clock
 * change skips midnight itself, the first instant after the gap.
 */
function firstInstant(year: number, month: number, zone: Zone): number {
  const wallMs =
    (month === 13 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month, 1)) * DAY_MS;
  // No zone is further than 15 hours from UTC: from there on each offset is tried in its turn.
  let from = wallMs - 15 * 3_600_000;
  for (;;) {
    const until = zone.nextTransitionMs(from);
    const at = Math.max(wallMs - zone.offsetMsAt(from), from);
    if (at < until) return at;
    from = until;
  }
}

/** The local day of an instant, "2022-02-01". */
export function localDay(utcMs: number, zone: Zone): string {
  const { year, month, day } = zone.local(utcMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}
