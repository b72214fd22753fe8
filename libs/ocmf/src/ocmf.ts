import { parseJson } from '#ocpi';

/**
 * The Open Charge Metering Format, `OCMF|payload|signature`: what a calibrated meter says of a
 * transaction, signed by the meter itself. Read from what anybody may have sent: bounded, and refused
 * by name. What is signed is the payload's text as it came, byte for byte.
 */
export interface Ocmf {
  readonly payload: string;
  /** PG: records of transactions (T) and others (F) are each counted by ones. */
  readonly page: { readonly context: 'T' | 'F'; readonly number: number } | undefined;
  /** MS, or GS where only the signing component is named. */
  readonly meter: string | undefined;
  readonly readings: readonly OcmfReading[];
  readonly signature: {
    /** SA, such as ECDSA-secp256r1-SHA256. */
    readonly algorithm: string;
    readonly encoding: 'hex' | 'base64';
    readonly data: string;
  };
}

export interface OcmfReading {
  readonly atMs: number;
  /** U unknown, I informative, S synchronised, R relative to when the meter was switched on. */
  readonly clock: 'U' | 'I' | 'S' | 'R';
  /** TX: B begin; E, L, R, A, P end; C, X, S, T in between; absent outside a transaction. */
  readonly reason: string | undefined;
  /** RV, every digit as it was signed. */
  readonly value: string | undefined;
  /** RI, an OBIS code. */
  readonly register: string | undefined;
  readonly unit: string | undefined;
  /** ST: G is good. */
  readonly status: string;
  /** EF: E where the energy, t where the time is not usable. */
  readonly errors: string;
}

export type OcmfRefusal = 'too-long' | 'not-ocmf' | 'bad-payload' | 'bad-signature-section';

export type ReadOcmf =
  | { readonly ok: true; readonly ocmf: Ocmf }
  | { readonly ok: false; readonly code: OcmfRefusal; readonly message: string };

/** Stations send more than the 5000 of an OCPI field, but no more than this (OCPP 2.1). */
const OCMF_CHARS_MAX = 32_768;
const READINGS_MAX = 500;
const TEXT_MAX = 100;

export function readOcmf(text: string): ReadOcmf {
  try {
    return { ok: true, ocmf: ocmfOf(text) };
  } catch (error) {
    if (!(error instanceof NotOcmf)) throw error;
    return { ok: false, code: error.code, message: error.message };
  }
}

class NotOcmf extends Error {
  constructor(
    readonly code: OcmfRefusal,
    message: string,
  ) {
    super(message);
  }
}

function ocmfOf(given: string): Ocmf {
  if (given.length > OCMF_CHARS_MAX) {
    throw new NotOcmf('too-long', `it has ${given.length} characters, ${OCMF_CHARS_MAX} are read`);
  }
  const text = given.trim();
  const [header, payload, signature, ...others] = text.split('|');
  if (header !== 'OCMF') throw new NotOcmf('not-ocmf', 'it does not begin with OCMF|');
  if (payload === undefined || signature === undefined || others.length > 0) {
    const sections = text.split('|').length - 1;
    throw new NotOcmf('not-ocmf', `it has ${sections} sections after OCMF, not payload and signature`);
  }
  const said = objectOf(payload, 'bad-payload', 'the payload');
  return {
    payload,
    page: pageOf(said['PG']),
    meter: optionalText(said, 'MS') ?? optionalText(said, 'GS'),
    readings: readingsOf(said['RD']),
    signature: signatureOf(objectOf(signature, 'bad-signature-section', 'the signature section')),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(text: string, code: OcmfRefusal, what: string): Fields {
  const bounded = parseJson(text, { maxBytes: 4 * OCMF_CHARS_MAX, maxDepth: 8, rounded: true, loose: true });
  if (!bounded.ok) throw new NotOcmf(code, `${what}: ${bounded.message}`);
  const value = withDigits(text);
  if (isFields(value)) return value;
  throw new NotOcmf(code, `${what} is no JSON object`);
}

/** Numbers become their own digits: 12.50 says how exact a meter is, which 12.5 no longer does. */
function withDigits(text: string): unknown {
  const digits = (_: string, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number' ? (source ?? String(value)) : value;
  return JSON.parse(text.replace(/^\ufeff/, ''), digits as (key: string, value: unknown) => unknown);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length <= TEXT_MAX) return value;
  throw new NotOcmf('bad-payload', `${name} is no text of up to ${TEXT_MAX} characters`);
}

function pageOf(value: unknown): Ocmf['page'] {
  if (value === undefined || value === null) return undefined;
  const match = typeof value === 'string' ? /^([TF])(\d{1,15})$/.exec(value) : null;
  if (!match) throw new NotOcmf('bad-payload', 'PG is no page such as T12');
  return { context: match[1] as 'T' | 'F', number: Number(match[2]) };
}

/** A field that is as in the reading before is left out: meters do so with the time of several registers, too. */
function readingsOf(value: unknown): OcmfReading[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > READINGS_MAX) {
    throw new NotOcmf('bad-payload', `RD is no list of 1 to ${READINGS_MAX} readings`);
  }
  let before: Fields = {};
  return value.map((given: unknown, n) => {
    if (!isFields(given)) throw new NotOcmf('bad-payload', `RD[${n}] is no JSON object`);
    before = { ...before, ...given };
    return readingOf(before, n);
  });
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[,.](\d{1,9}))?(Z|[+-]\d\d:?\d\d) ?([UISR])?$/;
const DECIMAL = /^[+-]?\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,2})?$/;

function readingOf(fields: Fields, n: number): OcmfReading {
  const time = typeof fields['TM'] === 'string' ? TIME.exec(fields['TM']) : null;
  const [, local, fraction = '', zone = 'Z', clock = 'U'] = time ?? [];
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const atMs = Date.parse(`${local}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`);
  if (!time || !Number.isFinite(atMs)) {
    throw new NotOcmf('bad-payload', `RD[${n}].TM is no time such as 2018-07-24T13:22:04,000+0200 S`);
  }
  const given = fields['RV'];
  // Meters also write it as text, in columns.
  const value = typeof given === 'string' ? given.trim() : undefined;
  if (given !== undefined && !(value !== undefined && DECIMAL.test(value))) {
    throw new NotOcmf('bad-payload', `RD[${n}].RV is no number`);
  }
  return {
    atMs,
    clock: clock as OcmfReading['clock'],
    reason: optionalText(fields, 'TX'),
    value,
    register: optionalText(fields, 'RI'),
    unit: optionalText(fields, 'RU'),
    status: optionalText(fields, 'ST') ?? '',
    errors: optionalText(fields, 'EF') ?? '',
  };
}

function signatureOf(fields: Fields): Ocmf['signature'] {
  const bad = (message: string) => new NotOcmf('bad-signature-section', message);
  const { SA = 'ECDSA-secp256r1-SHA256', SE = 'hex', SM = 'application/x-der', SD } = fields;
  if (typeof SA !== 'string' || SA.length > TEXT_MAX) throw bad('SA is no text');
  if (SE !== 'hex' && SE !== 'base64') throw bad('SE is neither hex nor base64');
  if (SM !== 'application/x-der') throw bad('SM is not application/x-der');
  if (typeof SD !== 'string' || SD === '') throw bad('SD, the signature, is missing');
  const shape = SE === 'hex' ? /^([0-9a-f]{2})+$/i : /^[A-Za-z0-9+/_-]+={0,2}$/;
  if (!shape.test(SD)) throw bad(`SD is not ${SE}`);
  return { algorithm: SA, encoding: SE, data: SD };
}
