import type { PortalClient } from './portal-client.ts';
import { portalVerb } from './portal-verb.ts';
import { table } from './table.ts';
import { type Given, RefusedInput, WrongUsage } from './verb.ts';

export interface Partner {
  readonly partner_id: string;
  /** As it calls itself, once it has registered. */
  readonly name: string;
  /** As it was called when the link was made. */
  readonly known_as?: string;
  readonly state: string;
  readonly version: string;
  readonly versions_url: string;
  readonly roles: readonly { readonly role: string; readonly country_code: string; readonly party_id: string }[];
  /** For whom the link is meant, where its invitation says. */
  readonly invited?: readonly { readonly country_code: string; readonly party_id: string }[];
  readonly waiting: number;
  readonly waiting_since?: string;
  readonly failed_attempts: number;
  readonly dead_letters: number;
  /** Of a member, where the platform is a hub. */
  readonly reached?: { readonly status: string; readonly since: string };
  readonly line?: { readonly state: string; readonly since?: string; readonly next_try?: string };
  readonly last_error: string;
  readonly quirks: readonly string[];
  readonly suggested_quirks: readonly string[];
  readonly not_carried?: readonly string[];
}

export const PARTNER = 'PARTNER is an id, a name, or a party such as CA*CPK.';
export const EXAMPLE_URL = '--url http://127.0.0.1:8080';

export const partnerList = portalVerb({
  usage: '[options]',
  about: `Shows all partners: who they are (in brackets who is invited), what waits to be sent to them and since when, failed attempts, what they refused, and the last error.
line: up; down, nothing goes until the next try; trying; of a hub's member also offline, as the other members see it.`,
  options: {},
  examples: [
    [`npx roamwatt partner list ${EXAMPLE_URL}`, 'all partners'],
    ['npx roamwatt partner list --json', 'for a program'],
  ],
  ask: async (_given, portal) => (await portal.call<{ partners: Partner[] }>('GET', '/v1/operator/partners')).partners,
  text: partnersText,
});

/** A line for each, and behind them what keeps something from reaching one. */
export function partnersText(partners: readonly Partner[]): string {
  if (partners.length === 0) return 'No partners yet: npx roamwatt partner invite NAME';
  return [
    ...table(
      [
        ['partner', 'parties', 'state', 'version', 'line', 'waiting', 'since', 'failed', 'refused', 'id'],
        ...partners.map((one) => [
          namesOf(one),
          one.roles.length > 0 ? partiesOf(one) : invitedIn(one),
          one.state,
          one.version || '-',
          lineOf(one),
          String(one.waiting),
          one.waiting_since ?? '-',
          String(one.failed_attempts),
          String(one.dead_letters),
          one.partner_id,
        ]),
      ],
      [false, false, false, false, false, true, false, true, true, false],
    ),
    ...partners.filter(({ state }) => state !== 'unregistered').flatMap((one) => {
      const { partner_id: id, name } = one;
      const isOneOfSeveral = partners.some((other) => other !== one && other.name === name);
      return saidOf(one).map((text) => `${name}${isOneOfSeveral ? ` (${id.slice(0, 8)})` : ''}: ${text}`);
    }),
  ].join('\n');
}

/** What keeps something from reaching a partner, or is to be known of the link. */
function saidOf(one: Partner): string[] {
  const { reached, line, version, not_carried: [lost, ...more] = [], last_error: error, quirks, suggested_quirks: shown } = one;
  return [
    reached?.status === 'OFFLINE' && `is OFFLINE since ${reached.since}; the hub asks whether it is back`,
    line?.since !== undefined && `does not take what is sent, since ${line.since}; next try ${line.next_try}`,
    lost !== undefined &&
      `OCPI ${version} cannot say all that there is (--json has the list): ${lost}${more.length > 0 ? `; and ${more.length} more` : ''}`,
    one.state === 'unapproved' &&
      `says that it is ${rolesOf(one)}; nothing goes to it or comes from it until you approve that: npx roamwatt partner approve ${one.partner_id}`,
    error !== '' && error,
    quirks.length > 0 && `is spoken to by its quirks ${quirks.join(', ')}`,
    shown.length > 0 && `shows ${shown.join(', ')}, see npx roamwatt partner quirks`,
  ].filter((text) => text !== false);
}

/** As it calls itself, and as it is known here where that is another name. */
function namesOf({ name, known_as: here = name }: Partner): string {
  return here.toLowerCase() === name.toLowerCase() ? name : `${name} (${here})`;
}

export function pathOf({ partner_id: id }: Partner): string {
  return `/v1/operator/partners/${encodeURIComponent(id)}`;
}

/** Where the portal has the partner that was given. Throws RefusedInput. */
export async function partnerPath(given: Given, portal: PortalClient): Promise<string> {
  return pathOf(await partnerOf(given, portal));
}

export function only({ files }: Given, what: string): string {
  const [one, ...more] = files;
  if (one === undefined || more.length > 0) throw new WrongUsage(`give ${what}, and nothing else`);
  return one;
}

/** By its id, its name or one of its parties; of several the one with a link. Throws RefusedInput. */
export async function partnerOf(given: Given, portal: PortalClient): Promise<Partner> {
  const named = only(given, 'the partner: an id, a name, or a party such as CA*CPK');
  const { partners } = await portal.call<{ partners: Partner[] }>('GET', '/v1/operator/partners');
  const same = (text: string) => text.toLowerCase() === named.toLowerCase();
  const found = partners.filter(({ partner_id: id, name, known_as: here = name, ...one }) =>
    [id, name, here, ...partiesOf(one).split(' ')].some(same));
  const linked = found.filter(({ state }) => state === 'registered');
  const [partner, ...more] = linked.length > 0 ? linked : found;
  if (!partner)
    throw new RefusedInput(
      `there is no partner "${named}"; there is ${[...new Set(partners.map(({ name }) => name))].join(', ') || 'none yet'}`,
    );
  if (more.length > 0)
    throw new RefusedInput(
      `"${named}" is several partners: name one by its id: ${[partner, ...more].map(({ partner_id }) => partner_id).join(', ')}`,
    );
  return partner;
}

/** Of who is linked: whether it takes what is sent. */
function lineOf({ state, line, reached }: Partner): string {
  if (state !== 'registered' || line === undefined) return '-';
  if (reached?.status === 'OFFLINE') return 'offline';
  return line.state === 'closed' ? 'up' : line.state === 'half-open' ? 'trying' : 'down';
}

function rolesOf({ roles }: Partner): string {
  return roles.map(({ role, country_code, party_id }) => `${country_code}*${party_id} ${role}`).join(', ');
}

/** In brackets: they are not there yet. */
function invitedIn({ invited = [] }: Partner): string {
  return invited.length > 0 ? `(${invited.map(({ country_code, party_id }) => `${country_code}*${party_id}`).join(' ')})` : '-';
}

export function partiesOf({ roles }: Pick<Partner, 'roles'>): string {
  return [...new Set(roles.map(({ country_code, party_id }) => `${country_code}*${party_id}`))].join(' ') || '-';
}
