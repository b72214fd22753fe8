/** A car that wants to charge. mA per phase, ms of the platform's clock. */
export interface Claim {
  readonly key: string;
  /** The most that it can use; at least the minimum. */
  readonly capMa: number;
  /** Whether it is charging now, and since when it has been so or has been waiting. */
  readonly charging: boolean;
  readonly since: number;
  /** It waits because it has had its time before. */
  readonly hasYielded: boolean;
}

export interface ShareRules {
  readonly minMa: number;
  readonly stepMa: number;
  /** What a car counts for that is not given anything: its charger's fail-safe. */
  readonly idleMa: number;
}

/**
 * Max-min fair: nobody's share can grow without taking from one that has the same or less. Shares
 * are whole steps and never between 0 and the minimum. When not all can have the minimum, the first
 * of `claims` get it and the others 0. What rounding leaves over goes to the first, one step each.
 * Σ shares, each counted at least `idleMa`, is at most `roomMa` wherever that is possible at all.
 */
export function fairShares(
  claims: readonly Claim[],
  roomMa: number,
  rules: ShareRules,
): ReadonlyMap<string, number> {
  const { admitted, leftMa } = admit(claims, roomMa, rules);
  const floorMa = Math.max(rules.minMa, rules.idleMa);
  const shares = new Map(claims.map((claim) => [claim.key, 0]));
  let poolMa = leftMa;
  const byCap = admitted.toSorted((a, b) => a.capMa - b.capMa);
  for (const [i, claim] of byCap.entries()) {
    const exactMa = Math.min(claim.capMa, poolMa / (byCap.length - i));
    poolMa -= exactMa;
    shares.set(claim.key, Math.max(floorMa, floorTo(exactMa, rules.stepMa)));
  }
  const givenMa = admitted.reduce((sum, claim) => sum + (shares.get(claim.key) ?? 0), 0);
  handOut(admitted, leftMa - givenMa, { shares, stepMa: rules.stepMa });
  return shares;
}

/** The first that fit at the minimum, and what there is for all of them together. */
function admit(claims: readonly Claim[], roomMa: number, rules: ShareRules) {
  const floorMa = Math.max(rules.minMa, rules.idleMa);
  const idleSumMa = claims.length * rules.idleMa;
  // More than there is even when all stand still: then at least let as few as possible charge.
  const idleMa = idleSumMa > roomMa ? 0 : rules.idleMa;
  let leftMa = roomMa - claims.length * idleMa;
  const admitted = claims.filter(() => {
    if (leftMa < floorMa - idleMa) return false;
    leftMa -= floorMa - idleMa;
    return true;
  });
  return { admitted, leftMa: leftMa + admitted.length * floorMa };
}

function handOut(
  claims: readonly Claim[],
  leftMa: number,
  { shares, stepMa }: { shares: Map<string, number>; stepMa: number },
): void {
  for (let before = Infinity; before > leftMa;) {
    before = leftMa;
    for (const claim of claims) {
      const shareMa = shares.get(claim.key) ?? 0;
      if (leftMa < stepMa || shareMa + stepMa > claim.capMa) continue;
      shares.set(claim.key, shareMa + stepMa);
      leftMa -= stepMa;
    }
  }
}

/**
 * Whose turn it is: who has begun keeps charging for `rotateAfterMs`; then come those who wait, the
 * longest first; then those who have had their time, the longest last; and last those who have just
 * yielded, for as long again, or two would take each other's place at every look.
 */
export function inTurn(claims: readonly Claim[], now: number, rotateAfterMs: number): Claim[] {
  const rank = ({ charging, since, hasYielded }: Claim) => {
    const isRecent = now - since < rotateAfterMs;
    if (charging) return isRecent ? 0 : 2;
    return hasYielded && isRecent ? 3 : 1;
  };
  return claims.toSorted((a, b) => {
    const ranked = rank(a) - rank(b);
    if (ranked !== 0) return ranked;
    return rank(a) === 2 ? b.since - a.since : a.since - b.since;
  });
}

export function floorTo(ma: number, stepMa: number): number {
  // 191.99999999999997 is what dividing and adding again makes of 192.
  return Math.floor(ma / stepMa + 1e-9) * stepMa;
}
