import { type Bus, Refused } from '#bus';
import { type CdrRecorded, getCdr, receiveCdr } from '#contracts/cdr-ledger';
import { getLocation, putPartnerLocation } from '#contracts/locations';
import { Change } from '#contracts/party';
import { getSession, putPartnerSession } from '#contracts/sessions';
import { deletePartnerTariff, getTariff, putPartnerTariff } from '#contracts/tariff-engine';
import { getToken, putPartnerToken } from '#contracts/tokens-auth';
import { fromJsonBytes, jsonText, toJsonBytes } from '#contracts';
import { answers, type Cdr, findEvse, joinUrl, type Location, type Party, type Route, sameId, sameParty } from '#ocpi';
import type { Handlers, OcpiReply, OcpiRequest } from './exchange.ts';
import type { FetchKey } from './pulls/fetch-rows.ts';
import type { Fetching } from './pulls/fetching.ts';
import { fromBus, maySpeakFor, notTheirs, toBus } from './partners/partner.ts';
import { hasQuirk, sloppyCredit, zoneless } from './partners/quirks.ts';
import { refuse } from './refusals.ts';
import type { Sightings } from './partners/sightings.ts';
import { partyIn } from './versions.ts';

/** The Receiver interfaces: partners' objects go to whoever keeps them, and are read back from there. */
export function receivedHandlers(bus: Bus, fetching: Fetching, sightings: Sightings): Handlers {
  const pushing: Pushing = async (request, object, ask) => {
    try {
      const answer = await ask();
      // A PATCH has fields that are not here; a PUT may be the truth after a clock was ahead.
      if (answer.change === Change.STALE) await mark(fetching, request, object);
      return changed(answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (unknowns.has(error.code)) await mark(fetching, request, object);
      if (error.code !== 'session-is-final') throw error;
      const { partner } = request.caller;
      sightings.note(partner.id, 'late-sessions', `${request.method} of Session ${object.objectId}, which is COMPLETED`);
      if (!hasQuirk(partner, 'late-sessions')) throw error;
      return { message: 'the Session is COMPLETED: left out' };
    }
  };
  const forAll = { ...receivedLocations(bus, pushing, sightings), ...receivedTariffs(bus, pushing), ...receivedTokens(bus, pushing) };
  return { ...leavingOut(forAll), ...receivedSessions(bus, pushing), ...receivedCdrs(bus, sightings) };
}

/**
 * What a hub tells everybody of a party with a link of its own is no fault of the hub's, which has to (HUB-11): a refusal would
 * stand there among what we refused for good. Its own link says the same.
 */
function leavingOut(handlers: Handlers): Handlers {
  const isHeardThere = ({ caller: { partner }, params, method }: OcpiRequest) =>
    method !== 'GET' && partner.aside.some((one) => sameParty(one, partyIn(params)!));
  return Object.fromEntries(Object.entries(handlers).map(([route, handle]) => [route, async (request: OcpiRequest) =>
    isHeardThere(request) ? { message: `${request.params.country_code}*${request.params.party_id} has a link of its own: left out` } : handle(request)]));
}

/** Answers a PUT or PATCH; one that tells that something is missing here has it fetched: TRN-63, LOC-34. */
type Pushing = (request: OcpiRequest, object: Pushed, ask: () => Promise<{ change: Change }>) => Promise<OcpiReply>;

interface Pushed {
  readonly module: FetchKey['module'];
  readonly objectId: string;
  /** Of a token, whose uid is not all that names it. */
  readonly type?: string;
}

const unknowns: ReadonlySet<string> = new Set([
  'unknown-location',
  'unknown-evse',
  'unknown-connector',
  'unknown-session',
  'unknown-token',
]);

function mark(fetching: Fetching, { caller, params, body }: OcpiRequest, { module, objectId, type }: Pushed): Promise<void> {
  const party = { country_code: params.country_code!.toUpperCase(), party_id: params.party_id!.toUpperCase() };
  const { last_updated: lastUpdated = '' } = body as { last_updated?: string };
  const objectKey = (type === undefined ? objectId : `${type} ${objectId}`).toLowerCase();
  return fetching.mark(caller.partner, { module, party, objectKey, objectId }, lastUpdated);
}

/** The party in the URL; it must be one of the caller's. */
function owner(request: OcpiRequest): Party {
  const { params } = request;
  const party = partyIn(params)!;
  if (!maySpeakFor(request, party)) {
    throw refuse('foreign-party', notTheirs(request, party));
  }
  return party;
}

/** TRN-71: what names an object in its body is what names it in the URL; a PATCH may leave it out. */
export function sameIds(params: OcpiRequest['params'], body: object, names: Readonly<Record<string, string>>): void {
  for (const [field, param] of Object.entries(names)) {
    const given = (body as Record<string, unknown>)[field];
    if (typeof given === 'string' && !sameId(given, params[param]!)) {
      throw refuse('id-differs', `${field}: "${given}" in the body, "${params[param]}" in the URL`);
    }
  }
}

const ownIds = { country_code: 'country_code', party_id: 'party_id' };

/** Which fields of a pushed object are named by which parts of its URL. */
export function idsOf({ module }: Pick<Route, 'module'>, params: OcpiRequest['params']): Readonly<Record<string, string>> {
  if (params.connector_id !== undefined) return { id: 'connector_id' };
  if (params.evse_uid !== undefined) return { uid: 'evse_uid' };
  if (module === 'tokens') return { ...ownIds, uid: 'token_uid' };
  return { ...ownIds, id: module === 'locations' ? 'location_id' : module === 'tariffs' ? 'tariff_id' : 'session_id' };
}

function checkIds(module: Route['module'], { params, body }: OcpiRequest): void {
  sameIds(params, body as object, idsOf({ module }, params));
}

function changed({ change }: { change: Change }): OcpiReply {
  return change === Change.CREATED ? { answer: answers.created } : {};
}

function found(bytes: Uint8Array | undefined, what: string): string {
  if (!bytes) throw refuse('not-found', `${what} is not known here`);
  return jsonText(bytes);
}

function receivedLocations(bus: Bus, pushing: Pushing, sightings: Sightings): Handlers {
  const own = '/:country_code/:party_id/:location_id';
  const levels = [own, `${own}/:evse_uid`, `${own}/:evse_uid/:connector_id`];
  const put = (patch: boolean) => async (request: OcpiRequest) => {
    const party = owner(request);
    checkIds('locations', request);
    const { location_id, evse_uid, connector_id } = request.params;
    const odd = zoneless({ ...(request.body as object), id: location_id });
    if (odd !== undefined) sightings.note(request.caller.partner.id, 'unknown-time-zone', odd);
    return pushing(request, { module: 'locations', objectId: location_id! }, () => bus.ask(putPartnerLocation, {
      party: toBus(party), locationId: location_id!, patch, bodyJson: toJsonBytes(request.text),
      ...(evse_uid === undefined ? {} : { evseUid: evse_uid }),
      ...(connector_id === undefined ? {} : { connectorId: connector_id }),
    }));
  };
  const get = async (request: OcpiRequest) => {
    const { locationJson } = await bus.ask(getLocation, { party: toBus(owner(request)), locationId: request.params.location_id! });
    return { dataJson: part(found(locationJson, `Location ${request.params.location_id}`), request.params) };
  };
  return Object.fromEntries(levels.flatMap((path) => [
    [`RECEIVER locations PUT ${path}`, put(false)],
    [`RECEIVER locations PATCH ${path}`, put(true)],
    [`RECEIVER locations GET ${path}`, get],
  ]));
}

/** A Location, or the EVSE or Connector of it that the URL names. */
export function part(locationJson: string, params: Readonly<Record<string, string>>): string {
  if (params.evse_uid === undefined) return locationJson;
  const evse = findEvse(JSON.parse(locationJson) as Location, params.evse_uid);
  if (!evse) throw refuse('unknown-evse', `Location ${params.location_id} has no EVSE ${params.evse_uid}`);
  if (params.connector_id === undefined) return JSON.stringify(evse);
  const connector = evse.connectors.find(({ id }) => sameId(id, params.connector_id!));
  if (!connector) throw refuse('unknown-connector', `EVSE ${params.evse_uid} has no Connector ${params.connector_id}`);
  return JSON.stringify(connector);
}

function receivedSessions(bus: Bus, pushing: Pushing): Handlers {
  const own = '/:country_code/:party_id/:session_id';
  const put = (patch: boolean) => async (request: OcpiRequest) => {
    const party = owner(request);
    checkIds('sessions', request);
    const sessionId = request.params.session_id!;
    return pushing(request, { module: 'sessions', objectId: sessionId }, () => bus.ask(putPartnerSession, {
      party: toBus(party), sessionId, patch, bodyJson: toJsonBytes(request.text),
    }));
  };
  return {
    [`RECEIVER sessions PUT ${own}`]: put(false),
    [`RECEIVER sessions PATCH ${own}`]: put(true),
    [`RECEIVER sessions GET ${own}`]: async (request) => {
      const sessionId = request.params.session_id!;
      const { sessionJson } = await bus.ask(getSession, { party: toBus(owner(request)), sessionId });
      return { dataJson: found(sessionJson, `Session ${sessionId}`) };
    },
  };
}

function receivedTariffs(bus: Bus, pushing: Pushing): Handlers {
  const own = '/:country_code/:party_id/:tariff_id';
  return {
    [`RECEIVER tariffs PUT ${own}`]: async (request) => {
      const party = owner(request);
      checkIds('tariffs', request);
      const tariffId = request.params.tariff_id!;
      return pushing(request, { module: 'tariffs', objectId: tariffId }, () =>
        bus.ask(putPartnerTariff, { party: toBus(party), tariffId, bodyJson: toJsonBytes(request.text) }));
    },
    [`RECEIVER tariffs GET ${own}`]: async (request) => {
      const tariffId = request.params.tariff_id!;
      const { tariffJson } = await bus.ask(getTariff, { party: toBus(owner(request)), tariffId });
      return { dataJson: found(tariffJson, `Tariff ${tariffId}`) };
    },
    [`RECEIVER tariffs DELETE ${own}`]: async (request) => {
      await bus.ask(deletePartnerTariff, { party: toBus(owner(request)), tariffId: request.params.tariff_id! });
      return {};
    },
  };
}

function receivedTokens(bus: Bus, pushing: Pushing): Handlers {
  const own = '/:country_code/:party_id/:token_uid';
  const typeOf = ({ query }: OcpiRequest) => query.type as string;
  const put = (patch: boolean) => async (request: OcpiRequest) => {
    const party = owner(request);
    checkIds('tokens', request);
    const { type: inBody } = request.body as { type?: string };
    const type = typeOf(request);
    if (inBody !== undefined && inBody !== type) throw refuse('id-differs', `type: "${inBody}" in the body, "${type}" in the URL`);
    const uid = request.params.token_uid!;
    return pushing(request, { module: 'tokens', objectId: uid, type }, () => bus.ask(putPartnerToken, {
      party: toBus(party), uid, type, patch, bodyJson: toJsonBytes(request.text),
    }));
  };
  return {
    [`RECEIVER tokens PUT ${own}`]: put(false),
    [`RECEIVER tokens PATCH ${own}`]: put(true),
    [`RECEIVER tokens GET ${own}`]: async (request) => {
      const uid = request.params.token_uid!;
      const { tokenJson } = await bus.ask(getToken, { party: toBus(owner(request)), uid, type: typeOf(request) });
      return { dataJson: found(tokenJson, `${typeOf(request)} Token ${uid}`) };
    },
  };
}

/** CDR-01: the URL of a CDR is ours to choose; it names the CDR's owner and id. */
function receivedCdrs(bus: Bus, sightings: Sightings): Handlers {
  const urlOf = (endpoint: string, { party, cdrId }: CdrRecorded) => joinUrl(endpoint, `${party!.countryCode}*${party!.partyId}*${cdrId}`);
  return {
    'RECEIVER cdrs POST ': async (request) => {
      const { caller, body, text, url, afterAnswer } = request;
      const cdr = body as Cdr;
      if (!maySpeakFor(request, cdr)) {
        throw refuse('foreign-object', `country_code, party_id: ${notTheirs(request, cdr)}`);
      }
      const sloppy = sloppyCredit(cdr);
      if (sloppy !== undefined) sightings.note(caller.partner.id, 'sloppy-credits', sloppy);
      const recorded = await bus.ask(receiveCdr, { bodyJson: toJsonBytes(text) });
      const { recordedAt } = recorded;
      if (recorded.change === Change.CREATED) {
        afterAnswer(() => void noteEarlyCdr(bus, sightings, caller.partner.id, cdr).catch(() => {}));
      }
      return { ...changed(recorded), headers: { Location: urlOf(url, recorded) }, ...(recordedAt === '' ? {} : { at: recordedAt }) };
    },
    'RECEIVER cdrs GET /:cdr': async (request) => {
      const { params } = request;
      const [, countryCode = '', partyId = '', cdrId = ''] = /^([^*]*)\*([^*]*)\*(.+)$/.exec(params.cdr!) ?? [];
      const party = { countryCode, partyId };
      if (cdrId === '' || !maySpeakFor(request, fromBus(party))) throw refuse('unknown-cdr', `${params.cdr} is no CDR of yours`);
      const { cdrJson } = await bus.ask(getCdr, { party, cdrId });
      return { dataJson: found(cdrJson, `CDR ${cdrId}`) };
    },
  };
}

/** Whether the CDR came before its Session was over. */
async function noteEarlyCdr(bus: Bus, sightings: Sightings, partnerId: string, cdr: Cdr): Promise<void> {
  const { session_id: sessionId, id, credit } = cdr;
  if (sessionId === undefined || credit) return;
  const { sessionJson } = await bus.ask(getSession, { party: toBus(cdr), sessionId });
  const { status } = sessionJson ? fromJsonBytes<{ status?: string }>(sessionJson) : {};
  if (status === undefined || status === 'COMPLETED' || status === 'INVALID') return;
  sightings.note(partnerId, 'late-sessions', `the CDR ${id} came while its Session was ${status}`);
}
