import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import type { Fault, OcppVersion } from './dialect.ts';
import type { Payload } from './frame.ts';
import { repair16 } from './lenient16.ts';
import { isAction16, messages16 } from './messages16.ts';
import type { MessageRow } from './messages16.ts';

export type PayloadKind = 'request' | 'response';

/**
 * Why a payload does not conform, ready for a CALLERROR (J-51): `field` is the place, `rule` what
 * it breaks.
 */
export interface PayloadFault {
  readonly fault: Fault;
  readonly field: string;
  readonly rule: string;
  /** `field: rule`; never holds what was received. */
  readonly description: string;
}

export type Accepted =
  | { readonly ok: true; readonly payload: Payload; readonly repairs: readonly string[] }
  | { readonly ok: false; readonly fault: PayloadFault };

/** The standard's schemas (1.6: the 2019-12 set and the security whitepaper's), from a package. */
const files: Readonly<Record<OcppVersion, string>> = {
  'ocpp1.6': 'ocpp-rpc/lib/schemas/ocpp1_6.json',
  'ocpp2.0.1': 'ocpp-rpc/lib/schemas/ocpp2_0_1.json',
  'ocpp2.1': 'ocpp-rpc/lib/schemas/ocpp2_1.json',
};
const read = createRequire(import.meta.url);

type Compile = (id: string) => ValidateFunction;
const sets = new Map<OcppVersion, Compile>();

/** Reads a version's set once; compiles a schema when its message is first seen. */
function schemaSet(version: OcppVersion): Compile {
  const known = sets.get(version);
  if (known) return known;
  // multipleOf 0.1 is meant in decimals: 0.3 / 0.1 is no integer in binary floats.
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    multipleOfPrecision: 6,
    validateSchema: false,
  });
  formats.default(ajv);
  const schemas = new Map(
    (read(files[version]) as { $id: string }[]).map((schema) => [schema.$id, schema]),
  );
  const compiled = new Map<string, ValidateFunction>();
  const compile: Compile = (id) => {
    const done = compiled.get(id);
    if (done) return done;
    const schema = schemas.get(id);
    if (!schema) throw new Error(`the schema set of ${version} has no ${id}`);
    // Its id ("urn:Authorize.req") is no valid URN, and nothing refers to it.
    const { $id: _, ...rest } = schema;
    const validate = ajv.compile(rest);
    compiled.set(id, validate);
    return validate;
  };
  sets.set(version, compile);
  return compile;
}

/** The row of an action in the version's routing table, `undefined` = NotImplemented. */
export function messageRow(version: OcppVersion, action: string): MessageRow | undefined {
  if (version !== 'ocpp1.6') return undefined;
  return isAction16(action) ? messages16[action] : undefined;
}

function validator(version: OcppVersion, action: string, kind: PayloadKind): ValidateFunction {
  const row = messageRow(version, action);
  if (!row) throw new Error(`${version} has no message ${action} here`);
  return schemaSet(version)(kind === 'request' ? row.requestSchema : row.responseSchema);
}

/**
 * For what we send: strict (S16-07). `undefined` = conforms. Throws for an action outside the
 * table.
 */
export function checkPayload(
  version: OcppVersion,
  action: string,
  kind: PayloadKind,
  payload: object,
): PayloadFault | undefined {
  const validate = validator(version, action, kind);
  return validate(payload) ? undefined : faultFrom(validate.errors ?? []);
}

/**
 * For what a station sent: conforming payloads as they are; of the others those whose deviation the
 * field knows, repaired on a copy with each repair named (S16-07, S16-10, T-19, T-20, T-26).
 * Throws for an action outside the table.
 */
