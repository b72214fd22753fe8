import {
  AuthorizationInfo, CancelReservation, Cdr, CommandResponse, CommandResult, Connector, ConnectorPatch, Credentials,
  Evse, EvsePatch, Location, LocationPatch, LocationReferences, patchOf, ReserveNow, Session, SessionPatch,
  StartSession, StopSession, Tariff, Token, TokenPatch, UnlockConnector,
} from '#ocpi';

// Of OCPI 2.2.1, the model of the platform: what each field of a class is called, and how each kind is read.

export const locationFields = Object.keys(Location.shape);
export const evseFields = Object.keys(Evse.shape);
export const connectorFields = Object.keys(Connector.shape);
export const sessionFields = Object.keys(Session.shape);
export const cdrFields = Object.keys(Cdr.shape);
export const tariffFields = Object.keys(Tariff.shape);
export const tokenFields = Object.keys(Token.shape);

export const wholes = {
  location: Location, evse: Evse, connector: Connector, session: Session, cdr: Cdr, tariff: Tariff, token: Token,
  references: LocationReferences, authorization: AuthorizationInfo, credentials: Credentials,
  START_SESSION: StartSession, STOP_SESSION: StopSession, RESERVE_NOW: ReserveNow, CANCEL_RESERVATION: CancelReservation,
  UNLOCK_CONNECTOR: UnlockConnector, response: CommandResponse, result: CommandResult,
} as const;

export const patches = {
  location: LocationPatch, evse: EvsePatch, connector: ConnectorPatch, session: SessionPatch, token: TokenPatch,
  tariff: patchOf('Tariff', Tariff),
} as const;

/** The objects and messages that differ between versions. */
export type Kind = keyof typeof wholes;
export type PatchedKind = keyof typeof patches;

export function isPatched(kind: Kind): kind is PatchedKind {
  return Object.hasOwn(patches, kind);
}
