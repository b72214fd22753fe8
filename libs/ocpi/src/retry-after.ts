import { headerText, type Headers } from './headers.ts';

/** Nobody is kept silent for longer by a header. */
const LONGEST_MS = 3_600_000;

const fixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const rfc850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * For how long a 429 or 503 asks to be left alone (RFC 9110, 10.2.3): seconds or an HTTP date, at most an hour.
 * A date is reckoned from the answer's own Date, where it has one: clocks differ. Undefined: it does not say.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const text = headerText(headers, 'retry-after')?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_MS);
  const until = httpDateMs(text);
  if (until === undefined) return undefined;
  const from = httpDateMs(headerText(headers, 'date')?.trim() ?? '') ?? nowMs;
  return Math.min(Math.max(until - from, 0), LONGEST_MS);
}

/** Of the three forms that a recipient has to know (RFC 9110, 5.6.7). */
function httpDateMs(text: string): number | undefined {
  const ms = fixdate.test(text) || rfc850.test(text) ? Date.parse(text) : asctime.test(text) ? Date.parse(`${text} GMT`) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
