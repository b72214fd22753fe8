import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { invitePartner } from '#contracts/ocpi-gateway';
import { authorization } from '#ocpi';
import { call, type Called, type Side } from './side.ts';

export interface Seen {
  readonly what: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

type Answer =
  | {
      readonly http?: number;
      readonly status?: number;
      readonly data?: unknown;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string | undefined>>;
    }
  | 'never'
  | 'hang up';

/** A partner's platform worked by hand: it lists the endpoints it is told to and answers as it is told. */
export class HandPartner {
  readonly seen: Seen[] = [];
  /** What it answers to a push; 1000 unless told otherwise. */
  answer: (what: string) => Answer | Promise<Answer> = () => ({});
  url = '';
  /** Where its endpoints are; its own base where it is ''. */
  endpointBase = '';
  /** Behind each of its endpoints. */
  endpointEnd = '';
  /** Whether its versions are for those alone who present the token that it gave. */
  asksForToken = false;
  /** Of OCPI, that it speaks: one whose credentials have roles, or 2.1.1. */
  version = '2.2.1';
  /** Versions that it lists, too, and has no details of. */
  alsoLists: readonly string[] = [];
  /** Whether its version details list where credentials go. */
  listsCredentials = true;
  /** Puts its versions into an object, as the table of 2.1.1-d2 has them. */
  wrapsVersions = false;
  /** Of 2.3.0: the party of the hub that it is, such as `CAHUB`. */
  hubPartyId = '';
  /** Whom it lets in, by the Authorization header; everybody unless told otherwise. */
  admits: (authorization: string | undefined) => boolean | Promise<boolean> = () => true;
  /** What it presents to the gateway. */
  token = '';
  /** What the gateway is to present to it, by the credentials of its next registration. */
  given = '';

  private readonly server = createServer((request, response) => {
    void bodyOf(request).then(async (text) => {
      const what = `${request.method} ${request.url}`;
      this.seen.push({ what, body: text === '' ? undefined : JSON.parse(text), headers: request.headers });
      const { authorization } = request.headers;
      const answer = await this.admits(authorization)
        ? (this.configuration(request.url!, authorization) ?? await this.answer(what))
        : { http: 401, status: 2000 };
      if (answer === 'never') return;
      if (answer === 'hang up') return void request.socket.destroy();
      const {
        http = 200,
        status = 1000,
        data,
        message = `said ${status}`,
        headers = { Location: `${this.base}/cdrs/x` },
      } = answer;
      response.writeHead(http, { 'Content-Type': 'application/json', ...headers });
      response.end(
        JSON.stringify({ data, status_code: status, status_message: message, timestamp: '2022-02-01T17:00:00Z' }),
      );
    });
  });

  private constructor(
    readonly name: string,
    readonly partyId: string,
    readonly role: string,
    private readonly interfaces: readonly string[],
    private readonly moreRoles: readonly string[],
  ) {}

  /** `interfaces` as in `RECEIVER locations`, `moreRoles` as in `CPO`, or `CPO QBC` of another party. */
  static async open(
    name: string,
    partyId: string,
    role: string,
    interfaces: readonly string[],
    moreRoles: readonly string[] = [],
  ): Promise<HandPartner> {
    const partner = new HandPartner(name, partyId, role, interfaces, moreRoles);
    partner.given = `token-of-${partyId}`;
    await new Promise<void>((resolve) => partner.server.listen(0, '127.0.0.1', resolve));
    partner.url = `${partner.base}/versions`;
    return partner;
  }

  credentials(): object {
    const business_details = { name: this.name };
    if (this.version === '2.1.1')
      return {
        token: this.given,
        url: this.url,
        party_id: this.partyId,
        country_code: 'CA',
        business_details,
      };
    const roles = [this.role, ...this.moreRoles].map((one) => {
      const [role, party_id = this.partyId] = one.split(' ');
      return { role, party_id, country_code: 'CA', business_details };
    });
    const hub = this.hubPartyId === '' ? {} : { hub_party_id: this.hubPartyId };
    return { token: this.given, url: this.url, ...hub, roles };
  }

  /** As an operator invites it. */
  parties(): { party: { countryCode: string; partyId: string }; roles: string[] }[] {
    const hub = this.hubPartyId === '' ? [] : [`HUB ${this.hubPartyId.slice(2)}`];
    const named = [this.role, ...this.moreRoles, ...hub].map((one) => one.split(' '));
    return named.map(([role = '', partyId = this.partyId]) => ({
      party: { countryCode: 'CA', partyId },
      roles: role === '' ? [] : [role],
    }));
  }

  /** Is invited, and POSTs its credentials. */
  async register(side: Side): Promise<Called> {
    const { tokenA } = await side.neighbours.bus.ask(invitePartner, { name: this.name, parties: this.parties() });
    const answer = await call(side, `/ocpi/${this.version}/credentials`, {
      token: tokenA,
      method: 'POST',
      body: this.credentials(),
    });
    this.token = (answer.data as { token: string } | undefined)?.token ?? '';
    return answer;
  }

  /** Pushes and results that came, without the handshake. */
  pushed(start = ''): string[] {
    return this.seen
      .map(({ what }) => what)
      .filter((what) => !/ \/(versions|2\.\d\.\d)$/.test(what) && what.startsWith(start));
  }

  /** Listens again, where it was. */
  async reopen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  /** Ends the connections of those who still wait for an answer. */
  hangUp(): void {
    this.server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private configuration(path: string, presented: string | undefined): Exclude<Answer, string> | undefined {
    if (
      this.asksForToken &&
      /^\/(versions|2\.\d\.\d)$/.test(path) &&
      presented !== authorization(this.given)
    )
      return { http: 401, status: 2001 };
    // A version that nobody knows, with a URL that is none, must not disturb.
    if (path === '/versions') {
      const known = [this.version, ...this.alsoLists].map((version) => ({ version, url: `${this.base}/${version}` }));
      const versions = [{ version: '9.9', url: 'none' }, ...known];
      return { data: this.wrapsVersions ? { versions } : versions };
    }
    if (this.alsoLists.some((version) => path === `/${version}`)) return { http: 404, status: 2001 };
    if (path !== `/${this.version}`) return undefined;
    const endpoints = this.interfaces.map((one) => {
      const [role, identifier] = one.split(' ');
      return {
        identifier,
        url: `${this.endpointBase || this.base}/${identifier}${this.endpointEnd}`,
        ...(this.version === '2.1.1' ? {} : { role }),
      };
    });
    return {
      data: {
        version: this.version,
        endpoints: [...(this.listsCredentials ? [{ identifier: 'credentials', role: 'RECEIVER', url: `${this.base}/credentials` }] : []), ...endpoints],
      },
    };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
