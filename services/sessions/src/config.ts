import { z } from 'zod';
import type { Settings } from '#settings';
import type { Clock } from '#time';

const section = z.strictObject({
  /** Platform time between two refreshes of a running Session. */
  update_every_s: z.number().positive().default(60),
  /** What partners are told to wait for the result of a command; platform time. */
  start_timeout_s: z.int().positive().default(60),
  stop_timeout_s: z.int().positive().default(60),
  /** Real time for a charger's answer, and for a partner's answer to an order. */
  charger_timeout_ms: z.int().positive().default(30_000),
  partner_timeout_ms: z.int().positive().default(20_000),
});

export interface Config {
  readonly updateEveryMs: number;
  readonly startTimeoutS: number;
  readonly stopTimeoutS: number;
  readonly chargerTimeoutMs: number;
  readonly partnerTimeoutMs: number;
}

export function configOf(settings: Settings): Config {
  const given = settings.section('sessions', section);
  return {
    updateEveryMs: given.update_every_s * 1_000,
    startTimeoutS: notBefore(given.charger_timeout_ms, given.start_timeout_s, settings.clock),
    stopTimeoutS: notBefore(given.charger_timeout_ms, given.stop_timeout_s, settings.clock),
    chargerTimeoutMs: given.charger_timeout_ms,
    partnerTimeoutMs: given.partner_timeout_ms,
  };
}

/** The network's time-out is real time: where the platform's clock runs fast, it takes more of its seconds. */
function notBefore(networkMs: number, timeoutS: number, { rate }: Clock): number {
  return Math.max(timeoutS, Math.ceil((networkMs / 1_000) * rate));
}
