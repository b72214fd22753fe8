import { type AuthorizationInfo, known, type Party, type Token } from '#ocpi';
import type { Context } from './context.ts';
import { Fields, filled, type Json, Notes } from './converted.ts';
import { TokenType } from './ocpi-211.ts';
import { tokenFields } from './ocpi-221.ts';

/** A Token, or what a PATCH of it says. */
export function tokenDown(token: Partial<Token>, notes: Notes): Json {
  const from = new Fields(token, notes);
  from.same('country_code', 'party_id');
  const type = from.take('type');
  const value = filled({
    ...from.same('uid'),
    type: type && tokenTypeDown(type, notes),
    auth_id: from.take('contract_id'),
    ...from.same('visual_number', 'issuer', 'valid', 'whitelist', 'language', 'last_updated'),
  });
  from.restIsLost();
  return value;
}

/** App users and ad hoc users are among the OTHER tokens of 2.1.1. */
export function tokenTypeDown(type: string, notes = new Notes()): string {
  if (known(TokenType, [type]).length > 0) return type;
  notes.say('type', `OCPI 2.1.1 has no ${type}; OTHER is sent`);
  return 'OTHER';
}

export function tokenUp(token: Json, { country_code, party_id }: Party, notes: Notes, whole: boolean): Json {
  const from = new Fields(token, notes);
  return filled({
    ...(whole ? { country_code, party_id } : {}),
    ...from.same('uid', 'type'),
    contract_id: from.take('auth_id'),
    ...from.same('visual_number', 'issuer', 'valid', 'whitelist', 'language', 'last_updated'),
    ...from.restIsKept(tokenFields),
  });
}

export function authorizationDown(info: AuthorizationInfo, notes: Notes): Json {
  const from = new Fields(info, notes);
  // Who asks knows the Token: it is in the URL.
  const value = from.same('allowed', 'location', 'info');
  from.take('token');
  from.restIsLost();
  return value;
}

export function authorizationUp(info: Json, { token, owner, now }: Context, notes: Notes, asked: { uid: string; type: string }): Json {
  const from = new Fields(info, notes);
  const references = from.take('location') as Json | undefined;
  if (!token) notes.say('token', 'is not in the answer and not known here; its uid stands for its contract');
  return filled({
    ...from.same('allowed'),
    token: token ?? {
      country_code: owner.country_code, party_id: owner.party_id, uid: asked.uid, type: asked.type, contract_id: asked.uid,
      issuer: `${owner.country_code}*${owner.party_id}`, valid: true, whitelist: 'NEVER', last_updated: now,
    },
    location: references && referencesUp(references, notes.at('location')),
    ...from.same('info'),
    ...from.restIsKept(['authorization_reference']),
  });
}

export function referencesUp(references: Json, notes: Notes): Json {
  const from = new Fields(references, notes);
  if (((from.take('connector_ids') as unknown[] | undefined) ?? []).length > 0)
    notes.say('connector_ids', 'OCPI 2.2.1 refers to EVSEs only');
  return { ...from.same('location_id', 'evse_uids'), ...from.restIsKept([]) };
}
