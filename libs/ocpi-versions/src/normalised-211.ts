import { jsonNumber } from '#ocpi';
import type { Json, Notes } from './converted.ts';
import { sixDecimals } from './locations-211.ts';

const numbers = new Set([
  'kwh', 'volume', 'price', 'step_size', 'total_cost', 'total_energy', 'total_time', 'total_parking_time', 'percentage', 'amount',
  'min_kwh', 'max_kwh', 'min_power', 'max_power', 'min_duration', 'max_duration', 'voltage', 'amperage', 'weekday', 'reservation_id',
]);
const places = new Set(['latitude', 'longitude']);

/**
 * What partners of 2.1.1 send, by its letter: numbers that come as text (its own example has them),
 * coordinates with other than six decimals or as numbers, a PATCH without last_updated.
 */
export function normalised(value: unknown, { notes, now }: { notes: Notes; now: string | undefined }): unknown {
  const made = walked(value, notes);
  const isObject = typeof made === 'object' && made !== null && !Array.isArray(made);
  if (now === undefined || !isObject || typeof (made as Json).last_updated === 'string') return made;
  notes.say('last_updated', 'is not given; the time of the request is taken');
  return { ...(made as Json), last_updated: now };
}

function walked(value: unknown, notes: Notes): unknown {
  if (Array.isArray(value)) return value.map((item, i) => walked(item, notes.at(i)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fieldOf(key, field, notes)]));
}

function fieldOf(key: string, field: unknown, notes: Notes): unknown {
  if (places.has(key)) return placed(key, field, notes);
  if (numbers.has(key) && typeof field === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(field)) return exact(field);
  return walked(field, notes.at(key));
}

function exact(text: string): unknown {
  try {
    return jsonNumber(text);
  } catch {
    return text;
  }
}

function placed(key: string, field: unknown, notes: Notes): unknown {
  const text = typeof field === 'number' ? String(field) : field;
  return typeof text === 'string' && /^-?\d{1,3}(\.\d{1,20})?$/.test(text) ? sixDecimals(text, key, notes) : field;
}
