import { isNews, newReadings, takeReadings, termsOf } from './metering.ts';
import type { Reading } from './register.ts';
import type { Finding, Metered, Running, SessionEvent } from './session-events.ts';
import { newSigned, type SignedValue, withSigned } from './signed.ts';

/** What a frame of the station's meter adds to a session. */

export function newlyMetered(
  { snapshots, metering, signed: kept }: Running,
  told: { readonly readings: readonly Reading[]; readonly signed?: readonly SignedValue[] },
): Metered {
  const heard = newReadings(termsOf(snapshots), metering, told.readings);
  const { signed, isCut } = newSigned(kept, told.signed ?? []);
  return {
    readings: heard.readings,
    ...(heard.leftOut.length > 0 ? { leftOut: heard.leftOut } : {}),
    ...(signed.length > 0 ? { signed } : {}),
    ...(isCut ? { isCut } : {}),
  };
}

/** As events: none where nothing is new. */
export function meteredEvents(
  { session: { cdr_token, start_date_time } }: Running,
  { readings, leftOut = [], signed = [], isCut = false }: Metered,
): SessionEvent[] {
  const events: SessionEvent[] = [];
  if (isNews({ readings, leftOut }))
    events.push({ type: 'MeterRead', readings, ...(leftOut.length > 0 ? { leftOut } : {}) });
  if (signed.length > 0 || isCut) {
    const session = { cdr_token, start_date_time };
    events.push({ type: 'SignedRead', session, signed, ...(isCut ? { isCut } : {}) });
  }
  return events;
}

export function withMetered<R extends Running>(charge: R, metered: Partial<Metered>): R {
  const { snapshots, metering, signed: kept } = charge;
  const { readings = [], leftOut = [], signed = [], isCut = false } = metered;
  return {
    ...charge,
    metering: takeReadings(termsOf(snapshots), metering, { readings, leftOut }),
    signed: withSigned(kept, { signed, isCut }),
    findings: withFindings(charge.findings, findingsOf({ readings, leftOut, isCut })),
  };
}

/** The first of a kind says it; a meter that is broken says it all day. */
export function withFindings(known: readonly Finding[], more: readonly Finding[]): readonly Finding[] {
  return more.reduce(
    (all, finding) => (all.some(({ code }) => code === finding.code) ? all : [...all, finding]),
    known,
  );
}

function findingsOf({ readings, leftOut = [], isCut = false }: Metered): Finding[] {
  return [
    ...leftOut.map(({ at, energyWh, why }): Finding => ({
      code: why,
      detail:
        why === 'register-fell'
          ? `the register fell to ${energyWh} Wh at ${at}: left out`
          : `the register rose to ${energyWh} Wh at ${at}, more than the connector gives: left out`,
      figures: { told: energyWh, unit: 'Wh' },
    })),
    ...readings.flatMap(({ at, energyWh, carried }): Finding[] => {
      if (!carried) return [];
      const now = `at ${energyWh} Wh, ${at}`;
      const figures = { told: energyWh!, unit: 'Wh' } as const;
      return carried.as === 'wrapped'
        ? [{ code: 'register-wrapped', detail: `the register was full and began again: ${now}`, figures }]
        : [{ code: 'register-replaced', detail: `the register went on from another value: ${now}`, figures }];
    }),
    ...(isCut
      ? [{ code: 'signed-values-left-out' as const, detail: 'not all that the meter signed has a place in a CDR' }]
      : []),
  ];
}
