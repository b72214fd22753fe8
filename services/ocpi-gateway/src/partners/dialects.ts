import type { Bus } from '#bus';
import { getLocation } from '#contracts/locations';
import { findContractTokens, getToken } from '#contracts/tokens-auth';
import { fromJsonBytes } from '#contracts';
import type { GrantRows } from '#grants';
import { type CdrToken, dateTimeOf, instantMs, type Location, type Party, type Role, type Route, type Token } from '#ocpi';
import { type Body, type Context, type Converted, down, type Kind, type OtherVersion, up } from '#ocpi-versions';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import type { Clock } from '#time';
import { lastSentToken, NotCarriedRows } from './dialect-rows.ts';
import type { OcpiReply, OcpiRequest } from '../exchange.ts';
import { type Partner, partiesOf, toBus, viewerOf } from './partner.ts';
import { locationView } from '../pushes/views.ts';
import { refuse } from '../refusals.ts';
import { withToldTariffs } from './told-tariffs.ts';
import { bodiesOf, otherVersion, partyIn, rolesOfPeer } from '../versions.ts';

/** Whose an object is, and who has the other end of the link. */
export interface Sides {
  readonly owner: Party;
  readonly other: Party;
}

const kindsPushed: Readonly<Record<string, Kind | undefined>> = {
  locations: 'location',
  tariffs: 'tariff',
  tokens: 'token',
  sessions: 'session',
  cdrs: 'cdr',
};

/** Objects between the versions that partners speak and 2.2.1, which is all that is known behind it. */
export class Dialects {
  readonly notCarried: NotCarriedRows;

  constructor(
    readonly parts: {
      readonly db: Database;
      readonly bus: Bus;
      readonly grants: GrantRows;
      readonly clock: Clock;
      readonly parties: OwnParties;
    },
  ) {
    this.notCarried = new NotCarriedRows(parts.db, parts.clock);
  }

  /** The one party that a link of 2.1.1 knows; what it is, is what all are. */
  get party(): Party & { readonly roles: readonly Role[] } {
    const { first, all } = this.parts.parties;
    return { country_code: first.country_code, party_id: first.party_id, roles: all.flatMap(({ roles }) => roles) };
  }

  /** The body of a partner's request as 2.2.1 says it; against its version's rules it is refused. */
  async read(
    request: Pick<OcpiRequest, 'version' | 'caller' | 'params'>,
    route: Route,
    body: unknown,
  ): Promise<unknown> {
    const version = otherVersion(request.version);
    const { asked } = bodiesOf(route);
    if (!version || !asked || body === undefined) return body;
    const { partner } = request.caller;
    const owner = partyIn(request.params) ?? partiesOf(partner)[0] ?? this.party;
    const made = await this.up(partner, version, asked, body, { owner, other: this.party });
    if (!made.ok) throw refuse('invalid-parameters', made.message);
    return made.value;
  }

  /** What a handler answers, as the partner's version says it. Of a list, what cannot be said is left out. */
  async write(
    request: Pick<OcpiRequest, 'version' | 'caller' | 'params'>,
    route: Route,
    reply: OcpiReply,
  ): Promise<OcpiReply> {
    const version = otherVersion(request.version);
    const { answered } = bodiesOf(route);
    if (!version || !answered) {
      await reply.given?.(() => true);
      return reply;
    }
    const data = dataOf(reply);
    if (data === undefined || data === null) return reply;
    const { partner } = request.caller;
    const sides = { owner: partyIn(request.params) ?? this.party, other: partiesOf(partner)[0] ?? this.party };
    const { dataJson: _text, listJson: _list, ...rest } = reply;
    if (!Array.isArray(data)) {
      const made = await this.down(partner, version, answered, data, sides);
      if (!made.ok) throw refuse('not-found', made.message);
      return { ...rest, data: made.value };
    }
    const all = await Promise.all(data.map((one) => this.down(partner, version, answered, one, sides)));
    await reply.given?.((place) => all[place]!.ok);
    return { ...rest, data: all.flatMap((made) => (made.ok ? [made.value] : [])) };
  }

  /** An object for a partner. */
  async down(partner: Partner, version: OtherVersion, body: Body, value: unknown, sides: Sides): Promise<Converted> {
    const made = await this.downNow(partner, version, body, value, sides);
    await this.notCarried.keep(partner.id, `${body.kind} to ${version}`, made);
    return made;
  }

  private async downNow(partner: Partner, version: OtherVersion, body: Body, value: unknown, sides: Sides): Promise<Converted> {
    const context = this.context(sides);
    if (version !== '2.1.1') return down(version, body, value, context);
    const location = await this.placeOf(partner, body, value, sides.owner);
    const [said, place] = await Promise.all([value, location].map((one) => withToldTariffs(this.parts.bus, one, context)));
    return down(version, body, said, { ...context, location: place as Location | undefined });
  }

