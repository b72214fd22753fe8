import type { z } from 'zod';
import { AuthorizationInfo, type Cdr, object, read } from '#ocpi';
import { isTimeZone } from '#time';

/** A deviation from OCPI 2.2.1 that partners are known for: docs/adr/0019. */
export interface Quirk {
  /** What the partner does. */
  readonly what: string;
  readonly rule: string;
  /** How it is noticed. */
  readonly seen: string;
  /** What it is taken for, from whomever, with nothing to choose; absent where nothing is done about it unasked. */
  readonly accepted?: string;
  /** What choosing it for a partner changes; absent where there is nothing to choose. */
  readonly chosen?: string;
}

/** All of them, in one place. */
export const quirks = {
  'unencoded-token': {
    what: 'writes the credentials token as it is into Authorization, not in Base64 (as OCPI 2.2 and before were read)',
    rule: 'TRN-04',
    seen: 'a request whose token is known only as it stands, or a 401 at the handshake that the token as it stands avoids',
    accepted: 'tokens are looked up in both forms',
    chosen: 'our token goes to it as it is',
  },
  'odd-token-scheme': {
    what: 'writes the word Token in another case, or more than one space behind it',
    rule: 'TRN-01',
    seen: 'a request with such a header',
    accepted: 'the case and the spaces do not matter',
  },
  'newline-in-token': {
    what: 'encodes its token with a line break behind it, as the example of OCPI does',
    rule: 'TRN-03',
    seen: 'a request with such a token',
    accepted: 'white space behind the token is cut off',
  },
  'no-message-ids': {
    what: 'sends requests without X-Request-ID or X-Correlation-ID',
    rule: 'TRN-80',
    seen: 'a request without one of them',
    accepted: 'ids are made up for the answer',
  },
  'wrapped-results': {
    what: 'puts the results of commands and charging profiles into an envelope, and may want ours in one',
    rule: 'TRN-23',
    seen: 'a result that came in an envelope, or a bare one of ours that it refused as invalid',
    accepted: 'a result in an envelope is taken out of it',
    chosen: 'our results go to it in an envelope',
  },
  'no-total-count': {
    what: 'answers lists without X-Total-Count',
    rule: 'TRN-52',
    seen: 'a page without it',
    accepted: 'a list ends where its Link does',
  },
  'no-page-limit': {
    what: 'answers lists without X-Limit',
    rule: 'TRN-52',
    seen: 'a page without it',
    accepted: 'pages are taken as long as they come',
  },
  'no-link': {
    what: 'answers a page that is not the last without a Link to the next, or with one that leads to another host or scheme',
    rule: 'TRN-52',
    seen: 'a page without a Link whose X-Total-Count says that there is more, a full one without both behind which there is, or a Link to elsewhere',
    accepted: 'what is not on such a list is not taken for gone; without X-Total-Count a full page is followed by offset',
    chosen: 'the next page is asked for by offset until one is empty or the count is reached; all its lists are read anew at once',
  },
  'no-date-filter': {
    what: 'refuses lists with date_from',
    rule: 'TRN-50',
    seen: 'a list with date_from that is refused as invalid',
    chosen: 'lists other than Sessions are read without date_from: the whole each time',
  },
  'small-pages': {
    what: 'does not answer a long page in time',
    rule: 'TRN-53',
    seen: 'a page that did not come whole in time',
    chosen: 'lists are begun with limit=25',
  },
  'no-patch': {
    what: 'takes no PATCH',
    rule: 'TRN-10',
    seen: 'a PATCH answered with HTTP 405 or 501',
    accepted: 'a PATCH that is refused is followed by a PUT of the whole object',
    chosen: 'nothing but PUTs of whole objects goes to it',
  },
  'trailing-slash': {
    what: 'redirects from a URL to the same one with a slash at its end',
    rule: 'TRN-16',
    seen: 'such a redirect, which is not followed',
    chosen: 'the path of every URL that it is sent ends with a slash',
  },
  'no-cdr-location': {
    what: 'acknowledges a CDR without the Location header',
    rule: 'CDR-01',
    seen: 'a CDR answered so',
    accepted: 'the CDR is delivered; after an unclear answer it is POSTed again instead of looked for',
  },
  'sloppy-credits': {
    what: 'sends Credit CDRs with a positive total, everything negated, no flag, or the id of the original',
    rule: 'CDR-04',
    seen: 'such a CDR',
    accepted: 'it is booked as it was meant, with a finding (docs/adr/0011)',
  },
  'sloppy-command-responses': {
    what: 'answers a command or a charging profile without a timeout, or answers a command or tells its result with a message that is no list of texts',
    rule: 'CMD-01',
    seen: 'a CommandResponse, ChargingProfileResponse or CommandResult in which nothing but that is wrong',
    accepted: 'the result counts without the message, and is waited for 30 s where nothing is said of that',
  },
  'sloppy-authorizations': {
    what: 'answers a question about a token with a Token that is not whole, or a text for the driver that is no DisplayText',
    rule: 'TOK-04',
    seen: 'an AuthorizationInfo in which nothing but that is wrong',
    accepted: 'what is allowed, and where, counts: the token is the one that was asked about',
  },
  'late-sessions': {
    what: 'goes on to change Sessions that are COMPLETED, or sends the CDR before COMPLETED',
    rule: 'SES-01',
    seen: 'a push refused because the Session is final, or a CDR of a Session that is not over',
    chosen: 'a change of a Session that is COMPLETED is acknowledged and left out, not refused with 2001',
  },
  'unknown-time-zone': {
    what: 'has Locations in time zones that there are not, such as abbreviations or names in another case',
    rule: 'LOC-10',
    seen: 'a Location with such a time_zone, pushed or listed',
    accepted: 'the Location is kept as it came; a CDR priced by local time there is not priced again, with a finding',
  },
  'long-numbers': {
    what: 'writes numbers with more digits than a double carries exactly',
    rule: 'TYP-04',
    seen: 'a body or an answer refused for that',
    chosen: 'such a number is taken as the nearest that is carried: amounts may change in the sixteenth digit',
  },
} as const satisfies Readonly<Record<string, Quirk>>;

