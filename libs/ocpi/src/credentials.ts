import { z } from 'zod';
import { CountryCode, object, PartyId, pattern, Role, ruled, some, url } from './fields.ts';
import { BusinessDetails } from './locations.ts';

// OCPI 2.2.1 mod_credentials.

export const CredentialsRole = object('CredentialsRole', {
  role: Role, business_details: BusinessDetails, party_id: PartyId, country_code: CountryCode,
});
export type CredentialsRole = z.infer<typeof CredentialsRole>;

/** token is raw here, never Base64 (TRN-02); a role and party stands in the list once (CRE-10). */
export const Credentials = ruled(object('Credentials', {
  token: pattern(/^[\x21-\x7e]{1,64}$/, 'a token of 1 to 64 characters U+0021 to U+007E'),
  url: url(),
  roles: some(CredentialsRole),
}), ({ roles }) => {
  const keys = roles.map((role) => `${role.role}/${role.country_code}/${role.party_id}`.toUpperCase());
  const twice = keys.findIndex((key, i) => keys.indexOf(key) < i);
  return twice < 0 ? undefined : [`roles[${twice}]`, `names the role ${keys[twice]} a second time (mod_credentials)`];
});
export type Credentials = z.infer<typeof Credentials>;
