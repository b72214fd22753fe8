const MAX = 0xffff_ffff;

/** Seconds that a partner says, as the bus carries them: more than 136 years are no other time. */
export function uint32(seconds: number): number {
  return Math.min(seconds, MAX);
}
