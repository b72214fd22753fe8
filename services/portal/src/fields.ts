import { z } from 'zod';
import { instantMs } from '#ocpi';

/** Fields that several routes have, as they stand in a URL or a body. */

export const CountryCode = z.string().regex(/^[A-Za-z]{2}$/, 'two letters, such as CA').toUpperCase();
export const PartyId = z.string().regex(/^[A-Za-z0-9]{3}$/, 'three letters or digits, such as BCT').toUpperCase();

export const ofParty = { country_code: CountryCode, party_id: PartyId };
export const ofPartner = z.strictObject({ partner_id: z.string().min(1).max(100) });
export const ofCharge = z.strictObject({
  charge_id: z.string().regex(/^[\x20-\x7e]{1,43}$/, 'the id of a charge, or <country>*<party>*<session_id>'),
});

/** As OCPI's DateTime, and never without Z: an instant that is in no calendar is refused here, not by a database. */
export const Instant = z.string()
  .refine((text) => text.endsWith('Z') && instantMs(text) !== undefined, 'an instant in UTC, such as 2022-02-01T17:00:00Z')
  .meta({ format: 'date-time' });

export const Currency = z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code, such as CAD');

/** In a query: which of the operator's own parties is meant, where they are several. */
export const OwnParty = z.string().regex(/^[A-Za-z]{2}\*[A-Za-z0-9]{3}$/, 'a party of yours, such as CA*BCT').toUpperCase().optional()
  .meta({ description: 'which of your own parties, such as CA*BCT; has to be said where you are several' });

export function ownParty({ own_party }: { own_party?: string | undefined }) {
  const [countryCode = '', partyId = ''] = own_party?.split('*') ?? [];
  return own_party === undefined ? {} : { ownParty: { countryCode, partyId } };
}

const printable = (most: number) =>
  z.string().regex(new RegExp(`^[\\x20-\\x7e]{1,${most}}$`), `1 to ${most} printable ASCII characters`);
export const OcpiId = printable(36);
/** Credit CDRs have up to 39 characters. */
export const CdrId = printable(39);

export const Money = z.object({
  excl_vat: z.string().meta({ description: 'a decimal number' }),
  incl_vat: z.string().optional(),
  currency: z.string(),
}).meta({ id: 'Money' });

export const OcpiObject = z.record(z.string(), z.unknown());

/** A number in a query: plain decimal digits, never `0x10`, an exponent or nothing. */
export function numberText<T extends z.ZodType>(schema: T) {
  const isNumber = (given: unknown) => typeof given === 'string' && /^-?\d{1,9}(\.\d{1,12})?$/.test(given);
  return z.preprocess((given) => (isNumber(given) ? Number(given) : given), schema);
}

/** A number whose refusal names its bounds. */
export function between<T extends z.ZodNumber | z.ZodInt>(schema: T, least: number, most: number, what: string) {
  const error = `${what} from ${least} to ${most}`;
  return schema.min(least, error).max(most, error);
}

export const Limit = (most: number, otherwise: number) =>
  numberText(between(z.int(`a whole number from 1 to ${most}`), 1, most, 'a whole number').default(otherwise));

export const Findings = z.array(z.object({
  code: z.string(),
  detail: z.string(),
  figures: z.record(z.string(), z.string()).meta({
    description: 'those of the detail, each as text: field, told, due, currency, vat (excl or incl), unit, start. Empty where it has none',
  }),
}));
export const Explanation = z.object({ text: z.string(), tree: z.unknown() });
