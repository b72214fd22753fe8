import { type CredentialsRole, type Party, partyText, type Role, sameParty } from '#ocpi';

/** A party for which a link is meant. */
export interface InvitedParty extends Party {
  /** As which it may come; none named: any but HUB, which speaks for others. */
  readonly roles: readonly Role[];
}

type Named = Pick<CredentialsRole, 'country_code' | 'party_id' | 'role'>;

/** CRE-10: whether a link that is meant for these may speak for a party in this role. */
export function isInvited(invited: readonly InvitedParty[], { role, ...party }: Named): boolean {
  return invited.some((one) => sameParty(one, party) && (one.roles.length === 0 ? role !== 'HUB' : one.roles.includes(role)));
}

/** Of roles that are guessed those in which somebody is invited; all, where the invitation does not tell. */
export function asInvited(invited: readonly InvitedParty[], guessed: readonly Role[]): readonly Role[] {
  const named = invited.every(({ roles }) => roles.length > 0)
    ? guessed.filter((role) => invited.some(({ roles }) => roles.includes(role)))
    : [];
  return named.length > 0 ? named : guessed;
}

/** What a link is meant for when an operator says that it is meant for those who came. */
export function invitedAs(roles: readonly Named[]): InvitedParty[] {
  return roles.map(({ country_code, party_id, role }) => ({ country_code, party_id, roles: [role] }));
}

/** As an operator writes it: `CA*CPK:EMSP`. */
function invitedText({ roles, ...party }: InvitedParty): string {
  return `${partyText(party)}${roles.length === 0 ? '' : `:${roles.join(',')}`}`;
}

/** Undefined where all that come are invited; else what an operator and the partner have to know. */
export function uninvitedText(roles: readonly Named[], invited: readonly InvitedParty[]): string | undefined {
  const others = roles.filter((one) => !isInvited(invited, one));
  if (others.length === 0) return undefined;
  return `roles: ${others.map((one) => `${partyText(one)} as ${one.role}`).join(', ')} is not what this link is for, which is ${invited.map(invitedText).join(', ')}`;
}
