import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import {
  type Answer, answers, answerRouting, Credentials, dateTimeOf, envelope, findEndpoint, idHeaders, type MessageIds, ModuleId,
  parseJson, type Party, read, readMessageIds, readRouting, type Role, type Routing, routingHeaders, type Session, tokenCandidates,
  typicalInterfaces, type VersionDetails,
} from '#ocpi';
import { commanded } from './peer-commands.ts';
import type { Fault } from './peer-faults.ts';
import { hubbed, joinedBy } from './peer-hub.ts';
import { cursorRead, packed, slashed } from './peer-liberties.ts';
import { listed } from './peer-lists.ts';
import { type Owned, ownedObjects } from './peer-objects.ts';
import { profiled } from './peer-profiles.ts';
import { Calls, pullTariffs, pushAll } from './peer-pushes.ts';
import { received } from './peer-received.ts';

export interface Asked {
  readonly method: string;
  /** Behind the endpoint. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly url: string;
  readonly body: unknown;
  readonly isJson: boolean;
  readonly hasCharset: boolean;
  readonly routing: Routing;
  readonly ids: MessageIds;
}

export interface Said {
  readonly answer?: Answer;
  readonly data?: unknown;
  readonly headers?: Record<string, string>;
  /** Of a hub's answer: its request's, turned around, else. */
  readonly routing?: Routing;
  /** Instead of an envelope. */
  readonly bare?: string;
  /** Once the answer is out. */
  readonly afterwards?: () => void;
}

export interface Partner {
  readonly credentials: Credentials;
  readonly details: VersionDetails;
}

const own = { country_code: 'CA', party_id: 'BCT' };

type Kind = 'none' | 'unknown' | 'registration' | 'current' | 'member';

function routed(request: IncomingMessage): Routing {
  const reading = readRouting(request.headers);
  return reading.ok ? reading.routing : {};
}

/** A small OCPI 2.2.1 platform of both roles that does everything by the book, but for the faults switched on. */
export class Peer {
  readonly received = new Map<string, object>();
  /** Of a hub: URLs that go through it. */
  readonly crossings = new Map<string, string>();
  partner: Partner | undefined;
  readonly tokenA = 'token-a';
  /** Of a hub: for another member, and what that presents then. */
  readonly tokenM = 'token-m';
  member: Partner | undefined;
  /** That a command started. */
  charge: Session | undefined;
  /** What stands before it holds up its answers for so long, and not its own requests. */
  heldUpMs = 0;
  /** Takes every liberty that the text leaves. */
  isLiberal = false;
  private asked = 0;
  /** How often a list was read: it grows meanwhile. */
  readonly reads = new Map<string, number>();
  private readonly memberToken = randomUUID();
  /** Of a hub: what it was told for everybody. */
  readonly told = new Map<string, object>();
  private current = '';
  private spent = false;
  private readonly server: Server;

  private constructor(
    readonly faults: ReadonlySet<Fault>,
    readonly roles: readonly Role[],
  ) {
    this.server = createServer(
      (request, response) =>
        void this.take(request).then(({ afterwards, ...answer }) => {
          const { http, headers, body } = this.isLiberal ? packed(answer, request.headers['accept-encoding']) : answer;
          const send = () => response.writeHead(http, headers).end(body, this.heldUpMs > 0 ? undefined : afterwards);
          if (this.heldUpMs === 0) return void send();
          setTimeout(send, this.heldUpMs);
          afterwards?.();
        }),
    );
  }

