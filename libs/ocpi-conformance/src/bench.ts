import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  authorization, type Credentials, dateTimeOf, type Endpoint, exchange, findEndpoint, type Headers, headerText,
  idHeaders, type InterfaceRole, instantMs, type Method, type ModuleId, outboundAgent, parseEnvelope, parseJson, type Party, retryAfterMs,
  type Role, type Routing, routingHeaders, sameParty,
} from '#ocpi';
import type { Judgement } from './check.ts';
import { evidenceOf, shownResponse } from './evidence.ts';
import type { Listener } from './listener.ts';

export interface Sent {
  readonly method: Method;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** What came back; http 0 = nothing did. */
export interface Seen {
  readonly sent: Sent;
  readonly http: number;
  readonly headers: Headers;
  readonly text: string;
  readonly status: number | undefined;
  readonly data: unknown;
}

export interface CallOptions {
  /** The raw token; '' = no Authorization header at all. Ours where none is given. */
  readonly token?: string;
  /** An object, or text that goes out as it is. */
  readonly body?: unknown;
  /** The module asked: functional ones carry routing headers, and their answers are judged by them. */
  readonly module?: ModuleId | 'versions';
  readonly headers?: Record<string, string>;
  /** Other parties than ours and the platform's: through a hub. */
  readonly routing?: Routing;
  /** How long the answer may take; else as long as any. */
  readonly timeoutMs?: number;
  /** An answer that needs to be no OCPI, such as that of a path that nobody listed. */
  readonly loose?: boolean;
}

export interface BenchOptions {
  readonly versionsUrl: string;
  readonly token: string;
  readonly party: Party;
  readonly listener: Listener;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
  /** How long something that must not come is waited for. */
  readonly patienceMs: number;
  /** Where a charge may really be started: `LOCATION/EVSE`. */
  readonly chargeAt?: string;
  /** Of a hub: another registration token, for a second member. */
  readonly memberToken?: string;
  readonly now: () => number;
}

/** Of one answer: what has more would take more memory to read than a machine may have. */
const VALUES_AT_MOST = 2_000_000;

/** How often, and for how long at most, a platform that takes no more for the moment is waited for. */
const BUSY_AT_MOST = 6;
const BUSY_MS = 1_000;
const BUSY_MS_MAX = 20_000;

const configuration = new Set<string>(['versions', 'credentials', 'hubclientinfo']);

/** The workbench of the checks: calls the platform, keeps what was learnt of it, and what it was judged by. */
export class Bench {
  readonly judgements: Judgement[] = [];
  /** The check at work. */
  check = '';
  /** What we present; a registration token until we are registered. */
  token: string;
  endpoints: readonly Endpoint[] = [];
  detailsUrl = '';
  theirs: Credentials | undefined;
  ours: readonly Role[] = [];
  registered = false;
  /** Our address, and what the platform says of it, where it could not call us. */
  unreached: string | undefined;
  /** When the time of the run is over, real ms: no request is made any more. */
  untilMs = Infinity;
  /** It lists who is behind it; then we are two parties, that speak to each other through it. */
  isHub = false;
  readonly run = randomUUID().slice(0, 6).toUpperCase();
  private readonly agent;
  private readonly secrets = new Set<string>();
  private ticks = 0;

  constructor(readonly options: BenchOptions) {
    this.token = options.token;
    this.agent = outboundAgent({ allowPrivate: options.allowPrivate, connectionsPerOrigin: 4 });
    this.keepSecret(options.token);
  }

  get listener(): Listener {
    return this.options.listener;
  }

  get party(): Party {
    return this.options.party;
  }

  endpoint(module: ModuleId, role: InterfaceRole): string | undefined {
    return findEndpoint({ version: '2.2.1', endpoints: [...this.endpoints] }, module, role);
  }

  /** The endpoint of a check that names it in `of`. */
  at(module: ModuleId, role: InterfaceRole): string {
    const url = this.endpoint(module, role);
    if (url === undefined) throw new Error(`the platform lists no ${module} ${role}`);
    return url;
  }

  /** The platform's party in a role; any of its parties where it has none in that role. */
  theirParty(role: Role): Party {
    const found = this.theirs?.roles.find((one) => one.role === role) ?? this.theirs?.roles[0];
    return found
      ? { country_code: found.country_code, party_id: found.party_id }
      : { country_code: 'XX', party_id: 'ZZZ' };
  }

