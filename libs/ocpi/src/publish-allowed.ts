import { idKey } from './ids.ts';
import type { Location, PublishTokenType } from './locations.ts';

/** What of a Token may let its owner see a Location that is not published. */
export type OwnedToken = Readonly<Partial<Record<'uid' | 'type' | 'visual_number' | 'issuer' | 'group_id', string>>>;

/**
 * An entry of publish_allowed_to, or a Token, so that the entry lets the Token's owner see it where the
 * Token contains it: all fields that are set are the same. LOC-06; uid and group_id have no case.
 */
export function asCompared({ uid, type, visual_number, issuer, group_id }: PublishTokenType | OwnedToken): OwnedToken {
  const set = { uid: uid && idKey(uid), type, visual_number, issuer, group_id: group_id && idKey(group_id) };
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined && value !== ''));
}

/** Whether publish_allowed_to of a Location that is not published names a Token. LOC-06. */
export function isNamed({ publish_allowed_to: entries = [] }: Pick<Location, 'publish_allowed_to'>, token: OwnedToken): boolean {
  const has = asCompared(token);
  return entries.some((entry) => {
    const wanted = Object.entries(asCompared(entry)) as [keyof OwnedToken, string][];
    return wanted.length > 0 && wanted.every(([field, value]) => has[field] === value);
  });
}
