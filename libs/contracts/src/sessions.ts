import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  CancelReservationSchema,
  CloseSessionSchema,
  CommandTakenSchema,
  ExplainSessionSchema,
  GetOrderSchema,
  GetPreferencesSchema,
  GetSessionAtSchema,
  GetSessionSchema,
  ListReservationsSchema,
  ListSessionsSchema,
  ListTokenSessionsSchema,
  OrderCancelReservationSchema,
  OrderReserveSchema,
  OrderStandsSchema,
  OrderStartSchema,
  OrderStopSchema,
  PreferencesAnsweredSchema,
  PreferencesFoundSchema,
  ProfileRequestedSchema,
  PutPartnerSessionSchema,
  RecordCommandResultSchema,
  ReservationListSchema,
  ReservationWithdrawnSchema,
  ReserveEvseSchema,
  RequestProfileSchema,
  SessionClosedSchema,
  SessionExplainedSchema,
  SessionFoundSchema,
  SessionListSchema,
  SetPreferencesSchema,
  StartSessionSchema,
  StopSessionSchema,
  WithdrawReservationSchema,
} from './gen/roamwatt/sessions/v1/asks_pb.ts';
import {
  CommandFinishedSchema,
  OrderChangedSchema,
  PartnerSessionChangedSchema,
  SessionEndedSchema,
  SessionStartedSchema,
  SessionUpdatedSchema,
} from './gen/roamwatt/sessions/v1/facts_pb.ts';
import { ChangedSchema, PageSchema } from './gen/roamwatt/party/v1/party_pb.ts';

export {
  type CancelReservation,
  CancelReservationSchema,
  type CloseSession,
  type CommandTaken,
  CommandTakenSchema,
  type ExplainSession,
  ExplainSessionSchema,
  type GetOrder,
  GetOrderSchema,
  type GetPreferences,
  type GetSessionAt,
  GetSessionAtSchema,
  type GetSession,
  GetSessionSchema,
  type ListReservations,
  ListReservationsSchema,
  type ListSessions,
  ListSessionsSchema,
  type ListTokenSessions,
  ListTokenSessionsSchema,
  type OrderCancelReservation,
  OrderCancelReservationSchema,
  type OrderReserve,
  OrderReserveSchema,
  type OrderStands,
  OrderStandsSchema,
  type OrderStart,
  OrderStartSchema,
  type OrderStop,
  OrderStopSchema,
  type PutPartnerSession,
  PutPartnerSessionSchema,
  type RecordCommandResult,
  RecordCommandResultSchema,
  type ReservationList,
  ReservationListSchema,
  type ReservationView,
  ReservationViewSchema,
  type ReservationWithdrawn,
  ReservationWithdrawnSchema,
  type ReserveEvse,
  ReserveEvseSchema,
  type ProfileRequested,
  type RequestProfile,
  RequestProfileSchema,
  type SetPreferences,
  type SessionFound,
  SessionFoundSchema,
  type SessionList,
  SessionListSchema,
  type StartSession,
  StartSessionSchema,
  type SteeringGrant,
  type StopSession,
  StopSessionSchema,
  type WithdrawReservation,
  WithdrawReservationSchema,
} from './gen/roamwatt/sessions/v1/asks_pb.ts';
export {
  type CommandFinished,
  CommandFinishedSchema,
  type MeterFinding,
  MeterFindingSchema,
  type OrderChanged,
  OrderChangedSchema,
  type OrderView,
  OrderViewSchema,
  type PartnerSessionChanged,
  PartnerSessionChangedSchema,
  type SessionEnded,
  SessionEndedSchema,
  type SessionStarted,
  SessionStartedSchema,
  type SessionUpdated,
  SessionUpdatedSchema,
} from './gen/roamwatt/sessions/v1/facts_pb.ts';

const context = 'sessions';

export const startSession = ask({
  context,
  verb: 'start-session',
  request: StartSessionSchema,
  answer: CommandTakenSchema,
  check: filled('orderId', 'tokenJson', 'locationId'),
});

export const stopSession = ask({
  context,
  verb: 'stop-session',
  request: StopSessionSchema,
  answer: CommandTakenSchema,
  check: filled('orderId', 'sessionId'),
});

export const reserveEvse = ask({
  context,
  verb: 'reserve-evse',
  request: ReserveEvseSchema,
  answer: CommandTakenSchema,
  check: filled('orderId', 'tokenJson', 'reservationId', 'locationId', 'expiresAt'),
});

export const cancelReservation = ask({
  context,
  verb: 'cancel-reservation',
  request: CancelReservationSchema,
  answer: CommandTakenSchema,
  check: filled('orderId', 'reservationId'),
});

export const listReservations = ask({
  context,
  verb: 'list-reservations',
  request: ListReservationsSchema,
  answer: ReservationListSchema,
  check: filled(),
});

export const withdrawReservation = ask({
  context,
  verb: 'withdraw-reservation',
  request: WithdrawReservationSchema,
  answer: ReservationWithdrawnSchema,
  check: filled('number'),
});

