import type { Tariff } from '#ocpi';
import { inForce } from '#pricing';
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
 * TAR-03: in which version each tariff may price a charge that begins at an instant (epoch ms): the newest that has begun
 * then. `ended: 'left out'`: the newest that is valid then, for where nothing else applies.
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
  return (atMs, wish) =>
    named.map(({ tariffId, history }) => {
      const { begun, valid } = inForce(versionsUpTo(history, atMs), atMs, tariffOf);
      const version = (wish && valid) ?? begun;
      return { tariffId, version, tariff: version && tariffOf(version) };
    });
}
