import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Credentials, dateTimeOf, envelope, type Headers, idHeaders, type Interface, parseJson, type Party, readMessageIds,
  readRouting, answerRouting, type Role, routingHeaders, tokenCandidates, typicalInterfaces,
} from '#ocpi';

/** A request that the platform made of us. */
export interface Incoming {
  readonly at: number;
  readonly method: string;
  /** Below our address, without the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** As the platform reaches us; our own address where it is ''. */
  readonly publicUrl: string;
  readonly party: Party;
}

/**
 * What our versions URL leads to: a whole platform, also with a version or a module that 2.2.1 does not know, or one
 * that a registration has to refuse.
 */
export type Front = 'versions' | 'failing' | 'bare' | 'old' | 'later' | 'own';

const served = new Set<string>(['locations', 'sessions', 'cdrs', 'tariffs', 'tokens', 'commands', 'chargingprofiles', 'hubclientinfo']);
/** The path of our list of Tariffs. */
export const TARIFFS = '/sender/tariffs';
const CDRS = '/receiver/cdrs/';
/** Below it our second platform is, where a hub lets us be two of its members. */
export const MEMBER = '/member';
const BODY_BYTES_MAX = 5_000_000;
const REQUESTS_KEPT = 20_000;
const CHARACTERS_KEPT = 50_000_000;

/** The partner that the platform sees: small, obliging, and with a good memory. */
export class Listener {
  readonly seen: Incoming[] = [];
  /** Tokens that the platform may present, and all that it ever might. */
  readonly tokens = new Set<string>();
  readonly given = new Set<string>();
  roles: readonly Role[] = ['EMSP'];
  /** Of our role CPO, where it is another one: behind a hub. */
  cpo: Party | undefined;
  /** Of our second platform: another member of a hub. */
  member: Party | undefined;
  /** What is refused with 2001: requests whose path holds this. */
  refusing: string | undefined;
  /** Paths whose requests are answered once this is over: what must not come before its response waits for it. */
  readonly held = new Map<string, Promise<unknown>>();
  /** The first PATCH of a Location or Session that came: it is refused, if it is to be. */
  patched: Incoming | undefined;
  refusesPatch = false;
  /** What our list of Tariffs holds. */
  tariffs: readonly object[] = [];
  /** What is not answered at all. */
  silent: string | undefined;
  private readonly server: Server;
  private readonly waiting = new Set<() => void>();
  private characters = 0;