  /** A dead letter as the partner saw it; as we have it where its version cannot say it, or not now. */
  async asSent<L extends { readonly key: { readonly module: string }; readonly current: string | undefined }>(
    partner: Partner,
    letter: L,
  ): Promise<L & { version: string }> {
    const version = otherVersion(partner.version);
    const kind = kindsPushed[letter.key.module];
    const own = { ...letter, version: version ? '2.2.1' : partner.version };
    if (!version || kind === undefined || letter.current === undefined) return own;
    const sides = { owner: this.party, other: partiesOf(partner)[0] ?? this.party };
    const object: unknown = JSON.parse(letter.current);
    const made = await this.downNow(partner, version, { kind }, object, sides).catch(() => undefined);
    return made?.ok ? { ...letter, current: JSON.stringify(made.value), version } : own;
  }

  /** An object of a partner's. */
  async up(partner: Partner, version: OtherVersion, body: Body, value: unknown, sides: Sides): Promise<Converted> {
    const url = (value as { url?: unknown } | null)?.url;
    const made = up(version, body, value, {
      ...this.context(sides),
      cdrToken: await this.tokenOf(partner, version, body, value),
      token: body.asked && version === '2.1.1' ? await this.tokenAsked(sides.owner, body.asked) : undefined,
      roles:
        body.kind === 'credentials' ? rolesOfPeer(this.party.roles, typeof url === 'string' ? url : '') : undefined,
    });
    await this.notCarried.keep(partner.id, `${body.kind} from ${version}`, made);
    return made;
  }

  /** A Location of ours. */
  async location(locationId: string, owner: Party = this.party): Promise<Location | undefined> {
    const { locationJson } = await this.parts.bus.ask(getLocation, { party: toBus(owner), locationId });
    return locationJson && fromJsonBytes<Location>(locationJson);
  }

  private context(sides: Sides): Context {
    return { ...sides, now: dateTimeOf(this.parts.clock.now()) };
  }

  /** 2.1.1 sends a Session's place along: as it is, whether or not the partner is shown it, but with the tariffs that it is offered. */
  private async placeOf(partner: Partner, { kind, patch }: Body, value: unknown, owner: Party): Promise<Location | undefined> {
    if (kind !== 'session' || patch) return undefined;
    const location = await this.location((value as { location_id: string }).location_id, owner);
    const { db, grants, clock } = this.parts;
    const granted = { ...(await grants.at(db, clock.now())), places: [] };
    return location && (JSON.parse(locationView(JSON.stringify(location), viewerOf(partner), granted)!) as Location);
  }

  /**
   * Whose card or app an auth_id stands for. Of several under one contract it is the one with which a start was ordered
   * there; else the oldest, so that a CDR that comes again names the same.
   */
  private async tokenOf(
    partner: Partner,
    version: OtherVersion,
    { kind }: Body,
    value: unknown,
  ): Promise<CdrToken | undefined> {
    if (version !== '2.1.1' || (kind !== 'session' && kind !== 'cdr')) return undefined;
    const given = (value ?? {}) as { auth_id?: unknown; start_datetime?: unknown; start_date_time?: unknown };
    if (typeof given.auth_id !== 'string' || given.auth_id === '') return undefined;
    const { db, bus, parties } = this.parts;
    const party = parties.withRole('EMSP');
    const { tokensJson } = await bus.ask(findContractTokens, { party: toBus(party), contractId: given.auth_id });
    const tokens = tokensJson.map((bytes) => fromJsonBytes<Token>(bytes));
    const startedMs = instantMs(String(given.start_datetime ?? given.start_date_time));
    const sent =
      tokens.length > 1 && startedMs !== undefined
        ? await lastSentToken(db, {
            partnerId: partner.id,
            contractId: given.auth_id,
            evseUid: evseIn(value),
            startedMs,
          })
        : undefined;
    const token = tokens.find(({ uid, type }) => uid === sent?.uid && type === sent.type) ?? tokens[0];
    if (!token) return undefined;
    const { country_code, party_id, uid, type, contract_id } = token;
    return { country_code, party_id, uid, type, contract_id };
  }

  private async tokenAsked(owner: Party, { uid, type }: { uid: string; type: string }): Promise<Token | undefined> {
    const { tokenJson } = await this.parts.bus.ask(getToken, { party: toBus(owner), uid, type });
    return tokenJson && fromJsonBytes<Token>(tokenJson);
  }
}

function evseIn(value: unknown): string {
  const { location } = value as { location?: { evses?: { uid?: unknown }[] } };
  const uid = Array.isArray(location?.evses) ? location.evses[0]?.uid : undefined;
  return typeof uid === 'string' ? uid : '';
}

function dataOf({ data, dataJson, listJson }: OcpiReply): unknown {
  if (listJson) return listJson.map((bytes) => fromJsonBytes<unknown>(bytes));
  return dataJson === undefined ? data : JSON.parse(dataJson) as unknown;
}
