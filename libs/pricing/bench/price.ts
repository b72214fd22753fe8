import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { price } from '../src/price.ts';
import type { Charge } from '../src/shapes.ts';
import { vectors } from '../test/vectors.ts';

/** One measurement: how many charges were priced in how long, on one core. */
export interface Measured {
  readonly name: string;
  readonly charges: number;
  readonly perSecond: number;
  readonly nanoseconds: number;
}

const FEW = ['W01', 'W04', 'W07', 'W09', 'W12', 'W16a', 'W17', 'W18', 'W20'];

export interface Case {
  readonly charge: Charge;
  readonly timeZone: string;
}

/** Charges of a few periods and elements. */
export function fewPeriods(): Case[] {
  return vectors.filter(({ id }) => FEW.includes(id));
}

/** One charge of 6 periods under 5 elements with restrictions. */
export function manyPeriods(): Case {
  const restrictions = [
    { start_time: '07:00', end_time: '10:00', max_power: 22 },
    { start_time: '10:00', end_time: '17:00', day_of_week: ['MONDAY', 'TUESDAY', 'WEDNESDAY'] },
    { start_time: '17:00', end_time: '07:00', min_kwh: 5 },
    { max_duration: 7200 },
    undefined,
  ];
  const elements = restrictions.map((restriction, i) => ({
    price_components: [
      { type: 'ENERGY' as const, price: 0.25 + i / 100, vat: 5, step_size: 1 },
      { type: 'TIME' as const, price: 1.5 + i / 10, vat: 5, step_size: 60 },
      { type: 'PARKING_TIME' as const, price: 3 + i, vat: 5, step_size: 60 },
    ],
    restrictions: restriction,
  }));
  const tariff = { id: 'T', currency: 'CAD', elements };
  const charging_periods = Array.from({ length: 6 }, (_, i) => ({
    start_date_time: `2024-03-05T${String(15 + i).padStart(2, '0')}:00:00Z`,
    tariff_id: 'T',
    dimensions: [
      { type: 'ENERGY', volume: 6.1234 + i },
      { type: i < 4 ? 'TIME' : 'PARKING_TIME', volume: 1 },
      { type: 'MAX_POWER', volume: 7.2 + 4 * i },
    ],
  }));
  const charge = {
    start_date_time: '2024-03-05T15:00:00Z',
    end_date_time: '2024-03-05T21:00:00Z',
    currency: 'CAD',
    tariffs: [tariff],
    charging_periods,
  };
  return { charge, timeZone: 'America/Vancouver' };
}

/** Charges already parsed, each with a tariff object of its own, as a ledger holds them. */
export function priceOnly(cases: readonly Case[], seconds = 1): Measured {
  const parsed = cases.map(({ charge, timeZone }) => ({ text: JSON.stringify(charge), timeZone }));
  const pool = Array.from({ length: 2_000 }, (_, i) => {
    const { text, timeZone } = parsed[i % parsed.length]!;
    return { charge: JSON.parse(text) as Charge, timeZone };
  });
  let next = 0;
  return measure('price only', seconds, () => {
    const { charge, timeZone } = pool[next++ % pool.length]!;
    return price(charge, { timeZone });
  });
}

/** From JSON text to price. */
export function parseAndPrice(cases: readonly Case[], seconds = 1): Measured {
  const texts = cases.map(({ charge, timeZone }) => ({ text: JSON.stringify(charge), timeZone }));
  let next = 0;
  return measure('parse and price', seconds, () => {
    const { text, timeZone } = texts[next++ % texts.length]!;
    return price(JSON.parse(text) as Charge, { timeZone });
  });
}

/** JSON.parse alone, to compare with. */
export function parseOnly(cases: readonly Case[], seconds = 1): Measured {
  const texts = cases.map(({ charge }) => JSON.stringify(charge));
  let next = 0;
  return measure('parse only', seconds, () => JSON.parse(texts[next++ % texts.length]!));
}

/** A whole document as it comes from a partner. */
export interface Document {
  readonly text: string;
  readonly timeZone: string;
}

/** From JSON text to price, `check` (an edge's schema) in between. */
export function checkAndPrice(
  documents: readonly Document[],
  check: (value: unknown) => unknown,
  seconds = 1,
): Measured {
  let next = 0;
  return measure('parse, check and price', seconds, () => {
    const { text, timeZone } = documents[next++ % documents.length]!;
    return price(check(JSON.parse(text)) as Charge, { timeZone });
  });
}

export interface MemoryMeasured {
  readonly charges: number;
  /** What the heap holds more, after a collection, than when a tenth of them was priced. */
  readonly grownBytes: number;
}

/** Parses and prices so many charges, one after the other, and looks at what stays in memory. */
export function memoryOver(cases: readonly Case[], charges: number): MemoryMeasured {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const texts = cases.map(({ charge, timeZone }) => ({ text: JSON.stringify(charge), timeZone }));
  const priceTo = (from: number, to: number): number => {
    for (let i = from; i < to; i++) {
      const { text, timeZone } = texts[i % texts.length]!;
      price(JSON.parse(text) as Charge, { timeZone });
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const early = priceTo(0, charges / 10);
  return { charges, grownBytes: priceTo(charges / 10, charges) - early };
}

/**
 * By the processor's time, which is what "per core" means and what other work on the machine does
 * not take away; the collector's own threads count as ours.
 */
function measure(name: string, seconds: number, once: () => unknown): Measured {
  for (let i = 0; i < 20_000; i++) once();
  const batch = 500;
  let charges = 0;
  const before = process.cpuUsage();
  let elapsedNs = 0;
  while (elapsedNs < seconds * 1e9) {
    for (let i = 0; i < batch; i++) once();
    charges += batch;
    const { user, system } = process.cpuUsage(before);
    elapsedNs = (user + system) * 1000;
  }
  const nanoseconds = elapsedNs / charges;
  return { name, charges, perSecond: Math.round(1e9 / nanoseconds), nanoseconds };
}
