import { z } from 'zod';
import { Cdr } from './cdrs.ts';
import {
  ActiveChargingProfile, ActiveChargingProfileResult, ChargingProfileResponse, ChargingProfileResult,
  SetChargingProfile,
} from './charging-profiles.ts';
import { commandBodies, CommandResponse, CommandResult, CommandType } from './commands.ts';
import { Credentials } from './credentials.ts';
import { url } from './fields.ts';
import { ClientInfo } from './hub-client-info.ts';
import { Connector, ConnectorPatch, Evse, EvsePatch, Location, LocationPatch } from './locations.ts';
import { ChargingPreferences, ChargingPreferencesResponse, Session, SessionPatch } from './sessions.ts';
import { Tariff } from './tariffs.ts';
import { AuthorizationInfo, LocationReferences, Token, TokenPatch, TokenType } from './tokens.ts';
import { type InterfaceRole, type ModuleId, Version, VersionDetails } from './versions.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request of OCPI 2.2.1, as the side that answers it sees it. */
export interface Route {
  readonly module: ModuleId | 'versions';
  /** The interface that answers; versions and credentials have only one. */
  readonly role: InterfaceRole;
  readonly method: Method;
  /** Below the endpoint's URL, `:name` stands for one segment; '' is the endpoint itself. */
  readonly path: string;
  /** The parameters of the query, without those of pages. */
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** The body may be absent: authorize without LocationReferences. TOK-03. */
  readonly bodyOptional?: true;
  /** `data` of a success; absent where OCPI defines none. A list's is that of one object. */
  readonly data?: z.ZodType;
  /** A paginated list; 'dated' = date_from is required. */
  readonly list?: 'paged' | 'dated';
  /** How the caller has the URL when not from our endpoints: then the path is our own choice. */
  readonly urlFrom?: 'response_url' | 'Location header' | 'versions url';
  /** Whether requests and responses carry the routing headers: functional modules only. HUB-01, HUB-02. */
  readonly routingHeaders: boolean;
}

const own = '/:country_code/:party_id';
const configuration: readonly Route['module'][] = ['versions', 'credentials', 'hubclientinfo'];

type Rest = Omit<Route, 'module' | 'role' | 'method' | 'path' | 'routingHeaders'>;

function on(module: Route['module'], role: InterfaceRole) {
  return (method: Method, path: string, rest: Rest = {}): Route =>
    ({ module, role, method, path, ...rest, routingHeaders: !configuration.includes(module) });
}

const versions = on('versions', 'SENDER');
const credentials = on('credentials', 'SENDER');
const locationsSent = on('locations', 'SENDER');
const locationsReceived = on('locations', 'RECEIVER');
const sessionsSent = on('sessions', 'SENDER');
const sessionsReceived = on('sessions', 'RECEIVER');
const cdrsSent = on('cdrs', 'SENDER');
const cdrsReceived = on('cdrs', 'RECEIVER');
const tariffsSent = on('tariffs', 'SENDER');
const tariffsReceived = on('tariffs', 'RECEIVER');
const tokensSent = on('tokens', 'SENDER');
const tokensReceived = on('tokens', 'RECEIVER');
const commandsReceived = on('commands', 'RECEIVER');
const commandsSent = on('commands', 'SENDER');
const profilesReceived = on('chargingprofiles', 'RECEIVER');
const profilesSent = on('chargingprofiles', 'SENDER');
const clientsSent = on('hubclientinfo', 'SENDER');
const clientsReceived = on('hubclientinfo', 'RECEIVER');

/** ?type= of a Token; RFID when absent. TOK-01. */
const TokenQuery = z.looseObject({ type: TokenType.default('RFID') });

const seconds = z.string({ error: 'is missing, a number of seconds is required' })
  .regex(/^\d{1,9}$/, { error: 'must be a number of seconds' }).transform(Number);
/** Where an asynchronous result goes; in the query of a GET or DELETE. CHP-01, D27. */
export const ResponseUrlQuery = z.looseObject({ response_url: url() });
export const ActiveProfileQuery = z.looseObject({ response_url: url(), duration: seconds });