  private constructor(private readonly options: ListenerOptions) {
    this.server = createServer((request, response) => void this.take(request, response).catch(() => response.destroy()));
    this.server.requestTimeout = 30_000;
  }

  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    await new Promise<void>((resolve, reject) => {
      listener.server.once('error', reject).listen(options.port, options.host, resolve);
    });
    return listener;
  }

  get url(): string {
    if (this.options.publicUrl !== '') return this.options.publicUrl.replace(/\/+$/, '');
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  credentials(token: string, front: Front = 'versions'): Credentials {
    const business_details = { name: 'Roamwatt conformance kit' };
    return {
      token,
      url: `${this.url}/${front}`,
      roles: this.roles.map((role) => ({
        role,
        ...((role === 'CPO' ? this.cpo : undefined) ?? this.options.party),
        business_details,
      })),
    };
  }

  /** Of our second platform, an eMSP. */
  memberCredentials(token: string): Credentials {
    const business_details = { name: 'Roamwatt conformance kit, another member' };
    return { token, url: `${this.url}${MEMBER}/versions`, roles: [{ role: 'EMSP', ...this.member!, business_details }] };
  }

  /** Whether we can be away for a moment: nobody else answers at our address. */
  get mayLeave(): boolean {
    return this.options.publicUrl === '';
  }

  /** Nobody is there while `meanwhile` goes on. */
  async away<T>(meanwhile: () => Promise<T>): Promise<T> {
    const { address, port } = this.server.address() as AddressInfo;
    await this.close();
    try {
      return await meanwhile();
    } finally {
      await new Promise<void>((resolve, reject) => void this.server.once('error', reject).listen(port, address, resolve));
    }
  }

  admit(token: string): void {
    this.tokens.add(token);
    this.given.add(token);
  }

  /** Waits until what came satisfies `is`, at most so long; answers whether it did. */
  async until(is: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!is()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(leftMs, 250));
        const { waiting } = this;
        function done() {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
    return true;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request);
    const json = text === '' ? undefined : parseJson(text);
    // A slash behind a path is as good as none. TRN-16.
    const path = new URL(request.url ?? '/', 'http://kit').pathname.replace(/(?<=.)\/+$/, '');
    const incoming: Incoming = {
      at: Date.now(), method: request.method ?? '', path, headers: request.headers, text, body: json?.ok ? json.value : undefined,
    };
    const known = tokenCandidates(request.headers.authorization).some(({ token }) => this.tokens.has(token));
    // Who passes by an address that everybody reaches is not the platform.
    const isStranger = !known && !isListed(path);
    if (!isStranger) this.characters += text.length;
    if (!isStranger && this.seen.length < REQUESTS_KEPT && this.characters < CHARACTERS_KEPT) this.seen.push(incoming);
    for (const wake of [...this.waiting]) wake();
    if (this.silent !== undefined && path.includes(this.silent)) return;
    await this.held.get(path);
    const { http, status, data, headers = {} } = known ? this.answer(incoming) : { http: 401, status: 2001, data: undefined };
    const routing = readRouting(request.headers);
    const isFunctional = isFunctionalPath(path);
    response.writeHead(http, {
      'Content-Type': 'application/json', ...headers,
      ...idHeaders(readMessageIds(request.headers, () => 'none')),
      ...(isFunctional && routing.ok ? routingHeaders(answerRouting(routing.routing)) : {}),
    });
    response.end(JSON.stringify(envelope(data, status, undefined, dateTimeOf(Date.now()))));
  }

  private answer(incoming: Incoming): { http: number; status: number; data?: unknown; headers?: Record<string, string> } {
    const { method, path, body } = incoming;
    const ok = (data?: unknown, headers = {}) => ({ http: 200, status: 1000, data, headers });
    const versions = (version: string, front: string) => ok([{ version, url: `${this.url}/${front}/details` }]);
    if (this.refusing !== undefined && path.includes(this.refusing)) return { http: 200, status: 2001 };
    if (this.refusesPatch && !this.patched && method === 'PATCH' && /^\/receiver\/(locations|sessions)\//.test(path)) {
      this.patched = incoming;
      return { http: 404, status: 2001 };
    }
    if (path === `${MEMBER}/versions`) return versions('2.2.1', path.slice(1).replace('/versions', ''));
    if (path === `${MEMBER}/details`) return ok({ version: '2.2.1', endpoints: this.endpoints(['EMSP'], `${this.url}${MEMBER}`) });
    if (path.startsWith(`${MEMBER}/`)) return method === 'GET' ? { http: 404, status: 2001 } : ok();
    if (path === '/failing') return { http: 500, status: 3000 };
    if (path === '/old') return versions('2.1.1', 'old');
    if (path === '/bare' || path === '/versions') return versions('2.2.1', path.slice(1));
    if (path === '/later') return ok([{ version: '9.0', url: `${this.url}/later/9.0` }, { version: '2.2.1', url: `${this.url}/versions/details` }]);
    if (path === '/own') return versions('2.2.1', 'own');
    if (path === '/own/details')
      return ok({ version: '2.2.1', endpoints: [{ identifier: 'ca-kit-news', role: 'SENDER', url: `${this.url}/news` }, ...this.endpoints()] });
    if (path === '/bare/details') return ok({ version: '2.2.1', endpoints: this.endpoints().slice(0, 1) });
    if (path === '/versions/details') return ok({ version: '2.2.1', endpoints: this.endpoints() });
    if (path === '/credentials') return method === 'DELETE' ? ok() : ok(this.credentials([...this.tokens].at(-1)!));
    if (path.startsWith('/results/') && method === 'POST') return ok();
    if (/^\/sender\/\w+$/.test(path) && method === 'GET') {
      const listed = path === TARIFFS ? this.tariffs : [];
      return ok(listed, { 'X-Total-Count': String(listed.length), 'X-Limit': '100' });
    }
    if (path === '/receiver/cdrs' && method === 'POST') {
      return {
        http: 201,
        status: 1000,
        headers: {
          Location: `${this.url}/receiver/cdrs/${encodeURIComponent(String((body as { id?: unknown })?.id))}`,
        },
      };
    }
    if (path.startsWith(CDRS) && method === 'GET') {
      const isIt = ({ method: how, path: at, body: cdr }: Incoming) =>
        how === 'POST' && `${at}/` === CDRS && `${CDRS}${encodeURIComponent(String((cdr as { id?: unknown })?.id))}` === path;
      const posted = this.seen.findLast(isIt);
      return posted ? ok(posted.body) : { http: 404, status: 2001 };
    }
    if (path.startsWith('/sender/chargingprofiles/') && method === 'PUT') return ok();
    if (path.startsWith('/receiver/chargingprofiles/')) return ok({ result: 'UNKNOWN_SESSION', timeout: 0 });
    if (path.startsWith('/receiver/commands/')) return ok({ result: 'REJECTED', timeout: 0 });
    if (path.startsWith('/receiver/') && method !== 'GET') return ok();
    if (path.endsWith('/authorize')) return { http: 404, status: 2004 };
    return { http: 404, status: 2001 };
  }

  private endpoints(roles = this.roles, base = this.url): { identifier: string; role: string; url: string }[] {
    const interfaces = roles.flatMap((role): readonly Interface[] => typicalInterfaces[role]);
    const listed = new Map(interfaces.filter(({ module }) => served.has(module)).map(({ module, role }) => {
      const url = `${base}/${role.toLowerCase()}/${module}`;
      return [url, { identifier: module as string, role: role as string, url }] as const;
    }));
    return [{ identifier: 'credentials', role: 'SENDER', url: `${base}/credentials` }, ...listed.values()];
  }
}

/** Whether a path is below a URL that the platform was given. TRN-15. */
export function isListed(path: string): boolean {
  return /^(\/member)?\/(versions|credentials|sender|receiver|results|failing|bare|old|later|own|details|news)(\/|$)/.test(path);
}

/** Whether a request that came is one of a functional module: with routing headers. HUB-02. */
export function isFunctionalPath(path: string): boolean {
  return /^(\/member)?\/(sender|receiver|results)\//.test(path) && !path.includes('/hubclientinfo');
}

/** An incoming request, as a finding shows it. */
export function saidBy({ method, path, headers, text }: Incoming): string {
  const names = ['content-type', 'x-request-id', 'x-correlation-id', 'ocpi-from-party-id', 'ocpi-to-party-id'];
  const lines = names.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  return [`the platform's ${method} ${path}`, ...lines, text].join('\n');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > BODY_BYTES_MAX) throw new Error('the body is too long');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