export function acceptPayload(
  version: OcppVersion,
  action: string,
  kind: PayloadKind,
  payload: Payload,
): Accepted {
  const validate = validator(version, action, kind);
  const repairs = new Set<string>();
  let copy = payload as Record<string, unknown>;
  if (!isText(payload)) {
    copy = asText(payload) as Record<string, unknown>;
    repairs.add('(payload): characters that no text may hold, replaced');
  }
  if (validate(copy)) return withinRange(action, copy, [...repairs]);
  copy = structuredClone(copy);
  // A repair can uncover the next fault (null removed, then required): a few rounds settle it.
  for (let round = 0; round < 4; round++) {
    if (validate(copy)) return withinRange(action, copy, [...repairs]);
    let changed = false;
    for (const error of validate.errors ?? []) {
      const repair = repair16({ action, kind, error, payload: copy });
      if (!repair) return { ok: false, fault: faultFrom([error]) };
      repairs.add(
        `${fieldOf(error)}: ${ruleOf(error)}, ${repair === 'kept' ? 'kept as sent' : repair}`,
      );
      changed ||= repair !== 'kept';
    }
    if (!changed) return withinRange(action, copy, [...repairs]);
  }
  return { ok: false, fault: faultFrom(validate.errors ?? []) };
}

/**
 * The schemas bound no integer: one that a number cannot hold exactly would be another one in the
 * books, and one that no connector or meter can have is none. Nothing behind could carry it.
 */
const ranges: ReadonlyMap<string, readonly [min: number, max: number]> = new Map([
  ['connectorId', [0, 2 ** 31 - 1]],
  // 0 is the station as a whole, and no car is charged by that.
  ['StartTransaction.connectorId', [1, 2 ** 31 - 1]],
  ['meterStart', [-1e12, 1e12]],
  ['meterStop', [-1e12, 1e12]],
]);
const anyInteger = [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;

function withinRange(action: string, payload: Payload, repairs: readonly string[]): Accepted {
  for (const [field, value] of Object.entries(payload)) {
    if (typeof value !== 'number') continue;
    const [min, max] = ranges.get(`${action}.${field}`) ?? ranges.get(field) ?? anyInteger;
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    if (['StartTransaction.meterStart', 'StopTransaction.meterStop'].includes(`${action}.${field}`)) {
      const { [field]: _, ...rest } = payload as Record<string, unknown>;
      return withinRange(action, rest, [...repairs, `${field}: more than a meter can show, left out`]);
    }
    const rule = `must be an integer from ${min} to ${max}`;
    return {
      ok: false,
      fault: { fault: 'property', field, rule, description: `${field}: ${rule}` },
    };
  }
  return { ok: true, payload, repairs };
}

/** No database takes U+0000, and half a surrogate pair is no UTF-8. */
function isText(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inside]) => isText(key) && isText(inside));
}

function asText(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, inside]) => [asText(key), asText(inside)]));
}

/** J-51. */
const faults: Readonly<Record<string, Fault>> = {
  required: 'occurrence',
  minItems: 'occurrence',
  maxItems: 'occurrence',
  type: 'type',
  additionalProperties: 'formation',
};

function faultFrom(errors: readonly ErrorObject[]): PayloadFault {
  const error = errors[0];
  if (!error)
    return {
      fault: 'formation',
      field: '(payload)',
      rule: 'does not conform',
      description: 'does not conform',
    };
  const field = fieldOf(error);
  const rule = ruleOf(error);
  return {
    fault: faults[error.keyword] ?? 'property',
    field,
    rule,
    description: `${field}: ${rule}`,
  };
}

/**
 * `/meterValue/0/sampledValue` → `meterValue[0].sampledValue`, with the missing or surplus
 * property's name.
 */
function fieldOf(error: ErrorObject): string {
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const last =
    params.missingProperty ?? params.additionalProperty?.replace(/[^\w.-]/g, '?').slice(0, 50);
  const parts = error.instancePath.split('/').slice(1);
  if (last !== undefined) parts.push(last);
  if (parts.length === 0) return '(payload)';
  return parts
    .map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : (i ? '.' : '') + part))
    .join('');
}

function ruleOf(error: ErrorObject): string {
  const params = error.params as { allowedValues?: readonly unknown[] };
  switch (error.keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is no property of this message';
    case 'enum':
      return `must be one of ${(params.allowedValues ?? []).join(', ').slice(0, 120)}`;
    default:
      return error.message ?? `breaks ${error.keyword}`;
  }
}