export type QuirkName = keyof typeof quirks;

export const quirkNames = Object.keys(quirks) as QuirkName[];

export function isQuirk(name: string): name is QuirkName {
  return Object.hasOwn(quirks, name);
}

export function isForChoice(name: QuirkName): boolean {
  return (quirks[name] as Quirk).chosen !== undefined;
}

/** Those that an operator chose for a partner, with the time of it. */
export type Chosen = Readonly<Partial<Record<QuirkName, string>>>;

export function hasQuirk({ quirks: chosen }: { readonly quirks: Chosen }, name: QuirkName): boolean {
  return chosen[name] !== undefined;
}

/** Of those that were seen, what could be chosen and is not. */
export function suggested(seen: readonly QuirkName[], chosen: Chosen): QuirkName[] {
  return seen.filter((name) => isQuirk(name) && isForChoice(name) && chosen[name] === undefined);
}

const USUAL_TIMEOUT_S = 30;

/** The response in an answer, also one of which the result alone is right; `fault`: what is not. CMD-01, CHP-01. */
export function responseIn<R extends z.ZodType>(schema: R, data: unknown): { readonly response?: z.output<R> | undefined; readonly fault?: string } {
  const whole = read(schema, data);
  if (whole.ok) return { response: whole.value };
  const { result, timeout } = (data ?? {}) as Readonly<Record<string, unknown>>;
  const [response] = [timeout, USUAL_TIMEOUT_S].map((seconds) => read(schema, { result, timeout: seconds }))
    .flatMap((reading) => (reading.ok ? [reading.value] : []));
  return { response, fault: whole.message };
}

/** What an answer about a token decides. */
export type Authorized = Pick<AuthorizationInfo, 'allowed' | 'location' | 'authorization_reference'>;
const { allowed, location, authorization_reference } = AuthorizationInfo.shape;
const Authorized = object('AuthorizationInfo', { allowed, location, authorization_reference });

/** The AuthorizationInfo in an answer, also one that is right in what it decides; `fault`: what is not. TOK-04. */
export function authorizationIn(data: unknown): { readonly info?: Authorized; readonly fault?: string } {
  const whole = read(AuthorizationInfo, data);
  if (whole.ok) return { info: whole.value };
  const { token: _token, info: _info, ...decided } = (data ?? {}) as Readonly<Record<string, unknown>>;
  const reading = read(Authorized, decided);
  return { ...(reading.ok ? { info: reading.value } : {}), fault: whole.message };
}

const PARTS = ['total_fixed_cost', 'total_energy_cost', 'total_time_cost', 'total_parking_cost', 'total_reservation_cost'] as const;

/** What is not right with a Credit CDR, if anything is: only its total_cost is negated. CDR-04. */
export function sloppyCredit(cdr: Cdr): string | undefined {
  const { credit, credit_reference_id: reference, id, total_cost: total, total_energy: energy, total_time: time } = cdr;
  if (credit !== true) return total.excl_vat < 0 && energy >= 0 ? `${id} has a negative total and no credit: true` : undefined;
  if (total.excl_vat > 0) return `${id} is a credit with a positive total`;
  if (energy < 0 || time < 0 || PARTS.some((part) => (cdr[part]?.excl_vat ?? 0) < 0)) return `${id} negates more than its total_cost`;
  return reference !== undefined && reference.toLowerCase() === id.toLowerCase() ? `${id} has the id of what it credits` : undefined;
}

/** A Location, or what a PATCH says of one, in a time zone that there is not. LOC-10. */
export function zoneless(location: unknown): string | undefined {
  const { id, time_zone } = (location ?? {}) as { id?: unknown; time_zone?: unknown };
  if (typeof id !== 'string' || typeof time_zone !== 'string' || isTimeZone(time_zone)) return undefined;
  return `the Location ${id}: ${time_zone}`;
}
