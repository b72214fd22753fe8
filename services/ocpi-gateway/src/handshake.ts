import { z } from 'zod';
import { Rejected } from '#decider';
import {
  type Endpoint, findEndpoint, type Interface, newestCommon, type Outcome, read, Version, VersionDetails,
} from '#ocpi';
import type { PartnerClient } from './calls.ts';
import { hasCounterpart } from './partner.ts';

/** Why two platforms did not come together; the text of `Rejected` says what happened. */
export type HandshakeRefusal =
  | 'partner-unreachable' | 'no-common-version' | 'endpoints-missing' | 'registration-refused'
  | 'not-registered' | 'unknown-partner' | 'unknown-letter';

/** What we speak, the newest first. */
export const ourVersions = ['2.2.1'] as const;

/** What a peer's versions and details say. */
export interface Met {
  readonly version: string;
  readonly credentialsUrl: string;
  readonly endpoints: readonly Endpoint[];
}

/** Reads a peer's versions, and the details of the newest that is also ours. Steps 2, 3 and 5 of a registration. */
export async function meet(client: PartnerClient, versionsUrl: string, ours: readonly Interface[]): Promise<Met> {
  const versions = await got(client, versionsUrl, z.array(z.unknown()), 'versions');
  // A version that we cannot read is none of ours.
  const readable = versions.flatMap((version) => Version.safeParse(version).data ?? []);
  const common = newestCommon(ourVersions, readable);
  if (!common) {
    const theirs = readable.map(({ version }) => version).join(', ') || 'none';
    throw refuse('no-common-version', `we speak ${ourVersions.join(', ')}, the partner ${theirs}`);
  }
  const details = await got(client, common.url, VersionDetails, 'version details');
  const credentialsUrl = findEndpoint(details, 'credentials', 'SENDER');
  if (!credentialsUrl) throw refuse('endpoints-missing', 'the partner lists no credentials endpoint');
  if (!hasCounterpart(details.endpoints, ours)) {
    throw refuse('endpoints-missing', 'the partner lists no endpoint that is the other side of one of ours');
  }
  return { version: common.version, credentialsUrl, endpoints: details.endpoints };
}

async function got<T extends z.ZodType>(client: PartnerClient, url: string, schema: T, what: string): Promise<z.output<T>> {
  const outcome = await client.get(url, { routing: false });
  if (outcome.kind !== 'ok') throw refuse('partner-unreachable', `GET of ${what} (${url}): ${outcomeText(outcome)}`);
  const reading = read(schema, outcome.data);
  if (!reading.ok) throw refuse('partner-unreachable', `GET of ${what} (${url}): ${reading.message}`);
  return reading.value;
}

export function outcomeText(outcome: Outcome): string {
  if (outcome.kind === 'ok') return `HTTP ${outcome.http}, ${outcome.statusCode}`;
  if (outcome.kind === 'refused') return `HTTP ${outcome.http}, ${outcome.statusCode ?? 'no OCPI status'}: ${outcome.message}`;
  return `${outcome.kind}: ${outcome.message}`;
}

export function refuse(code: HandshakeRefusal, detail: string): Rejected<HandshakeRefusal> {
  return new Rejected(code, detail);
}
