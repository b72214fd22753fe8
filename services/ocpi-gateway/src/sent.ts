import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Bus, type Outbox, Refused, told } from '#bus';
import { listCdrs } from '#contracts/cdr-ledger';
import { listLocations } from '#contracts/locations';
import type { Page, PageRequestSchema } from '#contracts/party';
import { listSessions } from '#contracts/sessions';
import { cdrDelivered } from '#contracts/ocpi-gateway';
import { listTariffs } from '#contracts/tariff-engine';
import { answerAuthorize, listTokens } from '#contracts/tokens-auth';
import { fromJsonBytes, jsonText, toJsonBytes } from '#contracts';
import { type Granted, patternsFor, seenSinceFor } from '#grants';
import { type Cdr, dateTimeOf, instantMs, type NextPage, pageHeaders, type PageQuery, partyText, readPage, sameParty, type Session, TokenType } from '#ocpi';
import { tokenTypeDown } from '#ocpi-versions';
import { type Clock, rfc3339 } from '#time';
import type { Database, Queryable } from '#postgres';
import type { OwnParties } from '#settings';
import type { Handler, Handlers, OcpiRequest } from './exchange.ts';
import { clientsWith } from './hub/client-info-rows.ts';
import { askersOf, endpointOf, isHub, shownTo, steeringToBus, takesTokens, toBus, viewerIn } from './partners/partner.ts';
import { part } from './received.ts';
import type { Seen } from './seen.ts';
import { takeFetched } from './pushes/pushed-rows.ts';
import { locationView, showsAllAsItIs, type Viewer } from './pushes/views.ts';
import { refuse } from './refusals.ts';
import type { Steering } from './steering.ts';

type PageAsk = MessageInitShape<typeof PageRequestSchema>;

export interface SentParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly pageLimit: number;
  readonly seen: Seen;
  readonly steering: Steering;
  /** What our agreements grant. */
  readonly grantedNow: () => Promise<Granted>;
}

/**
 * The Sender interfaces: what is ours, read by partners. Sessions and CDRs are for their tokens' owners
 * only. Who names one party of ours gets what is that one's, who names none gets all.
 */
