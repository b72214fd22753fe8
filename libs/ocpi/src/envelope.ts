import { isSuccess, statusMeaning } from './status.ts';

/** Around every response, also with an HTTP error. TRN-20, TRN-30. */
export interface Envelope {
  readonly data?: unknown;
  readonly status_code: number;
  readonly status_message?: string;
  /** DateTime. */
  readonly timestamp: string;
}

/** An envelope for `data` (undefined where OCPI defines none); `timestamp` is an OCPI DateTime. */
export function envelope(data: unknown, statusCode: number, message: string | undefined, timestamp: string): Envelope {
  return {
    ...(data === undefined ? {} : { data }),
    status_code: statusCode,
    status_message: message ?? statusMeaning(statusCode),
    timestamp,
  };
}

/** The same as text around `dataJson`: JSON that goes out as it was stored. */
export function envelopeText(
  dataJson: string, statusCode: number, message: string | undefined, timestamp: string,
): string {
  const rest = JSON.stringify(envelope(undefined, statusCode, message, timestamp));
  return `{"data":${dataJson},${rest.slice(1)}`;
}

const COMMA = Buffer.from(',');

/**
 * The same around a list of objects, each the UTF-8 of its JSON as it was stored: the bytes of the body, one after the
 * other, none copied.
 */
export function envelopeBytes(
  listJson: readonly Uint8Array[], statusCode: number, message: string | undefined, timestamp: string,
): Uint8Array[] {
  const rest = JSON.stringify(envelope(undefined, statusCode, message, timestamp));
  const objects = listJson.flatMap((object, index) => (index === 0 ? [object] : [COMMA, object]));
  return [Buffer.from('{"data":['), ...objects, Buffer.from(`],${rest.slice(1)}`)];
}

export type EnvelopeReading =
  | { readonly ok: true; readonly success: boolean; readonly envelope: Envelope }
  | { readonly ok: false; readonly message: string };

/** Reads a partner's envelope: only the status code has to be right; null data is no data. */
export function parseEnvelope(value: unknown): EnvelopeReading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, message: 'the response is no OCPI envelope' };
  }
  const { data, status_code, status_message, timestamp } = value as Record<string, unknown>;
  if (!Number.isInteger(status_code) || (status_code as number) < 1000 || (status_code as number) > 4999) {
    return { ok: false, message: 'the response has no status_code from 1000 to 4999' };
  }
  const code = status_code as number;
  return {
    ok: true,
    success: isSuccess(code),
    envelope: {
      ...(data === undefined || data === null ? {} : { data }),
      status_code: code,
      ...(typeof status_message === 'string' ? { status_message } : {}),
      timestamp: typeof timestamp === 'string' ? timestamp : '',
    },
  };
}

/**
 * The body of an asynchronous result. It is a request and so not wrapped (CMD-04, TRN-23), but some
 * partners wrap it: then what is inside.
 */
export function unwrapped(body: unknown): unknown {
  const { status_code, data } = (body ?? {}) as { status_code?: unknown; data?: unknown };
  return typeof status_code === 'number' && typeof data === 'object' && data !== null ? data : body;
}
