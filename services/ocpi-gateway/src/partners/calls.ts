import type { Agent } from 'undici';
import {
  type Body, type CallOptions, type ClientOptions, ocpiClient, type OcpiClient, outboundAgent, type Outcome, type Page,
  type Routing, type TokenEncoding,
} from '#ocpi';
import type { OwnParties } from '#settings';
import { inSpan, type Tracer } from '#telemetry';
import type { OcpiSettings } from '../config.ts';
import type { Dialects } from './dialects.ts';
import type { Partner } from './partner.ts';
import { quirky } from './quirky.ts';
import { hasQuirk } from './quirks.ts';
import type { Secrets } from './secrets.ts';
import type { Sightings } from './sightings.ts';
import { speaking, speakingCredentials } from './speaking.ts';

export type PartnerClient = Omit<OcpiClient, 'getAll'>;

/** Versions, details and credentials are short. */
const HANDSHAKE_BYTES_MAX = 500_000;

/** Everything that this service says to partners goes out here. */
export class Calls {
  readonly allowPrivate: boolean;
  readonly sightings: Sightings;
  private readonly agent: Agent;
  /** What partners gave us to present, and how it is kept: opened once and not for each request. */
  private readonly opened = new Map<string, { readonly sealed: Buffer; readonly token: string }>();
  /** Of a partner as it was read once, by the parties that it is called from and for. */
  private readonly clients = new WeakMap<Partner, Map<string, PartnerClient>>();

  constructor(private readonly parts: {
    readonly settings: OcpiSettings; readonly parties: OwnParties; readonly secrets: Secrets; readonly tracer: Tracer;
    readonly dialects: Dialects; readonly sightings: Sightings;
  }) {
    this.sightings = parts.sightings;
    this.allowPrivate = parts.settings.allow_private_urls;
    // Whom no connection is had to is known before the time of a request is over.
    const connectTimeoutMs = Math.min(5_000, parts.settings.request_timeout_ms * 0.8);
    this.agent = outboundAgent({ allowPrivate: this.allowPrivate, connectTimeoutMs });
  }

  /** For a handshake, which knows no parties yet. */
  withToken(partner: Partner, token: string, version = '2.2.1'): PartnerClient {
    const options = { ...this.options(), token, tokenEncoding: encodingOf({ ...partner, version }), maxBytes: HANDSHAKE_BYTES_MAX };
    const client = this.traced(ocpiClient(options), 'a new partner', []);
    return speakingCredentials(quirky(client, partner, this.sightings), version, this.parts.dialects);
  }

  /**
   * To a registered partner: `to` is the party of its that a message is for, `from` the party of ours that
   * it is from, the first where nobody else can be meant. HUB-04.
   */
  to(partner: Partner, { to, from = this.parts.parties.first }: Routing): PartnerClient {
    const { country_code, party_id } = from;
    const known = this.clients.get(partner) ?? new Map<string, PartnerClient>();
    this.clients.set(partner, known);
    const parties = `${country_code} ${party_id} ${to ? `${to.country_code} ${to.party_id}` : ''}`;
    const made = known.get(parties);
    if (made) return made;
    const client = ocpiClient({ ...this.optionsFor(partner), from: { country_code, party_id }, ...(to ? { to } : {}) });
    const spoken = speaking(quirky(this.traced(client, partner.name, partner.endpoints), partner, this.sightings), partner, this.parts.dialects);
    known.set(parties, spoken);
    return spoken;
  }

  /** A list of a configuration module, page by page. HUB-02. */
  pages(partner: Partner, url: string): AsyncGenerator<Page, void> {
    return ocpiClient(this.optionsFor(partner)).getAll(url, { routing: false });
  }

  /** For a request to a registered partner that is somebody else's. */
  optionsFor(partner: Partner): ClientOptions {
    if (!partner.tokenOut) throw new Error(`${partner.id} has not given us a token`);
    return {
      ...this.options(), token: this.tokenOf(partner.id, partner.tokenOut), tokenEncoding: encodingOf(partner),
      rounded: hasQuirk(partner, 'long-numbers'),
    };
  }

  private tokenOf(partnerId: string, sealed: Buffer): string {
    const known = this.opened.get(partnerId);
    if (known?.sealed.equals(sealed)) return known.token;
    const token = this.parts.secrets.open(sealed, partnerId);
    this.opened.set(partnerId, { sealed, token });
    return token;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private options() {
    const { allow_private_urls: allowPrivate, request_timeout_ms: timeoutMs } = this.parts.settings;
    return { allowPrivate, timeoutMs, agent: this.agent };
  }

  /** Of where to, the module alone: a path may hold a token. */
  private traced(client: OcpiClient, to: string, endpoints: Partner['endpoints']): PartnerClient {
    const moduleAt = (url: string) => endpoints.find((endpoint) => url.startsWith(endpoint.url))?.identifier ?? 'none';
    const spanned = (method: string, url: string, call: () => Promise<Outcome>) =>
      inSpan(this.parts.tracer, `ocpi ${method} to ${to}`, { get 'ocpi.module'() { return moduleAt(url); } }, async (span) => {
        const outcome = await call();
        span.setAttribute('ocpi.outcome', outcome.kind);
        return outcome;
      });
    return {
      get: (url: string, options?: CallOptions) => spanned('GET', url, () => client.get(url, options)),
      post: (url: string, body: Body | undefined, options?: CallOptions) => spanned('POST', url, () => client.post(url, body, options)),
      put: (url: string, body: Body, options?: CallOptions) => spanned('PUT', url, () => client.put(url, body, options)),
      patch: (url: string, body: Body, options?: CallOptions) => spanned('PATCH', url, () => client.patch(url, body, options)),
      delete: (url: string, options?: CallOptions) => spanned('DELETE', url, () => client.delete(url, options)),
    };
  }
}

/** 2.1.1 sends tokens as they are. */
function encodingOf(partner: Pick<Partner, 'version' | 'quirks'>): TokenEncoding {
  return partner.version === '2.1.1' || hasQuirk(partner, 'unencoded-token') ? 'raw' : 'base64';
}
