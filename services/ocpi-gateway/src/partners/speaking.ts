import { type Body as Sent, type Location, type Outcome, type Route, routes, type StartSession } from '#ocpi';
import { type Body, down, type Json, type OtherVersion, tokenTypeDown, up, withdrawn } from '#ocpi-versions';
import type { PartnerClient } from './calls.ts';
import { noteSentToken } from './dialect-rows.ts';
import type { Dialects, Sides } from './dialects.ts';
import { type Partner, partiesOf } from './partner.ts';
import { type Call, clientOf, type Send, sender } from './sender.ts';
import { bodiesOf, matched, otherVersion, partyIn, rolesOfPeer } from '../versions.ts';

/** A request of OCPI's table, as it goes to one of a partner's endpoints. */
interface Addressed {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** A client that says 2.2.1 on this side and the partner's version on the other. */
export function speaking(client: PartnerClient, partner: Partner, dialects: Dialects): PartnerClient {
  const version = otherVersion(partner.version);
  if (!version) return client;
  const raw = sender(client);
  return clientOf((call) => new Speech(dialects, partner, version, raw).send(call));
}

/** The same for a handshake, where nothing is sent but credentials. */
export function speakingCredentials(client: PartnerClient, version: string, dialects: Dialects): PartnerClient {
  const other = otherVersion(version);
  if (!other) return client;
  const { party, parts: { clock } } = dialects;
  const raw = sender(client);
  const context = { owner: party, other: party, now: new Date(clock.now()).toISOString() };
  return clientOf(async (call) => {
    const made = call.body === undefined ? undefined : down(other, { kind: 'credentials' }, parsed(call.body), context);
    if (made && !made.ok) return notSent(made.message);
    const outcome = await raw({ ...call, body: made?.value });
    if (outcome.kind !== 'ok' || call.body === undefined) return outcome;
    const url = (outcome.data as { url?: unknown } | undefined)?.url;
    const theirs = up(other, { kind: 'credentials' }, outcome.data, {
      ...context,
      roles: rolesOfPeer(party.roles, typeof url === 'string' ? url : ''),
    });
    return theirs.ok ? { ...outcome, data: theirs.value } : outcome;
  });
}

class Speech {
  constructor(
    private readonly dialects: Dialects,
    private readonly partner: Partner,
    private readonly version: OtherVersion,
    private readonly raw: Send,
  ) {}

  async send(call: Call): Promise<Outcome> {
    const { version } = this;
    // 2.1.1 has no hubs, and so no parties in headers.
    const out: Call = version === '2.1.1' ? { ...call, options: { ...call.options, routing: false } } : call;
    const body = call.body === undefined ? undefined : parsed(call.body);
    const addressed = this.addressed(call);
    const asked = addressed
      ? bodiesOf(addressed.route).asked
      : version === '2.1.1' && isResult(body)
        ? { kind: 'result' as const }
        : undefined;
    const url = version === '2.1.1' && addressed ? urlOf211(call.url, addressed.route) : call.url;
    if (addressed && version === '2.1.1' && (await this.isHidden(addressed, asked))) return done();
    if (!asked || body === undefined) return this.heard(await this.raw({ ...out, url }), addressed);
    const made = await this.dialects.down(this.partner, version, asked, body, this.sides(addressed));
    if (made.ok) {
      if (asked.kind === 'START_SESSION' && version === '2.1.1') await this.noteToken(body as unknown as StartSession);
      return this.heard(await this.raw({ ...out, url, body: made.value }), addressed);
    }
    if (made.why === 'unpublished' && call.method === 'PUT')
      return asked.kind === 'tariff' ? this.unsay({ ...out, url }) : this.withdraw({ ...out, url }, body as unknown as Location);
    // The answer that OCPI has for a command that is not known there.
    if (addressed?.route.module === 'commands' && made.why === 'cannot-be-said')
      return done({ result: 'NOT_SUPPORTED', timeout: 0, message: [{ language: 'en', text: made.message }] });
    return notSent(made.message, made.why === 'invalid' ? 2001 : 2000);
  }

  /** What is not published is not sent; where it was before, its EVSEs are gone. */
  private async withdraw(call: Call, location: Location): Promise<Outcome> {
    const there = await this.raw({ ...call, method: 'GET', body: undefined });
    if (there.kind === 'unreachable' || there.kind === 'unclear') return there;
    if (there.kind === 'refused') return there.http === 404 ? done() : there;
    const made = withdrawn(location);
    return made.ok ? this.raw({ ...call, body: made.value }) : notSent(made.message);
  }

