import { instant } from '#time';
import { isValidAt } from './course.ts';
import type { Tariff } from './shapes.ts';

export interface Payer {
  /** OCPI TokenType: AD_HOC_USER pays at the charger, the others by contract. */
  readonly tokenType: string;
  /** OCPI ProfileType, where the driver chose one. */
  readonly profile?: string | null;
  /** Epoch ms of the session's start. */
  readonly atMs: number;
  /** Ids of the tariffs that the agreement with the payer's partner offers; absent = all. */
  readonly offered?: readonly string[] | undefined;
}

/** TAR-02: which types of tariff are for a payer, best first; undefined = a tariff without type. */
function typesFor({ tokenType, profile }: Payer): (string | undefined)[] {
  if (tokenType === 'AD_HOC_USER') return ['AD_HOC_PAYMENT', undefined];
  if (profile == null || profile === 'REGULAR') return ['REGULAR', undefined];
  // A profile that the operator has no tariff for is charged as no profile is.
  return [`PROFILE_${profile}`, 'REGULAR', undefined];
}

/**
 * Which of a connector's tariffs applies to a session: the one of the payer's own type, else one
 * that is for all; only those that the agreement offers and that are valid at the start (TAR-03).
 * Where several are (LOC-11 forbids it) the one that began last, then the first of the list.
 * Undefined = none. Who pays at the charger has no partner and so no agreement.
 */
export function select<T extends Tariff>(tariffs: readonly T[], payer: Payer): T | undefined {
  const offered = payer.tokenType === 'AD_HOC_USER' ? undefined : payer.offered;
  const ids = offered && new Set(offered.map((id) => id.toLowerCase()));
  const valid = tariffs
    .filter(({ id }) => ids?.has(id.toLowerCase()) ?? true)
    .filter((tariff) => isValidAt(tariff, payer.atMs))
    .toSorted((a, b) => beganMs(b) - beganMs(a));
  for (const type of typesFor(payer)) {
    const found = valid.find((tariff) => (tariff.type ?? undefined) === type);
    if (found) return found;
  }
  return undefined;
}

function beganMs({ start_date_time: from }: Tariff): number {
  return from == null ? 0 : instant(from);
}

/**
 * TAR-03: of a tariff's versions, the newest first, those that may price a charge that begins at an instant (epoch ms).
 * `begun`: the newest whose own start has come, for one published ahead leaves the one before in force until then; the
 * newest where none has begun. `valid`: the newest that is valid then, for a price for a time leaves no gap behind it.
 */
export function inForce<V>(
  versions: readonly V[], atMs: number, tariffOf: (version: V) => Tariff,
): { readonly begun: V | undefined; readonly valid: V | undefined } {
  return {
    begun: versions.find((version) => beganMs(tariffOf(version)) <= atMs) ?? versions[0],
    valid: versions.find((version) => isValidAt(tariffOf(version), atMs)),
  };
}
