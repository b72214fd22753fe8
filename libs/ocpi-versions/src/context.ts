import type { CdrToken, Location, Party, Role, Token } from '#ocpi';

/** What an object of 2.1.1 does not say itself. */
export interface Context {
  /** Whose the object is: the party in the URL of a push, or the one that was asked. */
  readonly owner: Party;
  /** The other side of the link: whose tokens a CPO's Sessions and CDRs name. */
  readonly other: Party;
  /** DateTime: for what comes without last_updated, and for Tariffs that are not yet, or no longer, valid. */
  readonly now: string;
  /** Where a Session is: 2.1.1 sends the place along. */
  readonly location?: Location | undefined;
  /** Whose auth_id a Session or CDR names. */
  readonly cdrToken?: CdrToken | undefined;
  /** The one that was asked about: 2.1.1's AuthorizationInfo does not hold it. */
  readonly token?: Token | undefined;
  /** What a partner is taken to be: its credentials do not say. */
  readonly roles?: readonly Role[] | undefined;
}
