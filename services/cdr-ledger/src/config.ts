import { z } from 'zod';
import { isPublicKey } from '#chain';
import type { Settings } from '#settings';
import { isTimeZone } from '#time';

/**
 * To the database: each follower of the log holds one while it writes its rows, and the two that append, the two that
 * write private parts and whoever reads must not stand in line behind them.
 */
export const CONNECTIONS = 14;

const ledgerSection = z.strictObject({
  /** Whose calendar says to which month a CDR belongs, where no agreement does. */
  time_zone: z
    .string()
    .refine(isTimeZone, 'an IANA time zone, such as America/Vancouver')
    .default('America/Vancouver'),
  /** Signs the days: an Ed25519 key in PEM; without it one made of the platform's secret. */
  signing_key_file: z.string().min(1).optional(),
  /** Whose heads are still to be believed after a new key took over. */
  former_public_keys: z
    .array(z.string().refine(isPublicKey, 'an Ed25519 public key: 43 characters of base64url'))
    .default([]),
});

export type LedgerSettings = z.output<typeof ledgerSection>;

export function ledgerSettings(settings: Settings): LedgerSettings {
  return settings.section('ledger', ledgerSection);
}
