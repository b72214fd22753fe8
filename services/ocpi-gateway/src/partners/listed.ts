import { type Credentials, type CredentialsRole, sameParty } from '#ocpi';

/** As a partner said them; of a hub that lists them, with those behind it. */
export type HeardCredentials = Credentials & { readonly behind?: readonly CredentialsRole[] };

/**
 * From 2.3.0 on a hub lists, beside itself, who is reached through it. Those are no roles of its platform: they may have links of
 * their own, and nobody invites each of them. HUB-18.
 */
export function withoutBehind(said: Credentials, version: string): HeardCredentials {
  const hub = version === '2.3.0' ? said.roles.find(({ role }) => role === 'HUB') : undefined;
  if (!hub) return said;
  return { ...said, roles: said.roles.filter((one) => sameParty(one, hub)), behind: said.roles.filter((one) => !sameParty(one, hub)) };
}