  static async open(faults: readonly Fault[] = [], roles: readonly Role[] = ['CPO', 'EMSP']): Promise<Peer> {
    const peer = new Peer(new Set(faults), roles);
    await new Promise<void>((resolve) => peer.server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  has = (fault: Fault): boolean => this.faults.has(fault);

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get party(): Party {
    return own;
  }

  owned(): Owned {
    return ownedObjects(this.partner!.credentials.roles[0]!, this.has, this.isLiberal);
  }

  /** A link that stands already, with a partner of this party. */
  link(token: string, party: Party): void {
    this.current = token;
    const business_details = { name: 'Partner' };
    this.partner = {
      credentials: { token: 'theirs', url: `${this.url}/none`, roles: [{ role: 'EMSP', ...party, business_details }] },
      details: { version: '2.2.1', endpoints: [] },
    };
  }

  /** Whether it has a partner, or was pushed anything. */
  get isUntouched(): boolean {
    return this.received.size === 0 && !this.spent;
  }

  calls(ids: Record<string, string> = {}): Calls {
    return new Calls(this.has, this.partner!.credentials.token, { from: own, to: this.clientParty() }, ids, this.isLiberal);
  }

  clientParty(): Party {
    const { country_code, party_id } = this.partner!.credentials.roles[0]!;
    return { country_code, party_id };
  }

  isClients(party: Partial<Party>): boolean {
    return (
      this.has('objects of other parties are taken') ||
      [...this.partner!.credentials.roles, ...(this.member?.credentials.roles ?? [])].some(
        (role) =>
          role.country_code === party.country_code?.toUpperCase() && role.party_id === party.party_id?.toUpperCase(),
      )
    );
  }

  private async take(
    request: IncomingMessage,
  ): Promise<{ http: number; headers: Record<string, string>; body: string; afterwards?: () => void }> {
    const { asked, module, side } = await this.read(request);
    const token = this.kind(request.headers.authorization);
    const said = await this.answer(asked, module, side, token);
    const { http, status } = said.answer ?? answers.ok;
    const { requestId, correlationId } = readMessageIds(request.headers, randomUUID);
    const ids = idHeaders({ requestId: this.has('X-Request-ID is not echoed') ? 'another' : requestId, correlationId });
    if (http >= 400 && this.has('X-Correlation-ID is not echoed by errors')) delete ids['X-Correlation-ID'];
    const headers = {
      'Content-Type': 'application/json',
      ...ids,
      ...(said.routing
        ? routingHeaders(said.routing)
        : this.routing(request, side !== '' && module !== 'hubclientinfo', module)),
      ...said.headers,
    };
    const at = dateTimeOf(Date.now());
    const timestamp = this.has('timestamps have an offset') ? at.replace('Z', '+00:00') : at;
    const code = http >= 400 && this.has('an HTTP error says 1000') ? 1000 : status;
    const isOdd = side !== '' && request.method === 'PUT' && said.data === undefined && this.has('a PUT is answered with data');
    const whole = envelope(isOdd ? {} : said.data ?? (this.isLiberal ? null : undefined), code, undefined, timestamp) as unknown as Record<string, unknown>;
    if (this.isLiberal) whole['status_message'] = null;
    if (http < 400 && this.has('responses have no timestamp')) delete whole['timestamp'];
    if (http < 400 && this.has('a status_message is a number')) whole['status_message'] = 5;
    const isPlain = http >= 400 && this.has('HTTP errors have no envelope');
    return {
      http,
      headers,
      body: isPlain ? 'error' : (said.bare ?? JSON.stringify(whole)),
      ...(said.afterwards ? { afterwards: said.afterwards } : {}),
    };
  }

  private routing(request: IncomingMessage, isFunctional: boolean, module: string): Record<string, string> {
    const reading = readRouting(request.headers);
    if (!isFunctional)
      return this.has('credentials carry routing headers') && module === 'credentials'
        ? routingHeaders({ from: own, to: own })
        : {};
    if (!reading.ok || this.has('routing headers are left out')) return {};
    return routingHeaders(
      this.has('routing headers are not swapped') ? reading.routing : answerRouting(reading.routing),
    );
  }

  private async read(request: IncomingMessage): Promise<{ asked: Asked; module: string; side: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const json = chunks.length > 0 ? parseJson(Buffer.concat(chunks)) : undefined;
    const url = new URL(request.url!, this.url);
    const pathname = this.has('a slash behind a list is HTTP 404') ? url.pathname : url.pathname.replace(/\/$/, '');
    const [, first = '', second = '', ...path] = pathname.split('/').map(decodeURIComponent);
    const side = ['sender', 'receiver'].includes(first) ? first : '';
    const asked = {
      method: request.method!,
      path: side === '' ? [second, ...path].filter((one) => one !== '') : path,
      query: cursorRead(url.searchParams),
      url: `${this.url}${pathname}`,
      body: json?.ok ? json.value : undefined,
      isJson: json?.ok ?? true,
      hasCharset: request.headers['content-type']?.includes('charset') ?? false,
      routing: routed(request),
      ids: readMessageIds(request.headers, randomUUID),
    };
    return { asked, module: side === '' ? first : second, side };
  }

  /** Which token an Authorization header presents. */
  private kind(header: string | undefined): Kind {
    if (header === undefined) return 'none';
    const wanted = this.has('tokens are taken unencoded only') ? 'raw' : 'base64';
    if (this.has('the scheme of Authorization has to be spelled Token') && !header.startsWith('Token '))
      return 'unknown';
    const token = tokenCandidates(header).find(({ encoding }) => encoding === wanted)?.token;
    if (token === this.tokenA && !this.spent) return 'registration';
    if (token === this.tokenM || token === this.memberToken) return 'member';
    return token === this.current && token !== '' ? 'current' : 'unknown';
  }

  private async answer(asked: Asked, module: string, side: string, token: Kind): Promise<Said> {
    this.asked += 1;
    if (this.isLiberal && this.asked % 20 === 0) return { answer: answers.tooManyRequests, headers: { 'Retry-After': '0' } };
    if (token === 'none' && this.has('no token is HTTP 403')) return { answer: { http: 403, status: 2001 } };
    if (token === 'none' || token === 'unknown') return { answer: answers.unauthorized };
    if (module === 'versions' || module === '2.2.1') return this.versions(module);
    if (module === 'credentials' && token === 'member') return joinedBy(this, asked, this.memberToken);
    if (module === 'credentials') return this.credentials(asked, token as 'registration' | 'current');
    if (token === 'registration' && !this.has('a registration token opens modules'))
      return { answer: answers.unauthorized };
    if (token === 'registration') return { data: [] };
    if (!asked.isJson) return this.notJson();
    if (asked.hasCharset && this.has('JSON with a charset is refused')) return { answer: answers.invalid };
    const said = await (this.roles.includes('HUB')
      ? hubbed(this, asked, side, module)
      : this.functional(asked, `${side} ${module}`));
    if (said.answer?.http === 405 && this.has('a wrong method is HTTP 400'))
      return { ...said, answer: { http: 400, status: 2000 } };
    if (said.answer === answers.invalid && this.has('wrong content is HTTP 400'))
      return { ...said, answer: { http: 400, status: 2001 } };
    return said;
  }

  private notJson(): Said {
    if (this.has('broken JSON is HTTP 500')) return { answer: { http: 500, status: 3000 } };
    return { answer: this.has('broken JSON is 2001') ? answers.invalid : answers.notJson };
  }

  private functional(asked: Asked, of: string): Said | Promise<Said> {
    if (of === 'receiver commands') return commanded(this, asked);
    if (of === 'receiver chargingprofiles') return profiled(this, asked);
    if (of.startsWith('receiver ')) return received(this, asked, of.slice(9));
    if (of.startsWith('sender ')) return listed(this, asked, of.slice(7));
    return { answer: answers.notFound };
  }

  private versions(module: string): Said {
    if (module === 'versions')
      return {
        data: [
          ...(this.isLiberal ? ['2.1.1', '2.3.0', '9.9'].map((version) => ({ version, url: `${this.url}/${version}` })) : []),
          { version: '2.2.1', url: this.has('the URL of a version is relative') ? '/2.2.1' : `${this.url}/2.2.1` },
        ],
      };
    const served = [
      'locations',
      'sessions',
      'cdrs',
      'tariffs',
      'tokens',
      'commands',
      'chargingprofiles',
      ...(this.roles.includes('HUB') ? ['hubclientinfo'] : []),
    ];
    const interfaces = this.roles
      .flatMap((role) => typicalInterfaces[role])
      .filter((one) => served.includes(one.module));
    const endpoints = interfaces.map(({ module: identifier, role }) => ({
      identifier,
      role,
      url: `${this.url}/${role.toLowerCase()}/${identifier}`,
    }));
    const credentials = ['SENDER', ...(this.has('credentials are listed twice') ? ['RECEIVER'] : [])].map((role) => ({
      identifier: 'credentials',
      role,
      url: `${this.url}/credentials`,
    }));
    const all = this.isLiberal ? slashed([{ identifier: 'ca-bct-news', role: 'SENDER', url: `${this.url}/sender/news` }, ...endpoints, ...credentials]) : [...credentials, ...endpoints];
    return { data: { version: '2.2.1', endpoints: all } };
  }

  private async credentials({ method, body }: Asked, token: 'registration' | 'current'): Promise<Said> {
    const isRegistered = token === 'current';
    if (method === 'GET')
      return {
        data: this.ours(
          this.has('GET of credentials hides the token') ? 'hidden' : isRegistered ? this.current : this.tokenA,
        ),
      };
    if (method === 'PUT' && !isRegistered && this.has('PUT before the registration is HTTP 401'))
      return { answer: answers.unauthorized };
    if (method === 'POST' && isRegistered && this.has('a second POST of credentials is 2000'))
      return { answer: answers.refused };
    if ((method === 'POST') === isRegistered || method === 'PATCH') return { answer: answers.methodNotAllowed };
    if (method === 'DELETE') {
      if (!this.has('the token outlives the link')) this.current = '';
      return {};
    }
    const given = read(Credentials, body);
    if (!given.ok)
      return { answer: this.has('wrong content is HTTP 400') ? { http: 400, status: 2001 } : answers.invalid };
    const said = await this.join(given.value, method);
    if (said.answer && this.has('a refused registration spends its token')) this.spent = true;
    return said;
  }

  private async join(given: Credentials, method: string): Promise<Said> {
    const isWhole = given.url.endsWith('/versions');
    const isLate = method === 'POST' && isWhole && this.has('a registration is answered before the callback');
    const isBlind = method === 'PUT' && isWhole && this.has('PUT of credentials reads nothing anew');
    if (!isBlind && !isLate) {
      const refusal = await this.meet(given);
      if (refusal) return { answer: refusal };
    }
    const keeps = method === 'PUT' && this.has('PUT of credentials keeps the token');
    if (!keeps) this.current = randomUUID();
    if (!this.has('a registration token stays good')) this.spent = true;
    if (isBlind) this.partner = { ...this.partner!, credentials: given };
    const afterwards = async () => {
      if (isLate) await this.meet(given);
      if (method === 'POST' && !this.roles.includes('HUB')) {
        await pullTariffs(this);
        await pushAll(this);
      }
    };
    const isEncoded = method === 'POST' && this.has('the token in Credentials is Base64');
    const data = this.ours(isEncoded ? Buffer.from(this.current).toString('base64') : this.current);
    if (method === 'PUT' && this.has('PUT of credentials is answered without roles')) return { data: { token: data.token, url: data.url } };
    return { data: { ...data, roles: method === 'POST' ? this.wrongRoles(data.roles) : data.roles }, afterwards: () => void afterwards().catch(() => {}) };
  }

  private wrongRoles(roles: Credentials['roles']): readonly unknown[] {
    if (this.has('a role is listed twice')) return [...roles, roles[0]!];
    if (this.has('a role is null')) return [null, ...roles];
    if (this.has('a role names no party')) return roles.map(({ role }) => ({ role }));
    return roles;
  }

  private async meet(given: Credentials): Promise<Answer | undefined> {
    const calls = new Calls(
      this.has,
      given.token,
      this.has('requests for versions have routing headers') ? { from: own, to: given.roles[0] } : undefined,
    );
    const failed = this.has('a failing callback is 3000') ? answers.serverError : answers.clientApiUnusable;
    const versions = await calls.get(given.url);
    if (!Array.isArray(versions)) return failed;
    if (versions.length > 1 && this.has('an unknown version disturbs')) return answers.invalid;
    const newest = (versions as { version: string; url: string }[]).find(({ version }) => version === '2.2.1');
    if (!newest) return this.has('no common version is 3001') ? answers.clientApiUnusable : answers.unsupportedVersion;
    const details = (await calls.get(newest.url)) as VersionDetails | undefined;
    if (!details) return failed;
    const isKnown = (details.endpoints as { identifier: string }[]).every(({ identifier }) => ModuleId.safeParse(identifier).success);
    if (!isKnown && this.has('an unknown module disturbs')) return answers.invalid;
    if (!findEndpoint(details, 'locations', 'RECEIVER') && !findEndpoint(details, 'tokens', 'RECEIVER')) {
      return this.has('missing endpoints are 2000') ? answers.refused : answers.endpointsMissing;
    }
    this.partner = { credentials: given, details };
    return undefined;
  }

  ours(token: string): Credentials {
    const roles: readonly Role[] = this.has('a hub lists its members as roles') ? [...this.roles, 'CPO'] : this.roles;
    return {
      token,
      url: `${this.url}/versions`,
      roles: [...roles.map((role) => ({ role, ...own })), ...(this.isLiberal && !roles.includes('HUB') ? [{ role: 'CPO' as const, country_code: 'CA', party_id: 'ELS' }] : [])]
        .map((one) => ({ ...one, business_details: { name: 'Peer' } })),
    };
  }
}
