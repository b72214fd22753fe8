/** A platform's REST door, as its drivers and operators use it. */

export interface Money {
  readonly excl_vat: string;
  readonly incl_vat?: string;
  readonly currency: string;
}

export interface FoundEvse {
  readonly country_code: string;
  readonly party_id: string;
  readonly location_id: string;
  readonly evse_uid: string;
  readonly evse_id?: string;
  readonly status: string;
  readonly name?: string;
  readonly city?: string;
  readonly distance_m?: number;
  readonly operator?: string;
  readonly connectors: readonly {
    readonly id: string;
    readonly standard: string;
    readonly power_kw: string | number;
    readonly price: { readonly sentence: string; readonly quote: (Money & { readonly energy_kwh: string }) | null } | null;
  }[];
}

export interface Charge {
  readonly charge_id: string;
  readonly state: 'ordered' | 'accepted' | 'refused' | 'charging' | 'completed' | 'failed' | 'unknown';
  readonly message?: string;
  readonly session?: {
    readonly country_code: string;
    readonly party_id: string;
    readonly session_id: string;
    readonly status: string;
    readonly kwh: string;
    readonly kw?: string;
    readonly started_at: string;
    readonly updated_at: string;
    readonly ended_at?: string;
    readonly cost?: Money;
  };
}

export interface Receipt {
  readonly country_code: string;
  readonly party_id: string;
  readonly cdr_id: string;
  readonly credit: boolean;
  readonly session_id: string;
  readonly kwh: string;
  readonly total: Money;
}

/** The door said no: status, code and detail as it gave them. */
export class PortalRefused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(request: string, status: number, code: string, detail: string) {
    super(`${request}: ${status} ${code}: ${detail}`);
    this.status = status;
    this.code = code;
  }
}

export class Portal {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.url = url;
    this.#headers = headers;
  }

  static operator(url: string, key: string): Portal {
    return new Portal(url, { 'x-api-key': key });
  }

  static async driver(url: string, email: string, password: string): Promise<Portal> {
    const { token } = await new Portal(url, {}).post<{ token: string }>('/v1/sign-in', { email, password });
    return new Portal(url, { authorization: `Bearer ${token}` });
  }

  /** For programs that ask the same portal. */
  credentials(): { url: string; key: string } {
    return { url: this.url, key: this.#headers['x-api-key'] ?? '' };
  }

  get<T>(path: string): Promise<T> {
    return this.#send<T>('GET', path);
  }

  post<T>(path: string, body: object = {}): Promise<T> {
    return this.#send<T>('POST', path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.#send<T>('PUT', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#send<T>('DELETE', path);
  }

  /** A document as it comes. */
  async file(path: string): Promise<Buffer> {
    const response = await fetch(`${this.url}${path}`, { headers: this.#headers, signal: patience(`GET ${path}`) });
    if (!response.ok) throw new PortalRefused(`GET ${path}`, response.status, 'no-document', await response.text());
    return Buffer.from(await response.arrayBuffer());
  }

  /** A charge as it goes on, by server-sent events; ends when it is over or the signal aborts. */
  async *watch(chargeId: string, signal: AbortSignal): AsyncGenerator<Charge> {
    const path = `/v1/charges/${encodeURIComponent(chargeId)}/events`;
    const response = await fetch(`${this.url}${path}`, { headers: { ...this.#headers, accept: 'text/event-stream' }, signal });
    if (!response.ok || !response.body) throw new PortalRefused(`GET ${path}`, response.status, 'no-stream', await response.text());
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join('\n');
        if (data) yield JSON.parse(data) as Charge;
      }
    }
  }

  async #send<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...this.#headers, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: patience(`${method} ${path}`),
    });
    const text = await response.text();
    const answer = (text ? JSON.parse(text) : {}) as T & { error?: { code: string; detail: string } };
    if (!response.ok) {
      throw new PortalRefused(`${method} ${path}`, response.status, answer.error?.code ?? 'unnamed', answer.error?.detail ?? text);
    }
    return answer;
  }
}

/** However slow the machine: after it something is wrong, and the error says what was waited for. */
export function patience(what: string, seconds = 60): AbortSignal {
  const giveUp = new AbortController();
  setTimeout(() => giveUp.abort(new Error(`${what}: no end within ${seconds} s`)), seconds * 1000).unref();
  return giveUp.signal;
}

/** The handshake: Energy OASIS hands out a TOKEN_A, with which Carbon Plunk registers. */
export async function registerWith(oasis: Portal, plunk: Portal) {
  const { token_a, versions_url: versionsUrl } = await oasis.post<{ token_a: string; versions_url: string }>(
    '/v1/operator/invitations', { name: 'Carbon Plunk', parties: [{ country_code: 'CA', party_id: 'CPK', roles: ['EMSP'] }] },
  );
  const partner = await plunk.post<{ state: string; version: string }>('/v1/operator/partners', {
    name: 'Energy OASIS', versions_url: versionsUrl, token_a,
  });
  return { partner, versionsUrl };
}