  /** Whether who is called there has our token already. */
  isAtTheirs(url: string): boolean {
    const { versionsUrl } = this.options;
    return [versionsUrl, this.detailsUrl, ...this.endpoints.map((one) => one.url)]
      .some((one) => URL.canParse(one) && new URL(one).origin === new URL(url).origin);
  }

  isTheirs(party: Party): boolean {
    return this.theirs === undefined || this.theirs.roles.some((role) => sameParty(role, party));
  }

  /** An id of this run, so that no two runs meet. */
  id(name: string): string {
    return `KIT-${this.run}-${name}`;
  }

  /** Instants that only grow, a second apart, all of them past. */
  tick(): string {
    this.ticks += 1;
    return dateTimeOf(Math.floor(this.options.now() / 1_000) * 1_000 - 600_000 + this.ticks * 1_000);
  }

  keepSecret(token: string): void {
    if (token !== '') this.secrets.add(token).add(Buffer.from(token, 'utf8').toString('base64'));
  }

  /** One request; what holds for every answer is judged at once. */
  async call(method: Method, url: string, options: CallOptions = {}): Promise<Seen> {
    const { token = this.token, body, module, headers = {} } = options;
    const ids = { requestId: randomUUID(), correlationId: randomUUID() };
    const isFunctional = module !== undefined && !configuration.has(module);
    const routing = !isFunctional
      ? {}
      : (options.routing ?? { from: this.party, to: this.theirParty(this.roleOf(module)) });
    const sent: Sent = {
      method,
      url,
      headers: {
        ...(token === '' ? {} : { Authorization: authorization(token) }),
        Accept: 'application/json',
        // Without it any coding would be welcome (RFC 9110 §12.5.3).
        'Accept-Encoding': 'identity',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...idHeaders(ids),
        ...routingHeaders(routing),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const seen = await this.patiently(sent, options.timeoutMs);
    if (!options.loose) this.judgeAnswer(seen, ids, module, isFunctional ? routing : undefined);
    return seen;
  }

  /** Notes what an exchange tells of a rule; answers whether it is as expected. Silence tells of none but TRN-20. */
  judge(rule: string, ok: boolean, expected: string, seen: Seen | string): boolean {
    if (typeof seen !== 'string' && seen.http === 0 && rule !== 'TRN-20') return ok;
    this.judgements.push({
      rule,
      ok,
      check: this.check,
      ...(ok ? {} : { evidence: evidenceOf(seen, expected, [...this.secrets]) }),
    });
    return ok;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  /** HTTP 429 is no answer to what was asked. */
  private async patiently(sent: Sent, timeoutMs: number | undefined): Promise<Seen> {
    for (let turn = 1; ; turn += 1) {
      const seen = await this.send(sent, timeoutMs);
      if (seen.http !== 429 || turn === BUSY_AT_MOST) return seen;
      await setTimeout(Math.min(retryAfterMs(seen.headers, Date.now()) ?? turn * BUSY_MS, BUSY_MS_MAX));
    }
  }

  private async send(sent: Sent, timeoutMs = this.options.timeoutMs): Promise<Seen> {
    if (Date.now() > this.untilMs) throw new Error('the time was over');
    const nothing = (text: string): Seen => ({ sent, http: 0, headers: {}, text, status: undefined, data: undefined });
    if (!URL.canParse(sent.url)) return nothing(`${sent.url} is no absolute URL`);
    const { method, headers, body } = sent;
    const answer = await exchange(
      this.agent,
      { method, url: new URL(sent.url), headers, ...(body === undefined ? {} : { body }) },
      { timeoutMs, maxBytes: 20_000_000 },
    );
    if (answer.kind !== 'answered') return nothing(answer.message);
    const json = parseJson(answer.body, { maxBytes: Infinity, maxValues: VALUES_AT_MOST, loose: true, rounded: true });
    const reading = json.ok ? parseEnvelope(json.value) : json;
    return {
      sent,
      http: answer.http,
      headers: answer.headers,
      text: answer.body.toString('utf8'),
      status: reading.ok ? reading.envelope.status_code : undefined,
      data: reading.ok ? reading.envelope.data : undefined,
    };
  }

  private judgeAnswer(
    seen: Seen,
    ids: { requestId: string; correlationId: string },
    module: string | undefined,
    routing: Routing | undefined,
  ): void {
    if (seen.http === 0) {
      this.judge('TRN-20', false, `an answer within ${this.options.timeoutMs} ms`, seen);
      return;
    }
    const rule = seen.http >= 400 ? 'TRN-30' : 'TRN-20';
    if (this.judge(rule, seen.status !== undefined, 'an envelope with a status_code of four digits', seen)) {
      if (seen.http >= 400) this.judge('TRN-30', seen.status! >= 2000, 'no status_code of a success in an HTTP error', seen);
      const { timestamp, status_message: said } = JSON.parse(seen.text.replace(/^\ufeff/, '')) as Record<string, unknown>;
      this.judge(rule, typeof (said ?? '') === 'string', 'a status_message that is a text, where there is one', seen);
      if (this.judge(rule, typeof timestamp === 'string', 'an envelope with a timestamp', seen)) {
        this.judge(
          'TYP-03',
          instantMs(timestamp as string) !== undefined && !/[+-]\d\d:\d\d$/.test(timestamp as string),
          'a timestamp that is a DateTime in UTC, without an offset',
          seen,
        );
      }
    }
    for (const [name, id] of [
      ['X-Request-ID', ids.requestId],
      ['X-Correlation-ID', ids.correlationId],
    ] as const) {
      this.judge(
        'TRN-80',
        headerText(seen.headers, name.toLowerCase()) === id,
        `the ${name} of the request, ${id}`,
        seen,
      );
    }
    if (module !== undefined) this.judgeRouting(seen, routing);
    if (ok(seen) && isWithoutData(seen.sent, module)) this.judge('TRN-22', (seen.data ?? null) === null, 'no data: OCPI defines none here', seen);
  }

  private judgeRouting(seen: Seen, asked: Routing | undefined): void {
    const given = (side: string) => ({
      country_code: headerText(seen.headers, `ocpi-${side}-country-code`),
      party_id: headerText(seen.headers, `ocpi-${side}-party-id`),
    });
    const [to, from] = [given('to'), given('from')];
    const all = [to.country_code, to.party_id, from.country_code, from.party_id];
    if (!asked) {
      this.judge(
        'HUB-02',
        all.every((one) => one === undefined),
        'no routing headers from a configuration module',
        seen,
      );
      return;
    }
    // Who refuses an open request need not know whom it was for.
    if (seen.http >= 300 || (asked.to === undefined && !ok(seen))) return;
    const present = all.filter((one) => one !== undefined).length;
    // Between two platforms of one party and role each they may be absent.
    if (present === 0 && !this.isHub && this.theirs?.roles.length === 1 && this.ours.length === 1) return;
    // A hub answers what is for everybody itself, and need not say so.
    const isHubs = this.isHub && seen.sent.method !== 'GET' && asked.to !== undefined && sameParty(asked.to, this.theirParty('HUB'));
    if (isHubs && from.country_code === undefined && from.party_id === undefined)
      return void this.judge('HUB-04', sameParty(to as Party, asked.from!), 'TO the party that asked', seen);
    if (!this.judge('HUB-01', present === 4, 'all four routing headers in the response', seen)) return;
    const isWhom = asked.to && this.isHub ? sameParty(from as Party, asked.to) : !sameParty(from as Party, asked.from!);
    this.judge(
      'HUB-04',
      sameParty(to as Party, asked.from!) && isWhom && (this.isHub || this.isTheirs(from as Party)),
      'TO and FROM of the request, swapped',
      seen,
    );
  }

  private roleOf(module: ModuleId | 'versions'): Role {
    return ['tokens', 'commands', 'chargingprofiles'].includes(module) &&
      this.theirs?.roles.some(({ role }) => role === 'CPO')
      ? 'CPO'
      : 'EMSP';
  }
}

/** The exchange in one line, for why something could not be tried. */
export function inShort(seen: Seen): string {
  return `${seen.sent.method} ${seen.sent.url}: ${shownResponse(seen).split('\n')[0]}`;
}

/** What is written of objects, by whoever owns them. */
function isWithoutData({ method, url }: Sent, module: string | undefined): boolean {
  const isObject = ['locations', 'sessions', 'cdrs', 'tariffs', 'tokens'].includes(module ?? '');
  return isObject && method !== 'GET' && !/\/(authorize|charging_preferences)\b/.test(url);
}

export function ok(seen: Seen): boolean {
  return seen.http >= 200 && seen.http < 300 && seen.status !== undefined && seen.status >= 1000 && seen.status < 2000;
}

/** Refused by OCPI's own code and no HTTP error. */
export function refused(seen: Seen, status?: number): boolean {
  return (
    seen.http >= 200 &&
    seen.http < 300 &&
    seen.status !== undefined &&
    seen.status >= 2000 &&
    (status === undefined || seen.status === status)
  );
}
