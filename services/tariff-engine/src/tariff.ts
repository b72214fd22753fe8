import type { Decider } from '#decider';

/** One tariff of one party; each published change is a version that stays as it is. */
export interface TariffState {
  /** 0 = never published. */
  readonly version: number;
  /** The newest version's JSON. */
  readonly text: string;
  readonly lastUpdatedMs: number;
  readonly withdrawn: boolean;
}

export interface PublishTariff {
  readonly type: 'PublishTariff';
  readonly own: boolean;
  /** The OCPI Tariff's JSON. */
  readonly text: string;
  readonly lastUpdated: string;
  readonly lastUpdatedMs: number;
  /** Platform time at which we take it. */
  readonly at: string;
}

export interface WithdrawTariff {
  readonly type: 'WithdrawTariff';
  readonly own: boolean;
  readonly at: string;
}

export type TariffCommand = PublishTariff | WithdrawTariff;

export interface TariffPublished {
  readonly type: 'TariffPublished';
  readonly own: boolean;
  readonly version: number;
  readonly text: string;
  readonly lastUpdated: string;
  readonly lastUpdatedMs: number;
  readonly at: string;
}

export interface TariffWithdrawn {
  readonly type: 'TariffWithdrawn';
  readonly own: boolean;
  readonly at: string;
}

export type TariffEvent = TariffPublished | TariffWithdrawn;

export const tariffDecider: Decider<TariffState, TariffCommand, TariffEvent> = {
  initial: { version: 0, text: '', lastUpdatedMs: -Infinity, withdrawn: false },

  decide(command, tariff) {
    switch (command.type) {
      case 'PublishTariff': {
        if (command.lastUpdatedMs < tariff.lastUpdatedMs) return []; // LOC-34 by analogy: the older never overwrites.
        if (sameContent(command.text, tariff.text) && !tariff.withdrawn) return [];
        return [{ ...command, type: 'TariffPublished', version: tariff.version + 1 }];
      }
      case 'WithdrawTariff':
        return tariff.version === 0 || tariff.withdrawn ? [] : [{ ...command, type: 'TariffWithdrawn' }];
    }
  },

  evolve(tariff, event) {
    switch (event.type) {
      case 'TariffPublished':
        return { version: event.version, text: event.text, lastUpdatedMs: event.lastUpdatedMs, withdrawn: false };
      case 'TariffWithdrawn':
        return { ...tariff, withdrawn: true };
    }
  },
};

/** Whether two tariffs say the same; last_updated alone is no change. */
export function sameContent(a: string, b: string): boolean {
  return a === b || (a !== '' && b !== '' && withoutLastUpdated(a) === withoutLastUpdated(b));
}

function withoutLastUpdated(text: string): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), last_updated: undefined });
}

/** The version in force at an instant: the last one taken by then, unless it was withdrawn. */
export function versionAt(events: readonly TariffEvent[], atMs: number, msOf: (at: string) => number): TariffPublished | undefined {
  let found: TariffPublished | undefined;
  for (const event of events) {
    if (msOf(event.at) > atMs) break;
    found = event.type === 'TariffPublished' ? event : undefined;
  }
  return found;
}
