import { z } from 'zod';
import { type Cdr, idKey, type Party, partyText } from '#ocpi';
import { readMeterKey } from '#ocmf';
import type { Settings } from '#settings';

const KEY = 'a public key of ECDSA in hex, base64 or PEM, as it stands on the meter';

const meter = z.strictObject({
  evse_uid: z.string().min(1).max(36),
  public_key: z.string().refine((text) => readMeterKey(text) !== undefined, KEY),
  /** Of a partner's EVSE, CA*BCT; ours where there is none. */
  party: z.string().regex(/^[A-Za-z]{2}\*[A-Za-z0-9]{3}$/, 'such as CA*BCT').optional(),
});

/** The public keys of meters, as printed on them, by the EVSE that they measure. */
export type MeterKeyOf = (cdr: Pick<Cdr, 'country_code' | 'party_id' | 'cdr_location'>) => string | undefined;

export function meterKeys(settings: Settings, isOwn: (party: Party) => boolean): MeterKeyOf {
  const keys = new Map(
    settings.list('meters', meter).map(({ evse_uid, public_key, party = OURS }) => [
      `${idKey(party)} ${idKey(evse_uid)}`,
      public_key,
    ]),
  );
  return (cdr) =>
    keys.get(`${idKey(isOwn(cdr) ? OURS : partyText(cdr))} ${idKey(cdr.cdr_location.evse_uid)}`);
}

const OURS = 'ours';
