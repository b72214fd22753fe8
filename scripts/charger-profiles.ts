import type {
  ChargingProfile16,
  ChargingSchedule16,
  ClearChargingProfileRequest,
  SetChargingProfileResponse,
} from '#ocpp';

/**
 * Charging profiles as OCPP 1.6 §3.13 wants a station to obey them. Times are epoch ms, limits A
 * per line.
 */
export interface RunningTransaction {
  readonly transactionId: number | undefined;
  readonly startedAt: number;
}

interface Installed {
  readonly connectorId: number;
  readonly profile: ChargingProfile16;
  readonly installedAt: number;
}

export interface Limit {
  readonly limitA: number;
  /** The profiles that make it, `[]` = the hardware alone. */
  readonly by: readonly number[];
}

export const profileLimits = {
  stackLevelMax: 10,
  periodsMax: 24,
  installedMax: 20,
} as const;

const RECURRENCE_MS = { Daily: 86_400_000, Weekly: 604_800_000 } as const;

export class ProfileStore {
  readonly #hardwareA: number;
  readonly #wattsPerAmp: number;
  #installed: Installed[] = [];

  constructor(hardwareA: number, wattsPerAmp: number) {
    this.#hardwareA = hardwareA;
    this.#wattsPerAmp = wattsPerAmp;
  }

  get count(): number {
    return this.#installed.length;
  }

  set(
    connectorId: number,
    profile: ChargingProfile16,
    context: {
      readonly at: number;
      readonly connectors: number;
      readonly running: RunningTransaction | undefined;
    },
  ): SetChargingProfileResponse['status'] {
    if (!acceptable(connectorId, profile, context)) return 'Rejected';
    const others = this.#installed.filter(
      (old) => !replaces(profile, connectorId, old.profile, old.connectorId),
    );
    if (others.length >= profileLimits.installedMax) return 'Rejected';
    this.#installed = [...others, { connectorId, profile, installedAt: context.at }];
    return 'Accepted';
  }

  /** True = at least one is gone (S16-101). */
  clear(filter: ClearChargingProfileRequest): boolean {
    const before = this.#installed.length;
    this.#installed = this.#installed.filter(({ connectorId, profile }) => {
      if (filter.id !== undefined) return profile.chargingProfileId !== filter.id;
      const matches =
        (filter.connectorId === undefined || filter.connectorId === connectorId) &&
        (filter.chargingProfilePurpose === undefined ||
          filter.chargingProfilePurpose === profile.chargingProfilePurpose) &&
        (filter.stackLevel === undefined || filter.stackLevel === profile.stackLevel);
      return !matches;
    });
    return this.#installed.length < before;
  }

  /** A TxProfile dies with its transaction (S16-91). */
  endTransaction(connectorId: number): void {
    this.#installed = this.#installed.filter(
      (one) =>
        one.connectorId !== connectorId || one.profile.chargingProfilePurpose !== 'TxProfile',
    );
  }

  /**
   * The least of what the hardware, the station's maximum and the transaction's profiles allow
   * (S16-93).
   */
  limitAt(connectorId: number, at: number, running: RunningTransaction | undefined): Limit {
    const station = this.#winner('ChargePointMaxProfile', 0, at, running);
    const own =
      (running && this.#winner('TxProfile', connectorId, at, running)) ??
      this.#winner('TxDefaultProfile', connectorId, at, running);
    let limit: Limit = { limitA: this.#hardwareA, by: [] };
    for (const found of [station, own]) {
      if (!found || found.limitA > limit.limitA) continue;
      limit = {
        limitA: found.limitA,
        by: found.limitA < limit.limitA ? [found.id] : [...limit.by, found.id],
      };
    }
    return limit;
  }

  /** What `limitAt` will say over a span, as a schedule (S16-102). */
  composite(
    connectorId: number,
    span: { readonly from: number; readonly durationS: number; readonly unit: 'A' | 'W' },
    running: RunningTransaction | undefined,
  ): ChargingSchedule16 {
    const until = span.from + span.durationS * 1_000;
    const instants = [span.from, ...this.#changes(span.from, until, running)].sort((a, b) => a - b);
    const periods: { startPeriod: number; limit: number }[] = [];
    for (const at of instants) {
      const { limitA } = this.limitAt(connectorId, at, running);
      const value = span.unit === 'A' ? limitA : limitA * this.#wattsPerAmp;
      const limit = Math.floor(value * 10 + 1e-6) / 10;
      if (periods.at(-1)?.limit === limit) continue;
      periods.push({ startPeriod: Math.round((at - span.from) / 1_000), limit });
    }
    return {
      chargingRateUnit: span.unit,
      duration: span.durationS,
      startSchedule: new Date(span.from).toISOString(),
      chargingSchedulePeriod: periods,
    };
  }

  #winner(
    purpose: ChargingProfile16['chargingProfilePurpose'],
    connectorId: number,
    at: number,
    running: RunningTransaction | undefined,
  ): { readonly id: number; readonly limitA: number } | undefined {
    const candidates = this.#installed
      .filter(({ profile }) => profile.chargingProfilePurpose === purpose)
      .filter((one) => one.connectorId === connectorId || one.connectorId === 0)
      .sort((a, b) => b.profile.stackLevel - a.profile.stackLevel || b.connectorId - a.connectorId);
    for (const one of candidates) {
      const limit = this.#valueAt(one, at, running);
      if (limit !== undefined) return { id: one.profile.chargingProfileId, limitA: limit };
    }
    return undefined;
  }

  /** `undefined` = this profile says nothing now: not valid, not begun, run out (S16-97). */
  #valueAt(
    one: Installed,
    at: number,
    running: RunningTransaction | undefined,
  ): number | undefined {
    const { profile } = one;
    if (profile.validFrom !== undefined && at < Date.parse(profile.validFrom)) return undefined;
    if (profile.validTo !== undefined && at >= Date.parse(profile.validTo)) return undefined;
    const span = scheduleSpan(one, at, running);
    if (!span || at < span.from || at >= span.until) return undefined;
    const { chargingRateUnit, chargingSchedulePeriod } = profile.chargingSchedule;
    const period = chargingSchedulePeriod.findLast((p) => span.from + p.startPeriod * 1_000 <= at);
    if (!period) return undefined;
    return chargingRateUnit === 'A' ? period.limit : period.limit / this.#wattsPerAmp;
  }

  #changes(from: number, until: number, running: RunningTransaction | undefined): number[] {
    const found = new Set<number>();
    for (const one of this.#installed) {
      const { profile } = one;
      const step = profile.recurrencyKind ? RECURRENCE_MS[profile.recurrencyKind] : Infinity;
      for (let at = from; at < until + step; at += step) {
        const span = scheduleSpan(one, at, running);
        if (span) {
          found.add(span.from).add(span.until);
          for (const p of profile.chargingSchedule.chargingSchedulePeriod) {
            found.add(span.from + p.startPeriod * 1_000);
          }
        }
        if (step === Infinity) break;
      }
      for (const text of [profile.validFrom, profile.validTo])
        if (text) found.add(Date.parse(text));
    }
    return [...found].filter((at) => at > from && at < until);
  }
}

