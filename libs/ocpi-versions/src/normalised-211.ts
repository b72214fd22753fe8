import { jsonNumber } from '#ocpi';
import { countryOfTwo } from '#time';
import type { Json, Notes } from './converted.ts';
import { sixDecimals } from './locations-211.ts';

const numbers = new Set([
  'kwh', 'volume', 'price', 'step_size', 'total_cost', 'total_energy', 'total_time', 'total_parking_time', 'percentage', 'amount',
  'min_kwh', 'max_kwh', 'min_power', 'max_power', 'min_duration', 'max_duration', 'voltage', 'amperage', 'weekday', 'reservation_id',
]);
const places = new Set(['latitude', 'longitude']);
const texts = new Set(['physical_reference', 'floor_level', 'postal_code']);

/**
 * What partners of 2.1.1 send, by its letter or by its own examples: numbers as text and text as numbers, a
 * country of two letters, a day that ends at 24:00, coordinates with other than six decimals or as numbers, a PATCH
 * without last_updated.
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
  if (texts.has(key) && typeof field === 'number') return String(field);
  if (key === 'country' && typeof field === 'string') return countryIn(field, notes);
  if (field === '24:00') return dayEnd(key, notes);
  if (numbers.has(key) && typeof field === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(field)) return exact(field);
  return walked(field, notes.at(key));
}

function countryIn(field: string, notes: Notes): string {
  const country = countryOfTwo(field);
  if (country === undefined) return field;
  notes.say('country', `has two letters; ${country} is taken`);
  return country;
}

/** The window of a Tariff ends at 00:00 then; opening hours have to end after they begin. */
function dayEnd(key: string, notes: Notes): string {
  if (key === 'end_time') return '00:00';
  if (key !== 'period_end') return '24:00';
  notes.say(key, 'OCPI 2.2.1 has no 24:00; 23:59 is taken');
  return '23:59';
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
