import { z } from 'zod';
import { Rejected } from '#decider';
import {
  allowedUrl, type Endpoint, findEndpoint, type Interface, newestCommon, type Outcome, read, type Role, Version, VersionDetails,
} from '#ocpi';
import { VersionDetails211 } from '#ocpi-versions';
import type { Calls, PartnerClient } from './calls.ts';
import { asInvited } from './invited.ts';
import { hasCounterpart, type Partner } from './partner.ts';
import { hasQuirk } from './quirks.ts';
import { isSpoken, rolesOfPeer, type SpokenVersion, withRoles } from '../versions.ts';

/** Why two platforms did not come together; the text of `Rejected` says what happened. */
export type HandshakeRefusal =
  | 'partner-unreachable' | 'no-common-version' | 'endpoints-missing' | 'registration-refused'
  | 'party-not-invited' | 'not-registered' | 'unknown-partner' | 'unknown-letter' | 'no-such-quirk';

/** What a peer's versions and details say. */
export interface Met {
  readonly version: SpokenVersion;
  readonly credentialsUrl: string;
  readonly endpoints: readonly Endpoint[];
}

/** A list; the table of 2.1.1-d2 has it in an object, under `versions`. */
const Versions = z.preprocess(
  (data) => (Array.isArray((data as { versions?: unknown } | null)?.versions) ? (data as { versions: unknown[] }).versions : data),
  z.array(z.unknown(), { error: 'must be a list of versions' }),
);

/** Who meets: what we are and speak, the newest first, and how the peer is reached. */
export interface Meeting {
  readonly calls: Calls;
  readonly partner: Partner;
  readonly token: string;
  readonly versionsUrl: string;
  readonly versions: readonly SpokenVersion[];
  readonly interfaces: readonly Interface[];
  readonly roles: readonly Role[];
}

/**
 * Reads a peer's versions, and the details of the newest that is also ours; one that is listed and not there (HTTP 404) is
 * passed over. Steps 2, 3 and 5 of a registration.
 */
export async function meet(meeting: Meeting): Promise<Met> {
  const { calls, partner, versionsUrl, versions: ourVersions, interfaces, roles } = meeting;
  const { versions, asItIs } = await versionsOf(meeting);
  // A version that we cannot read is none of ours.
  const readable = versions.flatMap((version) => Version.safeParse(version).data ?? []);
  const shared = ourVersions.flatMap((version) => newestCommon([version], readable) ?? []);
  if (shared.length === 0) {
    const theirs = readable.map(({ version }) => version).join(', ') || 'none';
    const what = roles.includes('HUB')
      ? 'a hub passes on what it does not read, so each of its members has to offer 2.2.1; who cannot may link with the parties behind it directly'
      : 'the partner has to offer one of ours, or we one of its (setting ocpi.versions)';
    throw refuse('no-common-version', `we speak ${ourVersions.join(', ')}, the partner ${theirs}: ${what}`);
  }
  if (asItIs && shared[0]!.version !== '2.1.1') {
    calls.sightings.note(partner.id, 'unencoded-token', `GET ${versionsUrl} answers 401 to our token in Base64, and not as it is`);
    throw refuse(
      'partner-unreachable',
      'the partner knows its token only unencoded: choose its quirk unencoded-token (partner register --set unencoded-token, or partner quirks --set unencoded-token) and try again',
    );
  }
  const details = await detailsOf(shared, meeting);
  const credentialsUrl = findEndpoint(details, 'credentials', 'SENDER');
  if (!credentialsUrl) throw refuse('endpoints-missing', 'the partner lists no credentials endpoint');
  if (!hasCounterpart(details.endpoints, interfaces)) {
    throw refuse('endpoints-missing', 'the partner lists no endpoint that is the other side of one of ours');
  }
  const closed = details.endpoints.flatMap(({ identifier, role, url }) => {
    const allowed = allowedUrl(url, calls);
    return allowed.ok || !isAsked({ identifier, role }, interfaces) ? [] : [`${identifier} ${role} (${url}) ${allowed.message}`];
  });
  if (closed.length > 0) throw refuse('partner-unreachable', `version details: the endpoint ${closed[0]}`);
  return { version: details.spoken, credentialsUrl, endpoints: details.endpoints };
}

/** Whether we ever call it. */
function isAsked({ identifier, role }: Pick<Endpoint, 'identifier' | 'role'>, ours: readonly Interface[]): boolean {
  return identifier === 'credentials' || ours.some((one) => one.module === identifier && one.role !== role);
}

/** Who speaks 2.1.1 alone may know a token only as it is, not in Base64. TRN-04. */
async function versionsOf({ calls, partner, token, versionsUrl: url }: Meeting): Promise<{ versions: unknown[]; asItIs: boolean }> {
  const client = calls.withToken(partner, token);
  const first = await client.get(url, { routing: false });
  const asItIs = first.kind === 'refused' && first.http === 401 && !hasQuirk(partner, 'unencoded-token');
  const versions = await got(
    asItIs ? calls.withToken(partner, token, '2.1.1') : client,
    url,
    Versions,
    'versions',
    asItIs ? undefined : first,
  );
  return { versions, asItIs };
}

/** Of the first of these versions that is there. */
async function detailsOf(shared: readonly Version[], meeting: Meeting): Promise<VersionDetails & { spoken: SpokenVersion }> {
  const { calls, partner, token, versionsUrl, roles } = meeting;
  let first: Outcome | undefined;
  for (const { version, url } of shared) {
    if (!isSpoken(version)) continue;
    const client = calls.withToken(partner, token, version);
    const outcome = await client.get(url, { routing: false });
    if (outcome.kind === 'refused' && outcome.http === 404) {
      first ??= outcome;
      continue;
    }
    if (version !== '2.1.1') return { ...await got(client, url, VersionDetails, 'version details', outcome), spoken: version };
    const { endpoints, ...details } = await got(client, url, VersionDetails211, 'version details', outcome);
    return { ...details, endpoints: withRoles(endpoints, asInvited(partner.invited, rolesOfPeer(roles, versionsUrl))), spoken: version };
  }
  throw refuse('partner-unreachable', `GET of version details (${shared[0]!.url}): ${outcomeText(first!)}`);
}

async function got<T extends z.ZodType>(client: PartnerClient, url: string, schema: T, what: string, had?: Outcome): Promise<z.output<T>> {
  const outcome = had ?? await client.get(url, { routing: false });
  if (outcome.kind !== 'ok') {
    const unknown = outcome.kind === 'refused' && outcome.http === 401;
    const advice = unknown ? '; the token is not known there: it was mistyped, used already or withdrawn, and a new one is needed' : '';
    throw refuse('partner-unreachable', `GET of ${what} (${url}): ${outcomeText(outcome)}${advice}`);
  }
  const reading = read(schema, outcome.data);
  if (!reading.ok) throw refuse('partner-unreachable', `GET of ${what} (${url}): ${reading.message}`);
  return reading.value;
}

export function outcomeText(outcome: Outcome): string {
  if (outcome.kind === 'ok') return `HTTP ${outcome.http}, ${outcome.statusCode}`;
  if (outcome.kind !== 'refused') return `${outcome.kind}: ${outcome.message}`;
  const { http, statusCode, message } = outcome;
  if (http === 0 || (statusCode === undefined && message.startsWith(`HTTP ${http},`))) return message;
  return `HTTP ${http}, ${statusCode ?? 'no OCPI status'}: ${message}`;
}

export function refuse(code: HandshakeRefusal, detail: string): Rejected<HandshakeRefusal> {
  return new Rejected(code, detail);
}