export function sentHandlers(bus: Bus, parties: OwnParties, parts: SentParts): Handlers {
  const { db, pageLimit, grantedNow, seen, steering } = parts;
  const owner = ({ addressed }: OcpiRequest) => (addressed && parties.all.length > 1 ? { owner: toBus(addressed) } : {});
  const tokenParties = (request: OcpiRequest) => askersOf(request).map(toBus);
  const list = (ask: (page: PageAsk, request: OcpiRequest) => Promise<Listed>, more: Partial<ListRules> = {}) =>
    listHandler(ask, { maxLimit: pageLimit, dateFromRequired: false, ...more });
  const location: Handler = async (request) => {
    const { params, addressed } = request;
    const shown = await seen.view(params.location_id!, request);
    if (shown === undefined) {
      throw refuse(
        'unknown-location',
        `${params.location_id} is none of ${addressed ? `the Locations of ${partyText(addressed)}` : 'our Locations'}`,
      );
    }
    return { dataJson: part(shown, params) };
  };
  let lastGranted: Granted | undefined;
  const locations = async (page: PageAsk, request: OcpiRequest): Promise<Listed> => {
    const viewer = viewerIn(request);
    const asked = (granted: Granted) => bus.ask(listLocations, {
      page, ...owner(request),
      granted: patternsFor(viewer.groups, granted.places).map(({ owner: of, ids }) => ({ owner: toBus(of), ids })),
      ...shownAnew(page, viewer, granted),
    });
    // What is granted is seldom another thing than it was: asked by that while it is looked up, and again where it is.
    const assumed = lastGranted;
    const [granted, early] = await Promise.all([grantedNow(), assumed && asked(assumed)]);
    lastGranted = granted;
    const listed = early && granted === assumed ? early : await asked(granted);
    if (showsAllAsItIs(granted)) return listed;
    const shown = listed.objectsJson.map((bytes) => locationView(jsonText(bytes), viewer, granted));
    return { ...listed, shown: shown.filter((text) => text !== undefined).map(toJsonBytes) };
  };
  /** Those of tokens of whoever asks, and as it may see them those that are granted to it. */
  const sessions = async (page: PageAsk, request: OcpiRequest): Promise<Listed> => {
    const granted = await steering.grantsOf(askersOf(request));
    const listed = await bus.ask(listSessions, {
      page, tokenParties: tokenParties(request), steering: granted.map(steeringToBus), ...owner(request),
    });
    if (granted.length === 0) return listed;
    const isTheirs = ({ cdr_token: token }: Session) => askersOf(request).some((party) => sameParty(party, token));
    const all = listed.objectsJson.map((bytes) => fromJsonBytes<Session>(bytes));
    const views = await steering.views(all, granted);
    const shown = all.map((session, n) => (isTheirs(session) ? listed.objectsJson[n] : views[n] && toJsonBytes(views[n])));
    return { ...listed, shown: shown.filter((bytes) => bytes !== undefined) };
  };
  return {
    'SENDER locations GET ': list(locations),
    'SENDER locations GET /:location_id': location,
    'SENDER locations GET /:location_id/:evse_uid': location,
    'SENDER locations GET /:location_id/:evse_uid/:connector_id': location,
    'SENDER tariffs GET ': list((page, request) => bus.ask(listTariffs, {
      page, offeredTo: shownTo(request).map(toBus), ...owner(request),
    })),
    'SENDER sessions GET ': list(sessions, { dateFromRequired: true }),
    'SENDER cdrs GET ': list((page, request) => bus.ask(listCdrs, { page, tokenParties: tokenParties(request), ...owner(request) }), {
      given: (request, cdrs) => cdrsFetched(parts, request, cdrs),
    }),
    'SENDER tokens GET ': list(async (page, request) => {
      await forOperators(db, request);
      return bus.ask(listTokens, { page, ...owner(request) });
    }),
    'SENDER tokens POST /:token_uid/authorize': async (request) => {
      await forOperators(db, request);
      return authorize(bus, request);
    },
  };
}

/**
 * A partner to whom CDRs cannot be sent fetches them, and has what it was given: nothing else would ever tell the ledger, and
 * they would be on no statement that closes.
 */
async function cdrsFetched({ db, outbox, clock }: SentParts, { caller: { partner } }: OcpiRequest, objectsJson: readonly Uint8Array[]): Promise<void> {
  if (endpointOf(partner, 'cdrs', 'RECEIVER') !== undefined || objectsJson.length === 0) return;
  const given = objectsJson.map(jsonText).map((current) => ({ current, ...JSON.parse(current) as Pick<Cdr, 'id' | 'cdr_token'> }));
  await db.tx(async (tx) => {
    const fetched = new Set(await takeFetched(tx, partner.id, given));
    const at = rfc3339(clock.now());
    await outbox.tell(tx, given.filter(({ id }) => fetched.has(id)).map(({ id: cdrId, cdr_token: owner }) =>
      told(cdrDelivered, { cdrId, tokenParty: toBus(owner), locationUrl: '', at })));
  });
}

/** Through a hub by the roles of the one who asks, where that hub said them. */
async function forOperators(db: Queryable, { caller: { partner }, routing: { from } }: OcpiRequest): Promise<void> {
  const said = isHub(partner) && from ? (await clientsWith(db, from)).filter(({ partnerId }) => partnerId === partner.id).map(({ info }) => info) : [];
  if (!takesTokens(said.length > 0 ? { roles: said } : partner)) throw refuse('not-found', 'Tokens are for CPOs and hubs, and none of your roles is one');
}

