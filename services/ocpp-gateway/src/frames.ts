import { createHash } from 'node:crypto';
import { decimal } from '#money';
import {
  type MeterValue16, parseInstant, type ReceivedCall, type Reading, readings, signedReadings,
} from '#ocpp';
import { rfc3339 } from '#time';
import type { MeterReading, SignedMeterReading } from './station-events.ts';

/** A frame's name: the station's message id and the digest of its text. J-47 */
export function frameName(call: ReceivedCall): string {
  return `${call.id} ${createHash('sha256').update(call.text).digest('base64url').slice(0, 22)}`;
}

const CLOCK_AHEAD_MS_MAX = 5 * 60_000;
/** For as long a station may have been away and tell of it (Locations are known as of then): older is a clock that is wrong. */
const KEPT_MS_MAX = 31 * 24 * 3_600_000;

/**
 * A frame's own instant, else the one at which it came. J-49, S16-32. So too where the station's
 * clock was never set or is far ahead (T-26): a charge from 1970, or from when its battery died, until now would
 * cost a fortune, and a status from next year would be the newest until then.
 */
export function instantOf(text: string | undefined, nowMs: number): string {
  return rfc3339(believed(text === undefined ? undefined : parseInstant(text), nowMs));
}

/** Whether that instant is not what the station said. */
export function isDoubted(text: string, at: string): boolean {
  const saidMs = parseInstant(text);
  return saidMs === undefined || rfc3339(saidMs) !== at;
}

function believed(atMs: number | undefined, nowMs: number): number {
  return atMs === undefined || atMs < nowMs - KEPT_MS_MAX || atMs > nowMs + CLOCK_AHEAD_MS_MAX ? nowMs : atMs;
}

export function meterReadings(values: readonly MeterValue16[] | undefined, nowMs: number): MeterReading[] {
  return readings(values ?? []).map((reading) => ({ ...reading, at: believed(reading.at, nowMs) }))
    .toSorted((a, b) => a.at - b.at || decimal(a.energyWh ?? 0).compare(decimal(b.energyWh ?? 0)))
    .map(meterReading);
}

/** What the meter signed; what would be too much of it is left out, and counted. S16-31, T-20 */
export function signedMeterReadings(
  values: readonly MeterValue16[] | undefined, nowMs: number,
): { readonly signed: SignedMeterReading[]; readonly leftOut: number } {
  const { signed, leftOut } = signedReadings(values ?? []);
  return { signed: signed.map(({ at, ...rest }) => ({ at: rfc3339(believed(at, nowMs)), ...rest })), leftOut };
}

function meterReading({ at, context, energyWh, powerW, currentMa, voltageV, socPercent }: Reading): MeterReading {
  const phases = currentMa && [currentMa.L1, currentMa.L2, currentMa.L3].filter((ma) => ma !== undefined);
  const currents = phases?.length ? phases : currentMa?.total === undefined ? undefined : [currentMa.total];
  return {
    at: rfc3339(at),
    context,
    ...(energyWh === undefined ? {} : { energyWh }),
    ...(powerW === undefined ? {} : { powerW }),
    ...(currents ? { currentMa: currents.map((ma) => Math.max(0, Math.round(ma))) } : {}),
    ...(voltageV === undefined ? {} : { voltageV }),
    ...(socPercent === undefined ? {} : { socPercent }),
  };
}
