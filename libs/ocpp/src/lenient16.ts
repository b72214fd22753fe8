import { rfc3339 } from '#time';
import type { ErrorObject } from 'ajv';
import { charge16, decimalText } from './charge16.ts';
import { parseInstant } from './instant.ts';
import { metered16 } from './metered16.ts';

export interface Deviation {
  readonly action: string;
  readonly kind: 'request' | 'response';
  readonly error: ErrorObject;
  /** Ours to change. */
  readonly payload: Record<string, unknown>;
}

/** A CALLERROR to one of these loses more than the deviation does harm (S16-10, S16-24, T-19). */
const forgiving: ReadonlySet<string> = new Set([
  'StartTransaction',
  'StopTransaction',
  'MeterValues',
  'BootNotification',
  'StatusNotification',
  'Heartbeat',
]);
const sampleField = /\/sampledValue\/\d+\/(context|format|measurand|phase|location|unit)$/;

/**
 * What to do about one deviation of a 1.6 station from its schema: `'kept'` (harmless as it is),
 * the
 * name of the change made in the payload, or `undefined`: the message is refused.
 */
export function repair16(deviation: Deviation): 'kept' | string | undefined {
  return charge16(deviation) ?? metered16(deviation) ?? other(deviation);
}

function other(deviation: Deviation): 'kept' | string | undefined {
  switch (deviation.error.keyword) {
    case 'maxLength':
      return tooLong(deviation);
    case 'enum':
      return unknownWord(deviation);
    case 'format':
      return otherTimestamp(deviation);
    case 'type':
      return otherType(deviation);
    case 'additionalProperties':
      return surplus(deviation);
    default:
      return undefined;
  }
}

/**
 * S16-24, T-19: describing text is kept whole. An idTag is kept only where the energy already flows
 * (S16-41).
 */
function tooLong({ action, kind, error }: Deviation): 'kept' | undefined {
  return kind === 'response' ||
    (forgiving.has(action) && action !== 'Heartbeat' && error.instancePath !== '')
    ? 'kept'
    : undefined;
}

function unknownWord({ action, kind, error, payload }: Deviation): 'kept' | string | undefined {
  if (kind === 'response') return undefined;
  if (sampleField.test(error.instancePath)) return 'kept';
  if (action === 'StatusNotification' && error.instancePath === '/errorCode') return 'kept';
  if (action === 'StopTransaction' && error.instancePath === '/reason') {
    payload['reason'] = 'Other';
    return 'read as Other';
  }
  return undefined;
}

/** Whose time is that of their arrival where it cannot be read. */
const timed: ReadonlySet<string> = new Set(['StartTransaction', 'StopTransaction', 'MeterValues']);

/** T-26: read what can be read; a status without a readable time still says the state. */
function otherTimestamp(deviation: Deviation): string | undefined {
  const place = locate(deviation);
  if (!place || deviation.error.params['format'] !== 'date-time') return undefined;
  const value = place.parent[place.key];
  const at = typeof value === 'string' ? parseInstant(value) : undefined;
  if (at !== undefined) {
    place.parent[place.key] = rfc3339(at);
    return 'read leniently';
  }
  if (timed.has(deviation.action)) return 'kept';
  if (deviation.action !== 'StatusNotification') return undefined;
  delete place.parent[place.key];
  return 'left out';
}

function otherType(deviation: Deviation): string | undefined {
  const place = locate(deviation);
  if (!place) return undefined;
  const value = place.parent[place.key];
  if (value === null) {
    // `null` for "absent": if it was required, the next round says so.
    delete place.parent[place.key];
    return 'null left out';
  }
  if (!forgiving.has(deviation.action) || deviation.kind === 'response') return undefined;
  const wanted = deviation.error.params['type'];
  if (wanted === 'integer') {
    const number =
      typeof value === 'string' && decimalText.test(value)
        ? Number(value)
        : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
    place.parent[place.key] = Math.round(number);
    return 'read as an integer';
  }
  if (wanted === 'string' && typeof value === 'number') {
    place.parent[place.key] = String(value);
    return 'read as text';
  }
  return undefined;
}

function surplus(deviation: Deviation): string | undefined {
  if (deviation.kind === 'request' && !forgiving.has(deviation.action)) return undefined;
  const name = (deviation.error.params as { additionalProperty: string }).additionalProperty;
  const holder = follow(deviation.payload, deviation.error.instancePath.split('/').slice(1));
  if (!isHolder(holder)) return undefined;
  delete holder[name];
  return 'left out';
}

type Holder = Record<string, unknown>;

function locate({ error, payload }: Deviation): { parent: Holder; key: string } | undefined {
  const parts = error.instancePath.split('/').slice(1);
  const key = parts.pop();
  const parent = follow(payload, parts);
  return key === undefined || !isHolder(parent) ? undefined : { parent, key };
}

function follow(from: unknown, parts: readonly string[]): unknown {
  return parts.reduce<unknown>((value, part) => (isHolder(value) ? value[part] : undefined), from);
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}