/** The schedule's run that `at` may fall in. */
function scheduleSpan(
  { profile, installedAt }: Installed,
  at: number,
  running: RunningTransaction | undefined,
): { readonly from: number; readonly until: number } | undefined {
  const { startSchedule, duration } = profile.chargingSchedule;
  const lastsMs = duration === undefined ? Infinity : duration * 1_000;
  if (profile.chargingProfileKind === 'Relative') {
    return running && { from: running.startedAt, until: running.startedAt + lastsMs };
  }
  // S16-94: without a start an absolute schedule counts from the start of charging.
  const start =
    startSchedule === undefined ? (running?.startedAt ?? installedAt) : Date.parse(startSchedule);
  if (profile.chargingProfileKind === 'Absolute') return { from: start, until: start + lastsMs };
  const every = RECURRENCE_MS[profile.recurrencyKind ?? 'Daily'];
  const from = start + Math.floor(Math.max(0, at - start) / every) * every;
  return { from, until: from + Math.min(lastsMs, every) };
}

/** S16-92. */
function replaces(
  fresh: ChargingProfile16,
  at: number,
  old: ChargingProfile16,
  oldAt: number,
): boolean {
  if (fresh.chargingProfileId === old.chargingProfileId) return true;
  return (
    at === oldAt &&
    fresh.chargingProfilePurpose === old.chargingProfilePurpose &&
    fresh.stackLevel === old.stackLevel
  );
}

/** S16-90..S16-95, as a strict station reads them: what we send wrongly must show. */
function acceptable(
  connectorId: number,
  profile: ChargingProfile16,
  context: { readonly connectors: number; readonly running: RunningTransaction | undefined },
): boolean {
  const periods = profile.chargingSchedule.chargingSchedulePeriod;
  const ascending = periods.every((p, i) =>
    i === 0 ? p.startPeriod === 0 : p.startPeriod > periods[i - 1]!.startPeriod,
  );
  if (connectorId < 0 || connectorId > context.connectors) return false;
  if (profile.stackLevel < 0 || profile.stackLevel > profileLimits.stackLevelMax) return false;
  if (periods.length === 0 || periods.length > profileLimits.periodsMax || !ascending) return false;
  if (periods.some((p) => p.limit < 0)) return false;
  if (profile.chargingProfileKind === 'Recurring') {
    if (!profile.recurrencyKind || profile.chargingSchedule.startSchedule === undefined)
      return false;
  }
  switch (profile.chargingProfilePurpose) {
    case 'ChargePointMaxProfile':
      return connectorId === 0 && profile.chargingProfileKind !== 'Relative';
    case 'TxDefaultProfile':
      return profile.transactionId === undefined;
    case 'TxProfile': {
      const { running } = context;
      if (connectorId === 0 || !running) return false;
      return profile.transactionId !== undefined && profile.transactionId === running.transactionId;
    }
  }
}