/** Every request that OCPI 2.2.1 defines: servers register these, documents list them. */
export const routes: readonly Route[] = [
  versions('GET', '', { data: z.array(Version), urlFrom: 'versions url' }),
  versions('GET', '/:version', { data: VersionDetails, urlFrom: 'versions url' }),

  credentials('GET', '', { data: Credentials }),
  credentials('POST', '', { body: Credentials, data: Credentials }),
  credentials('PUT', '', { body: Credentials, data: Credentials }),
  credentials('DELETE', ''),

  locationsSent('GET', '', { list: 'paged', data: Location }),
  locationsSent('GET', '/:location_id', { data: Location }),
  locationsSent('GET', '/:location_id/:evse_uid', { data: Evse }),
  locationsSent('GET', '/:location_id/:evse_uid/:connector_id', { data: Connector }),
  locationsReceived('GET', `${own}/:location_id`, { data: Location }),
  locationsReceived('GET', `${own}/:location_id/:evse_uid`, { data: Evse }),
  locationsReceived('GET', `${own}/:location_id/:evse_uid/:connector_id`, { data: Connector }),
  locationsReceived('PUT', `${own}/:location_id`, { body: Location }),
  locationsReceived('PUT', `${own}/:location_id/:evse_uid`, { body: Evse }),
  locationsReceived('PUT', `${own}/:location_id/:evse_uid/:connector_id`, { body: Connector }),
  locationsReceived('PATCH', `${own}/:location_id`, { body: LocationPatch }),
  locationsReceived('PATCH', `${own}/:location_id/:evse_uid`, { body: EvsePatch }),
  locationsReceived('PATCH', `${own}/:location_id/:evse_uid/:connector_id`, { body: ConnectorPatch }),

  sessionsSent('GET', '', { list: 'dated', data: Session }),
  sessionsSent('PUT', '/:session_id/charging_preferences', {
    body: ChargingPreferences, data: ChargingPreferencesResponse,
  }),
  sessionsReceived('GET', `${own}/:session_id`, { data: Session }),
  sessionsReceived('PUT', `${own}/:session_id`, { body: Session }),
  sessionsReceived('PATCH', `${own}/:session_id`, { body: SessionPatch }),

  cdrsSent('GET', '', { list: 'paged', data: Cdr }),
  cdrsReceived('POST', '', { body: Cdr }),
  cdrsReceived('GET', '/:cdr', { data: Cdr, urlFrom: 'Location header' }),

  tariffsSent('GET', '', { list: 'paged', data: Tariff }),
  tariffsReceived('GET', `${own}/:tariff_id`, { data: Tariff }),
  tariffsReceived('PUT', `${own}/:tariff_id`, { body: Tariff }),
  tariffsReceived('DELETE', `${own}/:tariff_id`),

  tokensSent('GET', '', { list: 'paged', data: Token }),
  tokensSent('POST', '/:token_uid/authorize', {
    query: TokenQuery, body: LocationReferences, bodyOptional: true, data: AuthorizationInfo,
  }),
  tokensReceived('GET', `${own}/:token_uid`, { query: TokenQuery, data: Token }),
  tokensReceived('PUT', `${own}/:token_uid`, { query: TokenQuery, body: Token }),
  tokensReceived('PATCH', `${own}/:token_uid`, { query: TokenQuery, body: TokenPatch }),

  ...CommandType.options.map((command) =>
    commandsReceived('POST', `/${command}`, { body: commandBodies[command], data: CommandResponse })),
  commandsSent('POST', '/:command/:exchange', { body: CommandResult, urlFrom: 'response_url' }),

  profilesReceived('GET', '/:session_id', { query: ActiveProfileQuery, data: ChargingProfileResponse }),
  profilesReceived('PUT', '/:session_id', { body: SetChargingProfile, data: ChargingProfileResponse }),
  profilesReceived('DELETE', '/:session_id', { query: ResponseUrlQuery, data: ChargingProfileResponse }),
  profilesSent('POST', '/result/:exchange', {
    // Which of the two (a ClearProfileResult has the shape of the second) depends on what was asked.
    body: z.union([ActiveChargingProfileResult, ChargingProfileResult]), urlFrom: 'response_url',
  }),
  profilesSent('PUT', '/:session_id', { body: ActiveChargingProfile }),

  clientsSent('GET', '', { list: 'paged', data: ClientInfo }),
  clientsReceived('GET', own, { data: ClientInfo }),
  clientsReceived('PUT', own, { body: ClientInfo }),
];
