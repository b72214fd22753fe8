import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LimitProfile, LimitProfileSchema } from '#contracts/evems-controller';
import { Rejected } from '#decider';
import { instant, rfc3339 } from '#time';
import { type Profile, rateMa, rateText, type Step, type Unit } from './profile.ts';

/** Charging profiles on the bus. */

const PERIODS_MAX = 1_000;

/** Throws unusable-profile, which says why. */
export function profileIn(told: LimitProfile, wattsPerAmp: string, setBy?: string): { profile: Profile } & Unit {
  const unit = told.unit === 'W' ? 'W' : 'A';
  const wiring: Unit = { unit, wattsPerAmp: Number(wattsPerAmp) };
  const { periods, startAt, durationS, minRate } = told;
  const fault = faultOf(told, wiring);
  if (fault !== undefined) throw new Rejected('unusable-profile', fault);
  return {
    ...wiring,
    profile: {
      startAt: startAt === undefined ? undefined : instant(startAt),
      durationMs: durationS === undefined ? undefined : durationS * 1_000,
      minMa: minRate === undefined ? 0 : rateMa(minRate, wiring),
      periods: periods.map(({ startS, limit }) => ({ afterMs: startS * 1_000, limitMa: rateMa(limit, wiring) })),
      setBy,
    },
  };
}

function faultOf({ unit, periods, minRate }: LimitProfile, { wattsPerAmp }: Unit): string | undefined {
  if (unit !== 'A' && unit !== 'W') return `charging_rate_unit: ${unit} is neither A nor W`;
  if (!(wattsPerAmp > 0)) return 'what an ampere makes at this connector is not known';
  if (periods.length > PERIODS_MAX) return `charging_profile_period: more than ${PERIODS_MAX} of them`;
  const isRate = (text: string) => Number.isFinite(Number(text)) && Number(text) >= 0;
  if (!periods.every(({ limit }) => isRate(limit)) || !isRate(minRate ?? '0')) return 'a limit is less than 0';
  if (periods.some(({ startS }, i) => i > 0 && startS <= (periods[i - 1]?.startS ?? 0))) {
    return 'charging_profile_period: they do not come in the order of start_period';
  }
  return undefined;
}

/** What a charge may draw from the first step on. */
export function profileAhead(steps: readonly Step[], unit: Unit): MessageInitShape<typeof LimitProfileSchema> {
  const start = steps[0]?.at ?? 0;
  return {
    startAt: rfc3339(start),
    unit: unit.unit,
    periods: steps.map(({ at, limitMa }) => (
      { startS: Math.round((at - start) / 1_000), limit: rateText(limitMa, unit) })),
  };
}
