import type { Decider } from '#decider';

/** Who says what a tariff is: our roamwatt.yaml, our operator, or the partner whose it is. */
export type TariffSource = 'settings' | 'operator' | 'partner';

/** One tariff of one party; each published change is a version that stays as it is. */
export interface TariffState {
  /** 0 = never published. */
  readonly version: number;
  /** Of the newest version's content. */
  readonly digest: string;
  readonly lastUpdatedMs: number;
  /** Digests that came with that last_updated, and when we last took each. */
  readonly seen: Readonly<Record<string, number>>;
  readonly publishedAtMs: number;
  readonly withdrawn: boolean;
  readonly withdrawnAtMs: number;
  /** What the settings said when they last changed it: the same again is no news. */
  readonly settingsDigest: string | undefined;
  /** Which version an order that has an id led to. */
  readonly done: Readonly<Record<string, number>>;
}

export interface PublishTariff {
  readonly type: 'PublishTariff';
  readonly source: TariffSource;
  /** The OCPI Tariff's JSON. */
  readonly text: string;
  /** Of its content in one spelling, without last_updated. */
  readonly digest: string;
  readonly lastUpdated: string;
  readonly lastUpdatedMs: number;
  /** Platform time at which we take it. */
  readonly at: string;
  readonly atMs: number;
  /** The same on every retry, where whoever orders has one. */
  readonly commandId?: string;
}

export interface WithdrawTariff {
  readonly type: 'WithdrawTariff';
  readonly source: TariffSource;
  readonly at: string;
  readonly atMs: number;
}

export type TariffCommand = PublishTariff | WithdrawTariff;

export interface TariffPublished extends Omit<PublishTariff, 'type'> {
  readonly type: 'TariffPublished';
  readonly version: number;
}

export interface TariffWithdrawn extends Omit<WithdrawTariff, 'type'> {
  readonly type: 'TariffWithdrawn';
}

export type TariffEvent = TariffPublished | TariffWithdrawn;

export const tariffDecider: Decider<TariffState, TariffCommand, TariffEvent> = {
  initial: {
    version: 0,
    digest: '',
    lastUpdatedMs: -Infinity,
    seen: {},
    publishedAtMs: -Infinity,
    withdrawn: false,
    withdrawnAtMs: -Infinity,
    settingsDigest: undefined,
    done: {},
  },

  decide(command, tariff) {
    switch (command.type) {
      case 'PublishTariff':
        return isNews(command, tariff)
          ? [{ ...command, type: 'TariffPublished', version: tariff.version + 1 }]
          : [];
      case 'WithdrawTariff': {
        if (tariff.version === 0 || tariff.withdrawn) return [];
        // Ordered before the version that stands: it was about another one.
        const isLate = command.atMs < tariff.publishedAtMs || command.atMs <= tariff.withdrawnAtMs;
        return isLate ? [] : [{ ...command, type: 'TariffWithdrawn' }];
      }
    }
  },

  evolve(tariff, event) {
    switch (event.type) {
      case 'TariffPublished': {
        const { version, digest, lastUpdatedMs, atMs, source, commandId } = event;
        const seen = lastUpdatedMs === tariff.lastUpdatedMs ? tariff.seen : {};
        return {
          ...tariff,
          version,
          digest,
          lastUpdatedMs,
          seen: { ...seen, [digest]: Math.max(seen[digest] ?? -Infinity, atMs) },
          publishedAtMs: atMs,
          withdrawn: false,
          settingsDigest: source === 'settings' ? digest : tariff.settingsDigest,
          done: commandId === undefined ? tariff.done : { ...tariff.done, [commandId]: version },
        };
      }
      case 'TariffWithdrawn': {
        const { settingsDigest } = tariff;
        return {
          ...tariff,
          withdrawn: true,
          withdrawnAtMs: event.atMs,
          // The settings that do not have it any more may have it again.
          settingsDigest: event.source === 'settings' ? undefined : settingsDigest,
        };
      }
    }
  },
};

function isNews(command: PublishTariff, tariff: TariffState): boolean {
  const { source, digest, lastUpdatedMs, atMs, commandId } = command;
  if (commandId !== undefined && Object.hasOwn(tariff.done, commandId)) return false;
  // An operator's later change, or withdrawal, outlives a restart with the same settings.
  if (source === 'settings' && digest === tariff.settingsDigest) return false;
  if (lastUpdatedMs < tariff.lastUpdatedMs) return false; // LOC-34 by analogy: the older never overwrites.
  if (digest === tariff.digest && !tariff.withdrawn) return false;
  const seenAtMs = lastUpdatedMs > tariff.lastUpdatedMs ? undefined : tariff.seen[digest];
  if (seenAtMs === undefined) return true;
  // The same as before: a repeat, unless it was put back after it was withdrawn.
  return tariff.withdrawn && atMs > Math.max(tariff.withdrawnAtMs, seenAtMs);
}

/** The version in force at an instant: the last one taken by then, unless it was withdrawn. */
export function versionAt(
  events: readonly TariffEvent[],
  atMs: number,
): TariffPublished | undefined {
  let found: TariffPublished | undefined;
  for (const event of events) {
    if (event.atMs > atMs) break;
    found = event.type === 'TariffPublished' ? event : undefined;
  }
  return found;
}
