import { z } from 'zod';
import { ci, count, DateTime, DisplayText, enumOf, id, list, object, optional, ruled, url } from './fields.ts';
import { Token } from './tokens.ts';

// OCPI 2.2.1 mod_commands.

export const CommandType = enumOf('CommandType', [
  'CANCEL_RESERVATION', 'RESERVE_NOW', 'START_SESSION', 'STOP_SESSION', 'UNLOCK_CONNECTOR',
]);
export type CommandType = z.infer<typeof CommandType>;

export const CommandResponseType = enumOf('CommandResponseType', [
  'NOT_SUPPORTED', 'REJECTED', 'ACCEPTED', 'UNKNOWN_SESSION',
]);
export type CommandResponseType = z.infer<typeof CommandResponseType>;

export const CommandResultType = enumOf('CommandResultType', [
  'ACCEPTED', 'CANCELED_RESERVATION', 'EVSE_OCCUPIED', 'EVSE_INOPERATIVE', 'FAILED', 'NOT_SUPPORTED', 'REJECTED',
  'TIMEOUT', 'UNKNOWN_RESERVATION',
]);
export type CommandResultType = z.infer<typeof CommandResultType>;

/** The evse_uid is required beside a connector_id. CMD-08. */
export const StartSession = ruled(object('StartSession', {
  response_url: url(),
  token: Token,
  location_id: id(36),
  evse_uid: optional(id(36)),
  connector_id: optional(id(36)),
  authorization_reference: optional(ci(36)),
}), (command) => (command.connector_id !== undefined && command.evse_uid === undefined
  ? ['evse_uid', 'is required beside connector_id (mod_commands)']
  : undefined));
export type StartSession = z.infer<typeof StartSession>;

export const StopSession = object('StopSession', { response_url: url(), session_id: id(36) });
export type StopSession = z.infer<typeof StopSession>;

export const ReserveNow = object('ReserveNow', {
  response_url: url(),
  token: Token,
  expiry_date: DateTime,
  reservation_id: id(36),
  location_id: id(36),
  evse_uid: optional(id(36)),
  authorization_reference: optional(ci(36)),
});
export type ReserveNow = z.infer<typeof ReserveNow>;

export const CancelReservation = object('CancelReservation', { response_url: url(), reservation_id: id(36) });
export type CancelReservation = z.infer<typeof CancelReservation>;

export const UnlockConnector = object('UnlockConnector', {
  response_url: url(), location_id: id(36), evse_uid: id(36), connector_id: id(36),
});
export type UnlockConnector = z.infer<typeof UnlockConnector>;

/** The body of each command. */
export const commandBodies = {
  CANCEL_RESERVATION: CancelReservation,
  RESERVE_NOW: ReserveNow,
  START_SESSION: StartSession,
  STOP_SESSION: StopSession,
  UNLOCK_CONNECTOR: UnlockConnector,
} as const satisfies Record<CommandType, z.ZodType>;

/** The answer at once; timeout in seconds until the sender may stop waiting for the result. CMD-01. */
export const CommandResponse = object('CommandResponse', {
  result: CommandResponseType, timeout: count, message: list(DisplayText),
});
export type CommandResponse = z.infer<typeof CommandResponse>;

/** What the station said, POSTed to the response_url, not wrapped in an envelope. CMD-04. */
export const CommandResult = object('CommandResult', { result: CommandResultType, message: list(DisplayText) });
export type CommandResult = z.infer<typeof CommandResult>;
