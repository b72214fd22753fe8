import { z } from 'zod';
import {
  boolean, ci, CountryCode, DateTime, DisplayText, enumOf, id, Language, list, object, open, optional, PartyId,
  type Patch, patchOf, text,
} from './fields.ts';

// OCPI 2.2.1 mod_tokens, and the profile type that Sessions share.

export const AllowedType = enumOf('AllowedType', ['ALLOWED', 'BLOCKED', 'EXPIRED', 'NO_CREDIT', 'NOT_ALLOWED']);
export type AllowedType = z.infer<typeof AllowedType>;

export const TokenType = enumOf('TokenType', ['AD_HOC_USER', 'APP_USER', 'OTHER', 'RFID']);
export type TokenType = z.infer<typeof TokenType>;

export const WhitelistType = enumOf('WhitelistType', ['ALWAYS', 'ALLOWED', 'ALLOWED_OFFLINE', 'NEVER']);
export type WhitelistType = z.infer<typeof WhitelistType>;

export const ProfileType = enumOf('ProfileType', ['CHEAP', 'FAST', 'GREEN', 'REGULAR']);
export type ProfileType = z.infer<typeof ProfileType>;

export const EnergyContract = object('EnergyContract', {
  supplier_name: text(64), contract_id: optional(text(64)),
});
export type EnergyContract = z.infer<typeof EnergyContract>;

/** Its key is (country_code, party_id, uid, type): two tokens may share a uid. TOK-01. */
export const Token = object('Token', {
  country_code: CountryCode,
  party_id: PartyId,
  uid: id(36),
  type: TokenType,
  contract_id: ci(36),
  visual_number: optional(text(64)),
  issuer: text(64),
  group_id: optional(ci(36)),
  valid: boolean,
  whitelist: WhitelistType,
  language: optional(Language),
  default_profile_type: optional(open('ProfileType', ProfileType)),
  energy_contract: optional(EnergyContract),
  last_updated: DateTime,
});
export type Token = z.infer<typeof Token>;

export const TokenPatch = patchOf('Token', Token);
export type TokenPatch = Patch<Token>;

export const LocationReferences = object('LocationReferences', {
  location_id: id(36), evse_uids: list(id(36)),
});
export type LocationReferences = z.infer<typeof LocationReferences>;

export const AuthorizationInfo = object('AuthorizationInfo', {
  allowed: AllowedType,
  token: Token,
  location: optional(LocationReferences),
  authorization_reference: optional(ci(36)),
  info: optional(DisplayText),
});
export type AuthorizationInfo = z.infer<typeof AuthorizationInfo>;
