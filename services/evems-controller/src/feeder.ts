/**
 * A site as it is configured: one feeder that all of its chargers hang on. Currents are mA per
 * phase. The Level-2 chargers here draw between two phases of a 208 V feed, on whichever pair the
 * electrician chose; every charger is therefore counted in full on the feeder's limit, as if all
 * hung on one pair. That is never too much for any phase, and up to 42 % too cautious where the
 * pairs are balanced. A tree of feeders and the phases come later and replace this one node.
 */
export interface Site {
  readonly id: string;
  readonly feeder: Feeder;
  /** What a charger falls back to without us; 0 = it stops. */
  readonly failSafeMa: number;
  /** Below this a car cannot be told to charge (J1772): 0 or at least this. */
  readonly minMa: number;
  /** Limits are whole multiples of it. */
  readonly stepMa: number;
  /** In the order in which they are listed; the first is served first when all else is equal. */
  readonly chargers: readonly Charger[];
  readonly timing: Timing;
}

export interface Feeder {
  readonly name: string;
  /** Continuous. */
  readonly limitMa: number;
  readonly voltageV: number;
}

export interface Charger {
  /** Of station and connector, one text. */
  readonly key: string;
  readonly stationId: string;
  readonly connectorId: number;
  readonly maxMa: number;
}

/** All in ms of the platform's clock, also where real time is behind it. */
export interface Timing {
  /** How long a limit above the fail-safe holds without a word from us. */
  readonly leaseMs: number;
  /** How much a charger's clock may differ from ours, and its timers be late. */
  readonly clockMarginMs: number;
  /** When not all can charge at once: how long one charges before it yields. */
  readonly rotateAfterMs: number;
  /** A car that draws clearly less than it may for so long gives the rest back… */
  readonly taperAfterMs: number;
  /** …but for this margin above what it draws. */
  readonly taperMarginMa: number;
  /** A car has so long to follow a new limit before it counts as disobeying. */
  readonly settleMs: number;
  /** Pause after an order that was not obeyed; doubles up to the longest. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
}

export const chargerKey = (stationId: string, connectorId: number): string =>
  `${stationId}/${connectorId}`;

/** What makes the site unsafe or impossible, as a sentence; undefined = nothing does. */
export function faultOf(site: Site): string | undefined {
  const { failSafeMa, minMa, chargers, feeder } = site;
  if (failSafeMa > 0 && failSafeMa < minMa) {
    return `fail_safe_a is ${amps(failSafeMa)}: a car needs 0 or at least ${amps(minMa)}`;
  }
  const weak = chargers.find((charger) => charger.maxMa < Math.max(minMa, failSafeMa));
  if (weak) {
    return `${weak.key} has max_a ${amps(weak.maxMa)}, less than ${amps(Math.max(minMa, failSafeMa))}`;
  }
  const twice = chargers.find((charger, i) => chargers.findIndex((c) => c.key === charger.key) < i);
  if (twice) return `${twice.key} is listed twice`;
  const sumMa = failSafeMa * chargers.length;
  if (sumMa > feeder.limitMa) {
    return (
      `the fail-safe limits add up to ${amps(sumMa)} (${chargers.length} chargers at ` +
      `${amps(failSafeMa)}), more than the ${amps(feeder.limitMa)} of "${feeder.name}": ` +
      'lower fail_safe_a, or set it to 0'
    );
  }
  return undefined;
}

/** mA for people: "19 A", "9.8 A". */
export function amps(ma: number): string {
  return `${Math.round(ma / 100) / 10} A`;
}
