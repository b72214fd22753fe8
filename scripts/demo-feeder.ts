import { setTimeout as sleep } from 'node:timers/promises';
import type { ChargerEvent, ChargerProcess } from './charger-process.ts';

export interface Verdict {
  readonly holds: boolean;
  readonly detail: string;
}

export interface FeederWatch {
  /** Waits until that many cars charge and each has the limit (whole amperes); or says what is so instead. */
  settled(cars: number, amperes: number): Promise<Verdict>;
  /** Whether the limits, as the chargers held them, ever added up to more than the feed. */
  verdict(feedA: number): Verdict;
}

/** What the chargers themselves say of their limits: nothing of the platform is asked. */
export function watchFeeder(chargers: ChargerProcess, stations: readonly string[]): FeederWatch {
  return {
    async settled(cars, amperes) {
      const wanted = Math.floor(amperes);
      const deadline = Date.now() + 60_000;
      for (;;) {
        const limits = limitsNow(chargers.events, stations);
        const charging = [...limits.values()].filter(({ charging: is }) => is).map(({ limitA }) => limitA);
        const detail = `${charging.length} cars at ${charging.join(', ')} A`;
        if (charging.length === cars && charging.every((limitA) => limitA >= wanted && limitA <= wanted + 1))
          return { holds: true, detail };
        if (Date.now() > deadline) return { holds: false, detail };
        await sleep(100);
      }
    },
    verdict(feedA) {
      let worst = 0;
      let worstAt = '';
      const held = new Map<string, { limitA: number; charging: boolean }>();
      for (const event of chargers.events) {
        if (!note(held, event, stations)) continue;
        const sum = [...held.values()].reduce((total, { limitA, charging }) => total + (charging ? limitA : 0), 0);
        if (sum > worst) {
          worst = sum;
          worstAt = `${event.at}: ${[...held.values()].map(({ limitA, charging }) => (charging ? limitA : 0)).join(' + ')}`;
        }
        const odd = [...held.values()].find(({ limitA }) => limitA > 0 && limitA < 6);
        if (odd) return { holds: false, detail: `a limit of ${odd.limitA} A` };
      }
      return {
        holds: worst > 0 && worst <= feedA,
        detail: `${worst} A at the most, ${feedA} A allowed${worst > feedA ? `; ${worstAt}` : ''}`,
      };
    },
  };
}

type Held = Map<string, { limitA: number; charging: boolean }>;

function limitsNow(events: readonly ChargerEvent[], stations: readonly string[]): Held {
  const held: Held = new Map();
  for (const event of events) note(held, event, stations);
  return held;
}

/**
 * Takes in an event; true when it changed a limit or whether a car charges. A charger says its limit
 * when it first counts and with every reading, so a car counts from then on.
 */
function note(held: Held, event: ChargerEvent, stations: readonly string[]): boolean {
  const { station } = event;
  if (station === undefined || !stations.includes(station)) return false;
  const before = held.get(station) ?? { limitA: 0, charging: false };
  switch (event.event) {
    case 'limit':
    case 'meter':
      held.set(station, { ...before, limitA: Number(event['limitA']) });
      return true;
    case 'transaction-started':
      // What it said before was of an idle connector.
      held.set(station, { limitA: 0, charging: true });
      return true;
    case 'transaction-stopped':
      held.set(station, { ...before, charging: false });
      return true;
    default:
      return false;
  }
}
