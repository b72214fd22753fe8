import type { OcpiSettings } from './config.ts';

type Pauses = Pick<OcpiSettings, 'first_retry_ms' | 'longest_retry_ms'>;

/** The pause after the n-th failure: doubled each time up to the longest, and up to a fifth shorter by chance. */
export function retryInMs(attempt: number, { first_retry_ms, longest_retry_ms }: Pauses, random = Math.random()): number {
  const pause = Math.min(first_retry_ms * 2 ** Math.min(attempt - 1, 30), longest_retry_ms);
  return Math.round(pause * (1 - random / 5));
}

/** A pause that is up to a fifth longer or shorter by chance: partners are not asked by all at the same moment. TRN-14. */
export function splayedMs(pauseMs: number, random = Math.random()): number {
  return pauseMs * (0.8 + random * 0.4);
}
