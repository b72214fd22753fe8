import type { Verdict } from './check.ts';

/** Where the platform did not even say what it offers. */
export const NO_DETAILS = 'the version details could not be read';

/** Why a rule that no check is about is not judged. */
export function unseen(rule: string): { verdict: Verdict; why: string } {
  const module = rule.split('-')[0]!;
  if (of[rule] !== undefined) return { verdict: 'not tested', why: of[rule] };
  if (module === 'HUB' || module === 'HCI') return { verdict: 'not tested', why: 'a rule of hubs, and of how members meet behind one' };
  return { verdict: 'not tested', why: byModule[module] ?? 'it cannot be seen by a partner' };
}

/** Why a rule that the platform could have shown by itself is not judged. */
export const unshown: Readonly<Record<string, string>> = {
  'TRN-63': 'the platform pushed no PATCH of a Location or a Session while the kit was its partner',
};

const byModule: Readonly<Record<string, string>> = {
  PRC: 'prices are checked by `npx roamwatt price`, on the CDRs that the platform sends',
  CHP: 'it needs a charge that follows profiles',
  SES: 'it shows only while a car charges',
  CDR: 'it shows only in the CDR of a charge whose course is known',
  TAR: 'it is about what prices mean: `npx roamwatt lint` looks at tariffs',
  LOC: 'it is about what is true at the place',
  TOK: 'it shows only when a card is tapped',
  CMD: 'it shows only with a charge or a reservation at a station',
};

const of: Readonly<Record<string, string>> = {
  'TRN-21': 'what data an answer holds is judged by the rules of its module',
  'VER-07': 'what is typical of a role is not required of it',
  'TRN-08': 'whether TLS is required is for whoever runs the platform to know',
  'TRN-57': 'what a platform forgets after a full pull cannot be seen by its partner',
  'TRN-91': 'it shows only where an object changes more than once while the kit is away, which the kit cannot bring about',
  'CRE-11': 'it shows only when a token is in the wrong hands',
};
