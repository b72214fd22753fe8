/** The text is no date-time of the profile that was asked for. */
export class InvalidInstant extends Error {
  override readonly name = 'InvalidInstant';
  readonly text: string;
  constructor(text: unknown) {
    // An object from JSON can have a toString of its own that is no function.
    const shown = typeof text === 'object' && text !== null ? 'an object' : String(text);
    super(`not an RFC 3339 date-time in UTC: ${shown.slice(0, 40)}`);
    this.text = shown;
  }
}

const DAY_MS = 86_400_000;

/** Days from 1970-01-01 to a day of the Gregorian calendar; month 1–12, year within ±200,000. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Years begin in March here, so that the leap day is the last one; `| 0` keeps to 32 bits.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400) | 0;
  const yearOfEra = (y - era * 400) | 0;
  const dayOfYear = (((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) | 0) + day - 1;
  const dayOfEra = yearOfEra * 365 + (yearOfEra >> 2) - ((yearOfEra / 100) | 0) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export interface CivilDate {
  readonly year: number;
  /** 1–12 */
  readonly month: number;
  readonly day: number;
}

/** The day of the Gregorian calendar that is so many days after 1970-01-01. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

/** The two digits at a place as a number, or a negative one. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -10_000;
}

function monthLength(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/**
 * OCPI's DateTime to epoch ms: RFC 3339 in UTC, `Z` optional; `+00:00` and `-00:00` are tolerated,
 * any other offset is not. Digits beyond the millisecond are cut. Throws InvalidInstant.
 */
export function instant(text: string): number {
  const ms = wallMs(text);
  if (text.length === 20 && (text.charCodeAt(19) | 32) === LETTER_Z) return ms;
  const end = fractionEnd(text);
  if (offsetMinutes(text, end) !== 0) throw new InvalidInstant(text);
  return ms + milliseconds(text, end);
}

/** Whether `instant` reads it. */
export function isInstant(text: string): boolean {
  try {
    instant(text);
    return true;
  } catch {
    return false;
  }
}

/** Like `instant`, but any numeric offset is taken into account: chargers send local times too. */
export function instantWithOffset(text: string): number {
  const ms = wallMs(text);
  const end = fractionEnd(text);
  return ms + milliseconds(text, end) - offsetMinutes(text, end) * 60_000;
}

const DASH = 45;
const COLON = 58;
const LETTER_T = 116;
const LETTER_Z = 122;

/** The first 19 characters, to the second, as if they were UTC. */
function wallMs(text: string): number {
  if (typeof text !== 'string' || text.length < 19 || text.length > 40) {
    throw new InvalidInstant(text);
  }
  const year = pair(text, 0) * 100 + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  const second = pair(text, 17);
  const punctuated =
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    (text.charCodeAt(10) | 32) === LETTER_T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON;
  const timely =
    hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
  const dated = year >= 0 && month >= 1 && month <= 12 && day >= 1;
  if (!punctuated || !timely || !dated || (day > 28 && day > monthLength(year, month))) {
    throw new InvalidInstant(text);
  }
  return daysFromCivil(year, month, day) * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000;
}

function fractionEnd(text: string): number {
  if (text.charCodeAt(19) !== 46) return 19;
  let end = 20;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  if (end === 20) throw new InvalidInstant(text);
  return end;
}

function milliseconds(text: string, end: number): number {
  let value = 0;
  for (let i = 20; i < 23; i++) value = value * 10 + (i < end ? text.charCodeAt(i) - 48 : 0);
  return value;
}

function offsetMinutes(text: string, from: number): number {
  if (text.length === from) return 0;
  const sign = text.charCodeAt(from);
  if (text.length === from + 1 && (sign | 32) === LETTER_Z) return 0;
  const hours = pair(text, from + 1);
  const minutes = pair(text, from + 4);
  const signed = sign === 43 || sign === DASH;
  const shaped = text.length === from + 6 && text.charCodeAt(from + 3) === COLON;
  const timely = hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
  if (!signed || !shaped || !timely) throw new InvalidInstant(text);
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes);
}

/** Epoch ms as RFC 3339 in UTC, "2022-02-01T17:00:00Z"; milliseconds only where not zero. */
export function rfc3339(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const rest = ms - days * DAY_MS;
  const { year, month, day } = civilFromDays(days);
  if (!Number.isInteger(ms) || year < 0 || year > 9999) throw new RangeError(`no instant: ${ms}`);
  const seconds = Math.floor(rest / 1000);
  const fraction = rest - seconds * 1000;
  const minutes = Math.floor(seconds / 60);
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  const time = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return fraction === 0
    ? `${date}T${time}Z`
    : `${date}T${time}.${String(fraction).padStart(3, '0')}Z`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
