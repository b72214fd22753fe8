import type { PortalClient } from './portal-client.ts';
import { portalVerb } from './portal-verb.ts';
import { table } from './table.ts';
import { type Given, optionOf, type Option, RefusedInput, WrongUsage } from './verb.ts';

interface Partner {
  readonly partner_id: string;
  readonly name: string;
  readonly state: string;
  readonly version: string;
  readonly versions_url: string;
  readonly roles: readonly { readonly role: string; readonly country_code: string; readonly party_id: string }[];
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

interface Letter {
  readonly module: string;
  readonly object: string;
  readonly reason: string;
  readonly since: string;
  /** Of OCPI, in which the body is. */
  readonly version: string;
  readonly body?: object;
}

export const PARTNER = 'PARTNER is an id, a name, or a party such as CA*CPK.';
const PARTY = {
  type: 'string',
  value: 'PARTY',
  multiple: true,
  help: 'a party and its roles, such as CA*CPK:EMSP or CA*ISL:CPO,EMSP; without roles any but HUB',
} satisfies Option;
export const EXAMPLE_URL = '--url http://127.0.0.1:8080';

export const partnerList = portalVerb({
  usage: '[options]',
  about: `Shows all partners: who they are, what waits to be sent to them and since when, failed attempts, what they refused, and the last error.
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
          one.name,
          partiesOf(one),
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
    ...partners.flatMap(({ name, reached }) =>
      reached?.status === 'OFFLINE'
        ? [`${name}: is OFFLINE since ${reached.since}; the hub asks whether it is back`]
        : [],
    ),
    ...partners.flatMap(({ name, line }) =>
      line?.since === undefined
        ? []
        : [`${name}: does not take what is sent, since ${line.since}; next try ${line.next_try}`],
    ),
    ...partners.flatMap(({ name, version, not_carried = [] }) =>
      not_carried.length === 0
        ? []
        : [
            `${name}: OCPI ${version} cannot say all that there is (--json has the list): ${not_carried[0]}${not_carried.length > 1 ? `; and ${not_carried.length - 1} more` : ''}`,
          ],
    ),
    ...partners
      .filter(({ state }) => state === 'unapproved')
      .map(
        (one) =>
          `${one.name}: says that it is ${rolesOf(one)}; nothing goes to it or comes from it until you approve that: npx roamwatt partner approve ${one.partner_id}`,
      ),
    ...partners.filter(({ last_error }) => last_error !== '').map(({ name, last_error }) => `${name}: ${last_error}`),
    ...partners
      .filter(({ quirks }) => quirks.length > 0)
      .map(({ name, quirks }) => `${name}: is spoken to by its quirks ${quirks.join(', ')}`),
    ...partners
      .filter(({ suggested_quirks }) => suggested_quirks.length > 0)
      .map(
        ({ name, suggested_quirks }) =>
          `${name}: shows ${suggested_quirks.join(', ')}, see npx roamwatt partner quirks`,
      ),
  ].join('\n');
}

export const partnerLetters = portalVerb({
  usage: 'PARTNER [options]',
  about: `Shows what a partner refused, with the reason and the body, the oldest first. ${PARTNER}`,
  options: { limit: { type: 'string', value: 'N', help: 'how many, 1 to 100 (20)' } satisfies Option },
  examples: [[`npx roamwatt partner letters 'CA*CPK' ${EXAMPLE_URL}`, 'why something did not reach Carbon Plunk']],
  async ask(given, portal) {
    const { partner_id } = await partnerOf(given, portal);
    const limit = optionOf(given, 'limit');
    if (limit !== undefined && !/^([1-9]\d?|100)$/.test(limit))
      throw new WrongUsage('--limit is a number from 1 to 100');
    return portal.call<{ letters: Letter[]; total: number }>(
      'GET',
      `${pathOf(partner_id)}/dead-letters${limit === undefined ? '' : `?limit=${limit}`}`,
    );
  },
  text: ({ letters, total }) =>
    total === 0
      ? 'No dead letters.'
      : [
          ...letters.map(
            ({ module, object, reason, since, version, body }) =>
              `${module} ${object}, since ${since}\n  ${reason}\n  ${body === undefined ? 'withdrawn meanwhile' : `OCPI ${version}: ${JSON.stringify(body)}`}`,
          ),
          ...(total > letters.length ? [`${letters.length} of ${total}.`] : []),
        ].join('\n'),
});

export const partnerReplay = portalVerb({
  usage: 'PARTNER [options]',
  about: `Sends dead letters again: an object as it is now, a CDR as it was issued. ${PARTNER}`,
  options: {
    module: { type: 'string', value: 'MODULE', help: 'only these: locations, tariffs, tokens, sessions, cdrs, hubclientinfo' },
    object: { type: 'string', value: 'ID', help: 'only this one; a token is "TYPE uid"' },
  },
  examples: [
    [`npx roamwatt partner replay 'CA*CPK' ${EXAMPLE_URL}`, 'all that it refused'],
    ['npx roamwatt partner replay \'CA*CPK\' --module cdrs --object 20220201-K7QXW2MZ4ABC-1', 'one CDR'],
  ],
  async ask(given, portal) {
    const { partner_id } = await partnerOf(given, portal);
    const [module, object] = [optionOf(given, 'module'), optionOf(given, 'object')];
    return portal.call<{ queued: number }>('POST', `${pathOf(partner_id)}/replay`, {
      ...(module && { module }),
      ...(object && { object }),
    });
  },
  text: ({ queued }) => (queued === 0 ? 'There are no dead letters.' : `${queued} to be sent again.`),
});

export const partnerInvite = portalVerb({
  usage: 'NAME [options]',
  about: `Makes a TOKEN_A for a partner who will register with us. Tell it to nobody else. Who registers as other parties than those named is refused;
where none is named, it waits for npx roamwatt partner approve after it has registered.`,
  options: { party: PARTY },
  examples: [
    [`npx roamwatt partner invite 'Carbon Plunk' --party 'CA*CPK:EMSP' ${EXAMPLE_URL}`, 'what Carbon Plunk needs'],
  ],
  ask: (given, portal) =>
    portal.call<{ versions_url: string; token_a: string }>('POST', '/v1/operator/invitations', {
      name: only(given, 'the name'),
      parties: partiesIn(given),
    }),
  text: ({ versions_url, token_a }) => `versions URL  ${versions_url}\nTOKEN_A       ${token_a}`,
});

export const partnerRegister = portalVerb({
  usage: 'NAME --versions-url URL [options]',
  about: 'Registers with a partner who gave us a TOKEN_A, which is read from the variable TOKEN_A.',
  options: {
    'versions-url': { type: 'string', value: 'URL', help: "the partner's" },
    set: {
      type: 'string',
      value: 'QUIRK',
      multiple: true,
      help: 'a quirk that is known beforehand, such as unencoded-token',
    } satisfies Option,
    party: { ...PARTY, help: 'whom it is, and as what: CA*EOA:CPO; else whoever answers' },
  },
  examples: [
    [
      "TOKEN_A=… npx roamwatt partner register 'Energy OASIS' --versions-url https://oasis.example/ocpi/versions",
      'the handshake',
    ],
  ],
  async ask(given, portal) {
    const [versions_url, token_a] = [optionOf(given, 'versions-url'), process.env['TOKEN_A']];
    if (!versions_url) throw new WrongUsage('give --versions-url');
    if (!token_a) throw new WrongUsage('set TOKEN_A to the token that the partner gave you');
    const quirks = given.options['set'] ?? [];
    return portal.call<Partner>('POST', '/v1/operator/partners', {
      name: only(given, 'the name'),
      versions_url,
      token_a,
      quirks,
      parties: partiesIn(given),
    });
  },
  text: (partner) => `${partner.name} (${partiesOf(partner)}) is ${partner.state}, OCPI ${partner.version}`,
});

export const partnerApprove = portalVerb({
  usage: 'PARTNER [options]',
  about: `Says for whom a link is meant: for the parties that it names, or for those of --party. What waited for them is sent then. ${PARTNER}`,
  options: { party: PARTY },
  examples: [[`npx roamwatt partner approve 'CA*CPK' ${EXAMPLE_URL}`, 'Carbon Plunk is who it says']],
  ask: async (given, portal) =>
    portal.call<Partner>('POST', `${pathOf((await partnerOf(given, portal)).partner_id)}/approve`, {
      parties: partiesIn(given),
    }),
  text: (partner) => `${partner.name} (${partiesOf(partner)}) is ${partner.state}`,
});

export const partnerRenew = portalVerb({
  usage: 'PARTNER [options]',
  about: `Gives both sides new tokens, by PUT of our credentials: each month, and at once when one may be known to others. ${PARTNER}`,
  options: {},
  examples: [[`npx roamwatt partner renew 'CA*CPK' ${EXAMPLE_URL}`, 'the old tokens are dead after it']],
  ask: async (given, portal) => portal.call<Partner>('POST', `${pathOf((await partnerOf(given, portal)).partner_id)}/renew`, {}),
  text: (partner) => `${partner.name} and we have new tokens.`,
});

export const partnerEnd = portalVerb({
  usage: 'PARTNER [options]',
  about: `Ends the link: its tokens are dead at once, then the partner is told. CDRs that it never got are kept for its next link. ${PARTNER}`,
  options: {},
  examples: [[`npx roamwatt partner end 'CA*CPK' ${EXAMPLE_URL}`, 'after it, invite it anew']],
  ask: async (given, portal) =>
    portal.call<{ told: boolean; detail: string }>('DELETE', pathOf((await partnerOf(given, portal)).partner_id)),
  text: ({ told, detail }) =>
    `The link has ended. ${told ? 'The partner knows.' : `The partner could not be told: ${detail}`}`,
});

interface Difference {
  readonly module: string;
  readonly object: string;
  readonly what: string;
  readonly detail: string;
  readonly at: string;
}

interface PullOf {
  readonly module: string;
  readonly party?: string;
  readonly ended_at?: string;
  readonly full: boolean;
  readonly objects: number;
  readonly differences: number;
  readonly error: string;
}

export const partnerPull = portalVerb({
  usage: 'PARTNER [options]',
  about: `Reads a partner's lists now: what changed since the last time, or all of them. ${PARTNER}`,
  options: { full: { type: 'boolean', help: 'whole lists: what is not listed is no longer valid' } },
  examples: [[`npx roamwatt partner pull 'CA*EOA' --full ${EXAMPLE_URL}`, 'after an outage, or in doubt']],
  ask: async (given, portal) =>
    portal.call<object>('POST', `${pathOf((await partnerOf(given, portal)).partner_id)}/pull`, {
      full: given.flags.has('full'),
    }),
  text: () => 'It begins now: npx roamwatt partner differences shows what it finds.',
});

export const partnerDifferences = portalVerb({
  usage: 'PARTNER [options]',
  about: `Shows how a partner's lists were read last, and what was found to be otherwise than here. ${PARTNER}`,
  options: {},
  examples: [[`npx roamwatt partner differences 'CA*EOA' ${EXAMPLE_URL}`, 'what pushes did not bring']],
  ask: async (given, portal) =>
    portal.call<{ pulls: PullOf[]; differences: Difference[] }>(
      'GET',
      `${pathOf((await partnerOf(given, portal)).partner_id)}/differences`,
    ),
  text: differencesText,
});

export function differencesText({
  pulls,
  differences,
}: {
  readonly pulls: readonly PullOf[];
  readonly differences: readonly Difference[];
}): string {
  if (pulls.length === 0)
    return 'No list was read yet: it happens by itself after the handshake, or now with npx roamwatt partner pull.';
  return [
    ...table(
      [
        ['list', 'of', 'read', 'whole', 'objects', 'differences', 'error'],
        ...pulls.map((one) => [
          one.module,
          one.party ?? 'all',
          one.ended_at ?? 'under way',
          one.full ? 'yes' : 'no',
          String(one.objects),
          String(one.differences),
          one.error,
        ]),
      ],
      [false, false, false, false, true, true, false],
    ),
    ...(differences.length === 0
      ? ['No differences.']
      : differences.map(({ at, module, object, what, detail }) => `${at}  ${module} ${object} ${what}: ${detail}`)),
  ].join('\n');
}

export function pathOf(partnerId: string): string {
  return `/v1/operator/partners/${encodeURIComponent(partnerId)}`;
}

function only({ files }: Given, what: string): string {
  const [one, ...more] = files;
  if (one === undefined || more.length > 0) throw new WrongUsage(`give ${what}, and nothing else`);
  return one;
}

/** By its id, its name or one of its parties; of several the one with a link. Throws RefusedInput. */
export async function partnerOf(given: Given, portal: PortalClient): Promise<Partner> {
  const named = only(given, 'the partner: an id, a name, or a party such as CA*CPK');
  const { partners } = await portal.call<{ partners: Partner[] }>('GET', '/v1/operator/partners');
  const same = (text: string) => text.toLowerCase() === named.toLowerCase();
  const found = partners.filter((one) => same(one.partner_id) || same(one.name) || partiesOf(one).split(' ').some(same));
  const linked = found.filter(({ state }) => state === 'registered');
  const [partner, ...more] = linked.length > 0 ? linked : found;
  if (!partner)
    throw new RefusedInput(
      `there is no partner "${named}"; there is ${partners.map(({ name }) => name).join(', ') || 'none yet'}`,
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

function partiesIn(given: Given) {
  return (given.options['party'] ?? []).map((text) => {
    const [, country_code, party_id, roles] = /^([A-Za-z]{2})\*([A-Za-z0-9]{1,3})(?::([A-Za-z,]+))?$/.exec(text) ?? [];
    if (country_code === undefined) throw new WrongUsage(`--party "${text}" is no party such as CA*CPK or CA*CPK:EMSP`);
    return { country_code: country_code.toUpperCase(), party_id: party_id!.toUpperCase(), roles: roles?.toUpperCase().split(',') ?? [] };
  });
}

function rolesOf({ roles }: Partner): string {
  return roles.map(({ role, country_code, party_id }) => `${country_code}*${party_id} ${role}`).join(', ');
}

function partiesOf({ roles }: Partner): string {
  return [...new Set(roles.map(({ country_code, party_id }) => `${country_code}*${party_id}`))].join(' ') || '-';
}
