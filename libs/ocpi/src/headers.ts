import type { Party } from './ids.ts';

/** Headers as Node gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How a partner writes its token; most who are wrong send it as it is. TRN-04. */
export type TokenEncoding = 'base64' | 'raw';

/**
 * The Authorization header of a credentials token: Base64 of its UTF-8 bytes, and nothing after them.
 * TRN-01, TRN-03.
 */
export function authorization(token: string, encoding: TokenEncoding = 'base64'): string {
  return `Token ${encoding === 'raw' ? token : Buffer.from(token, 'utf8').toString('base64')}`;
}

export interface TokenCandidate {
  readonly token: string;
  readonly encoding: TokenEncoding;
  /** White space was encoded behind it. TRN-03. */
  readonly trimmed?: true;
}

/**
 * The tokens that an Authorization header may mean, the right reading first: Base64 decoded (a newline
 * or space behind it is forgiven), then as it stands. The scheme's case does not matter. Empty: HTTP 401.
 */
export function tokenCandidates(header: string | undefined): TokenCandidate[] {
  const raw = /^token +([\x21-\x7e]{1,256}) *$/i.exec(header ?? '')?.[1];
  if (raw === undefined) return [];
  const candidates: TokenCandidate[] = [];
  const decoded = Buffer.from(raw, 'base64');
  if (decoded.toString('base64').replace(/=+$/, '') === raw.replace(/=+$/, '')) {
    const text = decoded.toString('utf8');
    const token = text.replace(/[\r\n ]+$/, '');
    if (/^[\x21-\x7e]{1,64}$/.test(token)) candidates.push({ token, encoding: 'base64', ...(token === text ? {} : { trimmed: true }) });
  }
  if (raw.length <= 64) candidates.push({ token: raw, encoding: 'raw' });
  return candidates;
}

/** Which party a message is for, and which it is from: parties, not platforms. HUB-04. */
export interface Routing {
  /** Absent in an Open Routing Request: the hub finds the receiver. HUB-15. */
  readonly to?: Party | undefined;
  readonly from?: Party | undefined;
}

/** The four routing headers, always in pairs; never on versions, credentials and hubclientinfo. HUB-01, HUB-02. */
export function routingHeaders({ to, from }: Routing): Record<string, string> {
  return {
    ...(to ? { 'OCPI-to-party-id': to.party_id, 'OCPI-to-country-code': to.country_code } : {}),
    ...(from ? { 'OCPI-from-party-id': from.party_id, 'OCPI-from-country-code': from.country_code } : {}),
  };
}

export type RoutingReading =
  | { readonly ok: true; readonly routing: Routing }
  | { readonly ok: false; readonly message: string };

/** Reads the routing headers; half a pair, or no party's name, is refused (2001). Absent is fine. HUB-03. */
export function readRouting(headers: Headers): RoutingReading {
  const to = readParty(headers, 'to');
  if (typeof to === 'string') return { ok: false, message: to };
  const from = readParty(headers, 'from');
  if (typeof from === 'string') return { ok: false, message: from };
  return { ok: true, routing: { ...(to ? { to } : {}), ...(from ? { from } : {}) } };
}

function readParty(headers: Headers, side: 'to' | 'from'): Party | string | undefined {
  const country_code = headerText(headers, `ocpi-${side}-country-code`);
  const party_id = headerText(headers, `ocpi-${side}-party-id`);
  if (country_code === undefined && party_id === undefined) return undefined;
  if (country_code === undefined || party_id === undefined) {
    return `OCPI-${side}-party-id and OCPI-${side}-country-code come together (OCPI 2.2.1)`;
  }
  if (!/^[A-Za-z]{2}$/.test(country_code) || !/^[A-Za-z0-9]{1,3}$/.test(party_id)) {
    return `OCPI-${side}-country-code and OCPI-${side}-party-id name no party (OCPI 2.2.1)`;
  }
  return { country_code, party_id };
}

/** The response goes back where the request came from. HUB-04. */
export function answerRouting({ to, from }: Routing): Routing {
  return { to: from, from: to };
}

export interface MessageIds {
  /** Of this request alone; a forwarded leg has a new one. TRN-81. */
  readonly requestId: string;
  /** Of the whole exchange, over all legs. */
  readonly correlationId: string;
}

/** X-Request-ID and X-Correlation-ID, in every request and response of every module. TRN-80. */
export function idHeaders({ requestId, correlationId }: MessageIds): Record<string, string> {
  return { 'X-Request-ID': requestId, 'X-Correlation-ID': correlationId };
}

/** The ids of a request, to echo in its response; `newId` makes those that are absent or unfit for a header. */
export function readMessageIds(headers: Headers, newId: () => string): MessageIds {
  const given = (name: string) => {
    const value = headerText(headers, name);
    return value !== undefined && /^[\x21-\x7e]{1,128}$/.test(value) ? value : newId();
  };
  return { requestId: given('x-request-id'), correlationId: given('x-correlation-id') };
}

/** A header's text, without the spaces around it; the first where there are several; empty is absent. */
export function headerText(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  const text = (typeof value === 'string' ? value : value?.[0])?.trim();
  return text === '' ? undefined : text;
}