export const closeSession = ask({
  context,
  verb: 'close-session',
  request: CloseSessionSchema,
  answer: SessionClosedSchema,
  check: filled('party', 'sessionId', 'because'),
});

export const orderReserve = ask({
  context,
  verb: 'order-reserve',
  request: OrderReserveSchema,
  answer: OrderStandsSchema,
  check: filled('orderId', 'tokenJson', 'party', 'locationId', 'expiresAt'),
});

export const orderCancelReservation = ask({
  context,
  verb: 'order-cancel-reservation',
  request: OrderCancelReservationSchema,
  answer: OrderStandsSchema,
  check: filled('orderId', 'tokenUid', 'reserveOrderId'),
});

export const orderStart = ask({
  context,
  verb: 'order-start',
  request: OrderStartSchema,
  answer: OrderStandsSchema,
  check: filled('orderId', 'tokenJson', 'party', 'locationId', 'evseUid'),
});

export const orderStop = ask({
  context,
  verb: 'order-stop',
  request: OrderStopSchema,
  answer: OrderStandsSchema,
  check: filled('orderId', 'tokenUid', 'party', 'sessionId'),
});

export const getOrder = ask({
  context,
  verb: 'get-order',
  request: GetOrderSchema,
  answer: OrderStandsSchema,
  check: filled('orderId'),
});

export const recordCommandResult = ask({
  context,
  verb: 'record-command-result',
  request: RecordCommandResultSchema,
  answer: OrderStandsSchema,
  check: filled('orderId', 'result'),
});

export const listSessions = ask({
  context,
  verb: 'list-sessions',
  request: ListSessionsSchema,
  answer: PageSchema,
  check: (list) => (list.anyToken ? filled('page')(list) : filled('tokenParties', 'page')(list)),
});

export const getSession = ask({
  context,
  verb: 'get-session',
  request: GetSessionSchema,
  answer: SessionFoundSchema,
  check: filled('party', 'sessionId'),
});

export const getSessionAt = ask({
  context,
  verb: 'get-session-at',
  request: GetSessionAtSchema,
  answer: SessionFoundSchema,
  check: filled('stationId', 'connectorId'),
});

export const explainSession = ask({
  context,
  verb: 'explain-session',
  request: ExplainSessionSchema,
  answer: SessionExplainedSchema,
  check: filled('party', 'sessionId'),
});

export const listTokenSessions = ask({
  context,
  verb: 'list-token-sessions',
  request: ListTokenSessionsSchema,
  answer: SessionListSchema,
  check: filled('tokenParty', 'tokenUid'),
});

export const putPartnerSession = ask({
  context,
  verb: 'put-partner-session',
  request: PutPartnerSessionSchema,
  answer: ChangedSchema,
  check: filled('party', 'sessionId', 'bodyJson'),
});

export const requestProfile = ask({
  context,
  verb: 'request-profile',
  request: RequestProfileSchema,
  answer: ProfileRequestedSchema,
  check: filled('orderId', 'sessionId', 'method'),
});

export const setPreferences = ask({
  context,
  verb: 'set-preferences',
  request: SetPreferencesSchema,
  answer: PreferencesAnsweredSchema,
  check: filled('sessionId', 'preferencesJson'),
});

export const getPreferences = ask({
  context,
  verb: 'get-preferences',
  request: GetPreferencesSchema,
  answer: PreferencesFoundSchema,
  check: filled('sessionId'),
});

export const sessionStarted = tell({
  context,
  thing: 'session',
  happened: 'started',
  fact: SessionStartedSchema,
  key: (fact) => fact.sessionId,
  check: filled('sessionId', 'tokenParty', 'sessionJson'),
});

export const sessionUpdated = tell({
  context,
  thing: 'session',
  happened: 'updated',
  fact: SessionUpdatedSchema,
  key: (fact) => fact.sessionId,
  check: filled('sessionId', 'tokenParty', 'sessionJson'),
});

export const sessionEnded = tell({
  context,
  thing: 'session',
  happened: 'ended',
  fact: SessionEndedSchema,
  key: (fact) => fact.sessionId,
  check: filled('sessionId', 'tokenParty', 'sessionJson', 'locationJson', 'tariffJson', 'tokenJson'),
});

export const partnerSessionChanged = tell({
  context: 'partner-sessions',
  thing: 'partner-session',
  happened: 'changed',
  fact: PartnerSessionChangedSchema,
  key: (fact) => fact.sessionId,
  check: filled('party', 'sessionId', 'sessionJson'),
});

export const commandFinished = tell({
  context,
  thing: 'command',
  happened: 'finished',
  fact: CommandFinishedSchema,
  key: (fact) => fact.orderId,
  check: filled('orderId', 'result'),
});

export const orderChanged = tell({
  context,
  thing: 'order',
  happened: 'changed',
  fact: OrderChangedSchema,
  key: (fact) => fact.order?.orderId ?? '',
  check: filled('order'),
});
