import { isValidAt } from './course.ts';
import type { Tariff } from './shapes.ts';

export interface Payer {
  /** OCPI TokenType: AD_HOC_USER pays at the charger, the others by contract. */
  readonly tokenType: string;
  /** OCPI ProfileType, where the driver chose one. */
  readonly profile?: string | null;
  /** Epoch ms of the session's start. */
  readonly atMs: number;
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
 * that is for all; only those valid at the start (TAR-03), the first of the list where several are.
 * Undefined = none.
 */
export function select<T extends Tariff>(tariffs: readonly T[], payer: Payer): T | undefined {
  const valid = tariffs.filter((tariff) => isValidAt(tariff, payer.atMs));
  for (const type of typesFor(payer)) {
    const found = valid.find((tariff) => (tariff.type ?? undefined) === type);
    if (found) return found;
  }
  return undefined;
}
