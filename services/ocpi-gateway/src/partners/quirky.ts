import { ChargingProfileResponse, CommandResponse, type Outcome } from '#ocpi';
import { endpointOf, type Partner } from './partner.ts';
import type { PartnerClient } from './calls.ts';
import { hasQuirk, responseIn } from './quirks.ts';
import { type Call, clientOf, sender } from './sender.ts';
import type { Sightings } from './sightings.ts';

/** A client that says things as the partner takes them, and notes how it answers otherwise than OCPI does. */
export function quirky(client: PartnerClient, partner: Partner, sightings: Sightings): PartnerClient {
  const raw = sender(client);
  return clientOf(async (request) => {
    if (request.method === 'PATCH' && hasQuirk(partner, 'no-patch')) {
      return { kind: 'refused', http: 405, message: 'not sent: the partner takes no PATCH (its quirk no-patch)' };
    }
    const url = hasQuirk(partner, 'trailing-slash') ? withSlash(request.url) : request.url;
    const outcome = await raw({ ...request, url });
    noteAnswer(partner, request, outcome, sightings);
    return outcome;
  });
}

function noteAnswer(partner: Partner, { method, url, options }: Call, outcome: Outcome, sightings: Sightings): void {
  const note = (quirk: Parameters<Sightings['note']>[1], detail: string) => sightings.note(partner.id, quirk, detail);
  if (outcome.kind === 'unreachable') return;
  if (outcome.kind === 'ok') {
    const isCdr = method === 'POST' && url === endpointOf(partner, 'cdrs', 'RECEIVER');
    if (isCdr && outcome.headers['location'] === undefined) note('no-cdr-location', `POST ${pathOf(url)} was answered without Location`);
    const { response, fault } = isTo(partner, 'commands', url) && method === 'POST' ? responseIn(CommandResponse, outcome.data)
      : isTo(partner, 'chargingprofiles', url) ? responseIn(ChargingProfileResponse, outcome.data) : {};
    if (response && fault !== undefined) note('sloppy-command-responses', `${pathOf(url)}: ${fault}`);
    return;
  }
  const what = `${method} ${pathOf(url)}`;
  if (outcome.json === 'number-too-precise') note('long-numbers', `${what}: ${outcome.message}`);
  if (outcome.kind !== 'refused') return;
  if (method === 'PATCH' && (outcome.http === 405 || outcome.http === 501))
    note('no-patch', `${what} was answered with HTTP ${outcome.http}`);
  if (outcome.redirect !== undefined && isSlashOnly(url, outcome.redirect))
    note('trailing-slash', `${what} was redirected to ${outcome.redirect}`);
  if (options?.wrapped === false && isInvalid(outcome)) note('wrapped-results', `a bare result of ours was refused: ${outcome.message}`);
}

/** 2.1.1 has no timeout. */
function isTo(partner: Partner, module: 'commands' | 'chargingprofiles', url: string): boolean {
  const endpoint = endpointOf(partner, module, 'RECEIVER');
  return endpoint !== undefined && url.startsWith(endpoint) && partner.version !== '2.1.1';
}

/** As somebody answers who could not read the body. */
export function isInvalid({ http, statusCode }: { http: number; statusCode?: number }): boolean {
  return http === 400 || http === 422 || statusCode === 2001;
}

/** TRN-16: before the query, once. */
function withSlash(url: string): string {
  const [path = '', ...query] = url.split('?');
  return [path.endsWith('/') ? path : `${path}/`, ...query].join('?');
}

function isSlashOnly(url: string, redirect: string): boolean {
  if (!URL.canParse(redirect, url)) return false;
  const [from, to] = [new URL(url), new URL(redirect, url)];
  return !from.pathname.endsWith('/') && to.pathname === `${from.pathname}/`;
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