/** By what a view is newer than the Location itself (`locationView`), where that can matter to the dates. TRN-51. */
function shownAnew({ dateFrom, dateTo }: PageAsk, { groups }: Viewer, { places, offers, since }: Granted) {
  const isOld = dateTo === undefined && (dateFrom === undefined || since < instantMs(dateFrom)!);
  if (since === 0 || isOld) return {};
  const tariffIds = offers.flatMap((offer) => offer.tariffIds);
  return {
    seenSince: seenSinceFor(groups, places).map(({ owner, parties }) => ({
      owner: toBus(owner),
      parties: parties.map((spans) => ({
        spans: spans.map(({ ids, until }) => ({ ids, ...(until === undefined ? {} : { until: rfc3339(until) }) })),
      })),
    })),
    ...(tariffIds.length === 0 ? {} : { namingSince: { tariffIds, since: rfc3339(since) } }),
  };
}

interface ListRules {
  readonly maxLimit: number;
  readonly dateFromRequired: boolean;
  /** Told of the objects that are given. */
  readonly given?: (request: OcpiRequest, objectsJson: readonly Uint8Array[]) => Promise<void>;
}

/** A page, and its objects as who asks may see them; as they are when absent. */
type Listed = Page & { readonly shown?: readonly Uint8Array[] };

function listHandler(
  ask: (page: PageAsk, request: OcpiRequest) => Promise<Listed>,
  rules: ListRules,
): Handler {
  return async (request) => {
    const reading = readPage(request.query, { ...rules, version: request.version });
    if (!reading.ok) throw refuse('invalid-parameters', reading.message);
    const { page } = reading;
    const answer = await ask(pageAsk(page), request);
    const listJson = answer.shown ?? answer.objectsJson;
    const { given } = rules;
    return {
      listJson,
      ...(given ? { given: (isGiven: (place: number) => boolean) => given(request, listJson.filter((_, place) => isGiven(place))) } : {}),
      headers: pageHeaders(request.url, page, answer.total, rules.maxLimit, nextOf(answer, page.offset)),
    };
  };
}

/** Pages are cut by bytes, too: the next one begins where this one really ends. */
function nextOf({ objectsJson, total, position, more }: Page, from: number): NextPage {
  const offset = from + objectsJson.length;
  const follows = position === undefined ? objectsJson.length > 0 && offset < total : more;
  return follows ? { offset, ...(position === undefined ? {} : { position }) } : 'none';
}

/** Instants with their Z, so that nobody behind has to know OCPI's rule for those without. TYP-03. */
function pageAsk({ dateFrom, dateTo, offset, limit, after }: PageQuery): PageAsk {
  const utc = (dateTime: string) => dateTimeOf(instantMs(dateTime)!);
  return {
    offset, limit,
    ...(after === undefined ? {} : { after }),
    ...(dateFrom === undefined ? {} : { dateFrom: utc(dateFrom) }),
    ...(dateTo === undefined ? {} : { dateTo: utc(dateTo) }),
  };
}

/** TOK-04 to TOK-07: an unknown token is 404 and 2004, which 2.1.1 does not have. What 2.1.1 calls OTHER may be of any type that it lacks. */
async function authorize(bus: Bus, { params, query, text, version, addressed, routing }: OcpiRequest) {
  const types = TokenType.options.filter((type) => (version === '2.1.1' ? tokenTypeDown(type) : type) === query.type);
  let unknown = '';
  for (const type of types) {
    try {
      const { authorizationInfoJson } = await bus.ask(answerAuthorize, {
        uid: params.token_uid!,
        type,
        ...(addressed ? { party: toBus(addressed) } : {}),
        ...(text === '' ? {} : { locationReferencesJson: toJsonBytes(text) }),
        ...(routing.from ? { asker: toBus(routing.from) } : {}),
      });
      return { dataJson: jsonText(authorizationInfoJson) };
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'unknown-token')) throw error;
      unknown = error.detail;
    }
  }
  throw refuse(version === '2.1.1' ? 'unknown-token' : 'unknown-token-to-authorize', unknown);
}
