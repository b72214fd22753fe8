export {
  AuthMethod, Cdr, CdrDimension, CdrDimensionType, CdrLocation, CdrToken, ChargingPeriod, sessionOnlyDimensions,
  SignedData, SignedValue,
} from './cdrs.ts';
export {
  ActiveChargingProfile, ActiveChargingProfileResult, ChargingProfile, ChargingProfilePeriod,
  ChargingProfileResponse, ChargingProfileResponseType, ChargingProfileResult, ChargingProfileResultType,
  ChargingRateUnit, ClearProfileResult, SetChargingProfile,
} from './charging-profiles.ts';
export {
  type Body, type CallOptions, type ClientOptions, type Done, ocpiClient, type OcpiClient, type Outcome,
  type Refused, type Unclear, type Unreachable,
} from './client.ts';
export {
  CancelReservation, commandBodies, CommandResponse, CommandResponseType, CommandResult, CommandResultType,
  CommandType, ReserveNow, StartSession, StopSession, UnlockConnector,
} from './commands.ts';
export { Credentials, CredentialsRole } from './credentials.ts';
export {
  envelope, type Envelope, envelopeBytes, type EnvelopeReading, envelopeText, parseEnvelope, unwrapped,
} from './envelope.ts';
export {
  exampleCdr, exampleCreditCdr, exampleLocation, exampleSession, exampleTariff, exampleToken,
} from './examples.ts';
export { type AgentOptions, exchange, type Exchange, outboundAgent } from './exchange.ts';
export { ERASED, erasedCdrToken, erasedToken } from './erased.ts';
export {
  boolean, ci, count, Country, CountryCode, Currency, DateTime, dateTimeOf, DisplayText, enumOf, id, instantMs,
  int, known, Language, list, LocalDate, number, object, open, optional, PartyId, type Patch, patchOf, pattern,
  Price, Role, some, text, TimeOfDay, url,
} from './fields.ts';
export {
  answerRouting, authorization, type Headers, headerText, idHeaders, type MessageIds, readMessageIds, readRouting,
  type Routing, routingHeaders, type RoutingReading, type TokenCandidate, tokenCandidates, type TokenEncoding,
} from './headers.ts';
export { ClientInfo, ConnectionStatus } from './hub-client-info.ts';
export { idKey, type Party, partyText, sameId, sameParty } from './ids.ts';
export { read, readAsIs, type Reading } from './issues.ts';
export { namedFields } from './named-fields.ts';
export { jsonNumber, type JsonLimits, type JsonReading, type JsonRefusal, parseJson, unfitText } from './json.ts';
export { type LocationFault, locationFaults } from './location-faults.ts';
export { asCompared, isNamed, type OwnedToken } from './publish-allowed.ts';
export {
  AdditionalGeoLocation, BusinessDetails, Capability, chargesWhenClosed, Connector, ConnectorFormat,
  ConnectorPatch, ConnectorType, EnergyMix, EnergySource, EnergySourceCategory, EnvironmentalImpact,
  EnvironmentalImpactCategory, Evse, EvsePatch, ExceptionalPeriod, Facility, GeoLocation, Hours, Image,
  ImageCategory, Location, LocationPatch, ParkingRestriction, ParkingType, PowerType, PublishTokenType,
  RegularHours, Status, StatusSchedule,
} from './locations.ts';
export {
  nextLink, type NextPage, type PageEnd, pageHeaders, type PageQuery, type PageReading, type PageRules, type Query, readPage,
} from './pages.ts';
export {
  type AskedFor, cameSince, findEvse, isOutdated, isStale, patchConnector, patchEvse, patchLocation, patchSession, patchToken, putConnector, putEvse,
  putLocation,
} from './patches.ts';
export { type Page, pulled } from './pull.ts';
export {
  findEndpoint, type Interface, missingInterfaces, newestCommon, typicalInterfaces,
} from './registration.ts';
export { relay, type Relayed, type RelayedRequest } from './relay.ts';
export { retryAfterMs } from './retry-after.ts';
export { ActiveProfileQuery, type Method, ResponseUrlQuery, type Route, routes } from './routes.ts';
export { cdrLocation, creditCdr } from './sent-cdrs.ts';
export {
  ChargingPreferences, ChargingPreferencesResponse, Session, SessionPatch, SessionStatus,
} from './sessions.ts';
export { type Answer, answers, isSuccess, type StatusCode } from './status.ts';
export {
  DayOfWeek, PriceComponent, ReservationRestrictionType, Tariff, TariffDimensionType, TariffElement,
  TariffRestrictions, TariffType,
} from './tariffs.ts';
export {
  AllowedType, AuthorizationInfo, EnergyContract, LocationReferences, ProfileType, Token, TokenPatch, TokenType,
  WhitelistType,
} from './tokens.ts';
export { allowedUrl, joinUrl, type UrlReading, type UrlRules } from './urls.ts';
export { Endpoint, InterfaceRole, ModuleId, Version, VersionDetails, VersionNumber } from './versions.ts';
