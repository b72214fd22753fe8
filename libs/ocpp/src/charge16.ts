import type { Deviation } from './lenient16.ts';

/**
 * S16-48: neither a stop nor a start is refused for what is missing in it: nobody pays for a charge that is not in
 * the books, and one without its end goes on for ever. What stands in its place: nothing for a register (that of a stop is
 * then the newest reading, that of a start 0), no time for a time (that of its arrival counts), and for the
 * transaction of a stop what stations say that never heard its number (S16-43).
 */
const instead: Readonly<Record<string, Readonly<Record<string, string | number | undefined>>>> = {
  StartTransaction: { meterStart: undefined, timestamp: '', reservationId: undefined },
  StopTransaction: { meterStop: undefined, transactionId: -1, timestamp: '', idTag: undefined },
};

export const decimalText = /^[+-]?\d{1,15}(\.\d{1,9})?$/;

export function charge16({ action, kind, error, payload }: Deviation): 'kept' | string | undefined {
  const { instancePath: path, keyword, params } = error;
  const isMissing = keyword === 'required' && path === '';
  const field = isMissing ? (params['missingProperty'] as string) : path.slice(1);
  const fields = kind === 'request' ? instead[action] : undefined;
  if (!fields || !Object.hasOwn(fields, field)) return undefined;
  if (!isMissing && (keyword !== 'type' || isRead(payload[field]))) return undefined;
  const value = fields[field];
  if (value === undefined && isMissing) return 'kept';
  if (value === undefined) delete payload[field];
  else payload[field] = value;
  return value === undefined ? 'left out' : `taken for ${JSON.stringify(value)}`;
}

/** What is made of it where it has another type. */
function isRead(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && decimalText.test(value));
}
