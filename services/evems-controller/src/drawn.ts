import type { Reading } from '#contracts/ocpp-gateway';

type Measured = Pick<Reading, 'at' | 'currentMa' | 'powerW' | 'voltageV'>;

/**
 * The current of the newest reading that has one: of its highest phase, else its power over the
 * voltage between the two lines that a Level-2 car draws from.
 */
export function drawnOf(
  readings: readonly Measured[],
  voltageV: number,
): { readonly ma: number; readonly at: string } | undefined {
  for (const reading of readings.toReversed()) {
    const ma = currentOf(reading, voltageV);
    if (ma !== undefined) return { ma, at: reading.at };
  }
  return undefined;
}

function currentOf({ currentMa, powerW, voltageV }: Measured, feederV: number): number | undefined {
  if (currentMa.length > 0) return Math.max(...currentMa);
  if (powerW === undefined) return undefined;
  const volts = Number(voltageV ?? feederV);
  const ma = Math.round((Number(powerW) * 1_000) / volts);
  return Number.isFinite(ma) && ma >= 0 ? ma : undefined;
}
