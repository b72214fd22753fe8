import { WrongUsage } from './verb.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  min: 60_000,
  s: 1_000,
};
const ISO = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i;
const PART = /(\d+(?:\.\d+)?)\s*(d|h|min|m|s)/giy;

/** "1h30m", "90m", "1.5h", "1:30" (hours and minutes) or "PT1H30M" in ms. Throws WrongUsage. */
export function readDuration(text: string, option: string): number {
  const ms = Math.round(clock(text) ?? iso(text) ?? parts(text) ?? Number.NaN);
  if (ms > 0) return ms;
  throw new WrongUsage(`${option}: "${text}" is no duration; one like 1h30m, 90m or 1:30 expected`);
}

function clock(text: string): number | undefined {
  const match = /^(\d+):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * 3_600_000 + Number(match[2]) * 60_000 + Number(match[3] ?? 0) * 1_000;
}

function iso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (!match || /[PT]$/i.test(text)) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return days! * 86_400_000 + hours! * 3_600_000 + minutes! * 60_000 + seconds! * 1_000;
}

function parts(text: string): number | undefined {
  let ms = 0;
  PART.lastIndex = 0;
  let at = 0;
  for (let match = PART.exec(text); match; match = PART.exec(text)) {
    ms += Number(match[1]) * UNITS_MS[match[2]!.toLowerCase()]!;
    at = PART.lastIndex;
    while (text[at] === ' ') at++;
    PART.lastIndex = at;
  }
  return at === text.length && at > 0 ? ms : undefined;
}
