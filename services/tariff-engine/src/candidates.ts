import type { Tariff } from '#ocpi';
import { isValidAt } from '#pricing';
import { instant } from '#time';
import type { Candidate } from './choice.ts';
import { type TariffPublished, type TariffTurn, versionsUpTo } from './tariff.ts';

export interface HeldCandidate extends Candidate {
  readonly version: TariffPublished | undefined;
}

/** A tariff that a Connector names, and all that was ever published of it. */
export interface NamedTariff {
  readonly tariffId: string;
  readonly history: readonly TariffTurn[];
}

/**
 * TAR-03: in which version each tariff may price a charge that begins at an instant (epoch ms). It is the newest whose own
 * start has come: one that is published ahead leaves the one before it in force until then. `ended: 'left out'`: the newest
 * that is valid then, for where nothing else applies: a special price that is over leaves no gap behind it.
 */
export function candidatesFrom(
  named: readonly NamedTariff[],
): (atMs: number, wish?: { readonly ended: 'left out' }) => HeldCandidate[] {
  const parsed = new Map<TariffPublished, Tariff>();
  const tariffOf = (version: TariffPublished): Tariff => {
    const known = parsed.get(version) ?? (JSON.parse(version.text) as Tariff);
    parsed.set(version, known);
    return known;
  };
  const hasBegun = (version: TariffPublished, atMs: number): boolean => {
    const { start_date_time: from } = tariffOf(version);
    return from == null || instant(from) <= atMs;
  };
  return (atMs, wish) =>
    named.map(({ tariffId, history }) => {
      const versions = versionsUpTo(history, atMs);
      const version = (wish && versions.find((one) => isValidAt(tariffOf(one), atMs)))
        ?? versions.find((one) => hasBegun(one, atMs)) ?? versions[0];
      return { tariffId, version, tariff: version && tariffOf(version) };
    });
}
