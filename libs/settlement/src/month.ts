import { daysFromCivil, rfc3339, type Zone } from '#time';

/** A calendar month of a time zone as the instants [from, to) in UTC, RFC 3339. */
export interface MonthWindow {
  readonly from: string;
  readonly to: string;
}

const DAY_MS = 86_400_000;

/** Whether it is one such as "2022-02": no charge is older than this century. */
export function isMonth(month: string): boolean {
  return parts(month) !== undefined;
}

function parts(month: string): { year: number; number: number } | undefined {
  const match = /^([2-8]\d{3})-(0[1-9]|1[0-2])$/.exec(month);
  return match ? { year: Number(match[1]), number: Number(match[2]) } : undefined;
}

/** `month` is "2022-02". Undefined when it is no month. */
export function monthWindow(month: string, zone: Zone): MonthWindow | undefined {
  if (!isMonth(month)) return undefined;
  return {
    from: rfc3339(monthStart(month, zone)),
    to: rfc3339(monthStart(nextMonth(month), zone)),
  };
}

/** "2022-12" → "2023-01". */
export function nextMonth(month: string): string {
  const { year, number } = parts(month)!;
  return number === 12
    ? `${String(year + 1).padStart(4, '0')}-01`
    : `${month.slice(0, 4)}-${String(number + 1).padStart(2, '0')}`;
}

/**
 * The first instant (epoch ms) at which the zone's wall clock shows the month, or the day so many
 * days after its first; where a clock change skips midnight itself, the first instant after the gap.
 */
export function monthStart(month: string, zone: Zone, daysLater = 0): number {
  const year = Number(month.slice(0, 4));
  const number = Number(month.slice(5, 7));
  const wallMs = (daysFromCivil(year, number, 1) + daysLater) * DAY_MS;
  // No zone is further than 15 hours from UTC: from there on each offset is tried in its turn.
  let from = wallMs - 15 * 3_600_000;
  for (;;) {
    const until = zone.nextTransitionMs(from);
    const at = Math.max(wallMs - zone.offsetMsAt(from), from);
    if (at < until) return at;
    from = until;
  }
}

/** The local day of an instant, "2022-02-01", or the one so many days later. */
export function localDay(utcMs: number, zone: Zone, daysLater = 0): string {
  const { year, month, day } = zone.local(utcMs);
  const later = new Date(daysFromCivil(year, month, day) * DAY_MS + daysLater * DAY_MS);
  return later.toISOString().slice(0, 10);
}

/** The month of an instant in the zone, "2022-02". */
export function localMonth(utcMs: number, zone: Zone): string {
  return localDay(utcMs, zone).slice(0, 7);
}