  /** A Tariff that does not hold, or not for the partner's drivers, is not sent; where it was before, it is deleted. */
  private async unsay(call: Call): Promise<Outcome> {
    const there = await this.raw({ ...call, method: 'GET', body: undefined });
    if (there.kind === 'unreachable' || there.kind === 'unclear') return there;
    if (there.kind === 'refused' && there.http === 404) return done();
    const gone = await this.raw({ ...call, method: 'DELETE', body: undefined });
    return gone.kind === 'refused' && gone.http === 404 ? done() : gone;
  }

  /** A part of a Location does not say whether it is published. */
  private async isHidden({ params }: Addressed, asked: Body | undefined): Promise<boolean> {
    if (asked?.kind !== 'evse' && asked?.kind !== 'connector') return false;
    const location = await this.dialects.location(params.location_id!);
    return location?.publish === false;
  }

  /** The data of an answer, as 2.2.1 says it. What cannot be understood stays as it is, for who reads it to refuse. */
  private async heard(outcome: Outcome, addressed: Addressed | undefined): Promise<Outcome> {
    const answered = addressed && bodiesOf(addressed.route).answered;
    if ((outcome.kind !== 'ok' && outcome.kind !== 'refused') || !answered || outcome.data === undefined)
      return outcome;
    const { params, route } = addressed;
    const body: Body =
      answered.kind === 'authorization'
        ? { ...answered, asked: { uid: params.token_uid!, type: addressed.params.type ?? 'RFID' } }
        : answered;
    const sides = route.role === 'SENDER' ? this.theirs() : this.sides(addressed);
    const one = async (data: unknown) => {
      const made = await this.dialects.up(this.partner, this.version, body, data, sides);
      return made.ok ? made.value : data;
    };
    return {
      ...outcome,
      data: Array.isArray(outcome.data) ? await Promise.all(outcome.data.map(one)) : await one(outcome.data),
    };
  }

  private sides(addressed: Addressed | undefined): Sides {
    const { party } = this.dialects;
    return { owner: (addressed && partyIn(addressed.params)) ?? party, other: partiesOf(this.partner)[0] ?? party };
  }

  private theirs(): Sides {
    const { party } = this.dialects;
    return { owner: partiesOf(this.partner)[0] ?? party, other: party };
  }

  /** By the partner's endpoints: in 2.1.1 both interfaces of a module may be at one. */
  private addressed({ method, url }: Call): Addressed | undefined {
    const [path = '', search = ''] = url.split('?');
    const { parties } = this.dialects.parts;
    const found = this.partner.endpoints.flatMap((endpoint) => {
      const base = endpoint.url.split('?')[0]!.replace(/\/+$/, '');
      if (path !== base && !path.startsWith(`${base}/`)) return [];
      return routes.flatMap((route) => {
        if (route.module !== endpoint.identifier || route.role !== endpoint.role || route.method !== method) return [];
        const params = matched(route.path, path.slice(base.length));
        return params
          ? [{ route, params: { ...Object.fromEntries(new URLSearchParams(search)), ...params }, base }]
          : [];
      });
    });
    const longest = Math.max(...found.map(({ base }) => base.length));
    const nearest = found.filter(({ base }) => base.length === longest);
    const ofOurs = nearest.find(({ params }) => {
      const named = partyIn(params);
      return named && parties.has(named);
    });
    return ofOurs ?? nearest.find(({ params }) => partyIn(params) === undefined) ?? nearest[0];
  }

  private async noteToken({ token, evse_uid }: StartSession): Promise<void> {
    const { db, clock } = this.dialects.parts;
    await noteSentToken(db, {
      partnerId: this.partner.id,
      contractId: token.contract_id,
      evseUid: evse_uid ?? '',
      uid: token.uid,
      type: token.type,
      at: clock.now(),
    });
  }
}

/** 2.1.1 asks for the type of a Token only to authorize it, and knows fewer. */
function urlOf211(url: string, { module, path }: Route): string {
  const [base = '', search = ''] = url.split('?');
  if (module !== 'tokens' || search === '') return url;
  const query = new URLSearchParams(search);
  const type = query.get('type');
  if (!path.endsWith('/authorize')) query.delete('type');
  else if (type !== null) query.set('type', tokenTypeDown(type));
  return query.size === 0 ? base : `${base}?${query}`;
}

function isResult(body: Json | undefined): boolean {
  return typeof body?.result === 'string' && body.response_url === undefined;
}

function parsed(body: Sent): Json {
  return (typeof body === 'string' ? JSON.parse(body) : body) as Json;
}

/** There was nothing to say. */
function done(data?: Json): Outcome {
  return { kind: 'ok', http: 200, statusCode: 1000, data, headers: {}, timestamp: '' };
}

/** HTTP 0: it never left. */
function notSent(message: string, statusCode = 2000): Outcome {
  return { kind: 'refused', http: 0, statusCode, message: `not sent: ${message}` };
}
