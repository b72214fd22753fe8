import { z } from 'zod';
import type { Settings } from '#settings';
import { isTimeZone } from '#time';

const ledgerSection = z.strictObject({
  /** Whose calendar says to which month a CDR belongs, where no agreement does. */
  time_zone: z
    .string()
    .refine(isTimeZone, 'an IANA time zone, such as America/Vancouver')
    .default('America/Vancouver'),
});

export type LedgerSettings = z.output<typeof ledgerSection>;

export function ledgerSettings(settings: Settings): LedgerSettings {
  return settings.section('ledger', ledgerSection);
}
