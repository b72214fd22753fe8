import type {
  Action16,
  CancelReservationRequest,
  ChangeAvailabilityRequest,
  ChangeConfigurationRequest,
  ClearChargingProfileRequest,
  GetCompositeScheduleRequest,
  GetConfigurationRequest,
  RemoteStartTransactionRequest,
  RemoteStopTransactionRequest,
  ReserveNowRequest,
  ResetRequest,
  SetChargingProfileRequest,
  TriggerMessageRequest,
  UnlockConnectorRequest,
} from '#ocpp';
import type { Connector } from './charger-connector.ts';
import { same } from './charger-cards.ts';
import { callError } from './charger-link.ts';
import type { Station } from './charger-station.ts';

/**
 * The answer, and what happens once it is sent: an act never overtakes the answer that promises it.
 */
interface Reaction {
  readonly answer: object;
  readonly then?: () => void;
}
const accepted = (then?: () => void): Reaction => ({
  answer: { status: 'Accepted' },
  ...(then && { then }),
});
const status = (name: string): Reaction => ({ answer: { status: name } });

/**
 * Answers a CALL of the central system as a strict station; `undefined` = it was told to keep
 * silent.
 */
export async function answerCall(
  station: Station,
  action: string,
  payload: never,
): Promise<object | undefined> {
  const muted = station.mute.get(action);
  if (muted) {
    // A station whose answer got lost does what it was told; a dead one does not.
    const act = () => react(station, action as Action16, payload).then?.();
    if (muted.act) void station.clock.sleep(muted.afterMs).then(act);
    return undefined;
  }
  const { answer, then } = react(station, action as Action16, payload);
  if (then) setImmediate(then);
  return answer;
}

function react(station: Station, action: Action16, payload: never): Reaction {
  switch (action) {
    case 'RemoteStartTransaction':
      return remoteStart(station, payload);
    case 'RemoteStopTransaction':
      return remoteStop(station, payload);
    case 'SetChargingProfile': {
      const { connectorId, csChargingProfiles } = payload as SetChargingProfileRequest;
      return status(station.setProfile(connectorId, csChargingProfiles));
    }
    case 'ClearChargingProfile': {
      const cleared = station.profiles.clear(payload as ClearChargingProfileRequest);
      station.applyLimits();
      return status(cleared ? 'Accepted' : 'Unknown');
    }
    case 'GetCompositeSchedule':
      return compositeSchedule(station, payload);
    case 'ChangeConfiguration':
      return changeConfiguration(station, payload);
    case 'GetConfiguration':
      return { answer: station.settings.get((payload as GetConfigurationRequest).key) };
    case 'TriggerMessage':
      return trigger(station, payload);
    case 'ChangeAvailability':
      return changeAvailability(station, payload);
    case 'ReserveNow':
      return reserve(station, payload);
    case 'CancelReservation':
      return cancelReservation(station, payload);
    case 'UnlockConnector':
      return unlock(station, payload);
    case 'Reset': {
      const { type } = payload as ResetRequest;
      return accepted(() => void station.reset(type === 'Soft' ? 'SoftReset' : 'HardReset'));
    }
    case 'DataTransfer':
      return status('UnknownVendorId');
    default:
      throw callError('NotImplemented', `this station has no ${String(action)}`);
  }
}

function find(station: Station, id: number): Connector | undefined {
  return station.connectors.find((connector) => connector.id === id);
}

function remoteStart(station: Station, payload: RemoteStartTransactionRequest): Reaction {
  const { idTag, connectorId, chargingProfile } = payload;
  // S16-66: a profile here is a TxProfile and has no transaction yet.
  if (
    chargingProfile &&
    (chargingProfile.chargingProfilePurpose !== 'TxProfile' ||
      chargingProfile.transactionId !== undefined)
  ) {
    return status('Rejected');
  }
  const free = station.connectors.filter((connector) => canStart(connector, idTag));
  const connector =
    connectorId === undefined
      ? (free.find((one) => one.car) ?? free[0])
      : free.find((one) => one.id === connectorId);
  if (!connector) return status('Rejected');
  return accepted(() => {
    // Between the answer and the act somebody may have tapped a card.
    if (canStart(connector, idTag))
      station.allow(connector, { idTag, parentIdTag: undefined, profile: chargingProfile });
  });
}

function canStart(connector: Connector, idTag: string): boolean {
  const { reservation } = connector;
  if (reservation && !same(reservation.idTag, idTag)) return false;
  if (connector.finishing) return false;
  return ['Available', 'Preparing', 'Reserved'].includes(connector.status);
}

function remoteStop(station: Station, { transactionId }: RemoteStopTransactionRequest): Reaction {
  const connector = station.connectors.find((one) => one.transaction?.id === transactionId);
  if (!connector) return status('Rejected');
  return accepted(() => {
    if (connector.transaction?.id === transactionId) station.transactions.stop(connector, 'Remote');
  });
}

function compositeSchedule(station: Station, payload: GetCompositeScheduleRequest): Reaction {
  const { connectorId, duration, chargingRateUnit } = payload;
  const connector = find(station, connectorId);
  if (connectorId !== 0 && !connector) return status('Rejected');
  const from = station.clock.now();
  const unit = chargingRateUnit ?? (station.model.kind === 'AC' ? 'A' : 'W');
  const running = connector && station.running(connector);
  const chargingSchedule = station.profiles.composite(
    connectorId,
    { from, durationS: duration, unit },
    running,
  );
  const scheduleStart = chargingSchedule.startSchedule;
  return { answer: { status: 'Accepted', connectorId, scheduleStart, chargingSchedule } };
}

function changeConfiguration(
  station: Station,
  { key, value }: ChangeConfigurationRequest,
): Reaction {
  const result = station.settings.change(key, value);
  if (result !== 'Accepted' || !same(key, 'AuthorizationKey')) return status(result);
  // W16-02: the key comes as hex and is presented as bytes, from the next connection on (W16-03).
  const password = /^([0-9a-f]{2})+$/i.test(value) ? Buffer.from(value, 'hex') : value;
  return accepted(() => {
    station.link.usePassword(password);
    station.link.drop(50);
  });
}

function trigger(
  station: Station,
  { requestedMessage, connectorId }: TriggerMessageRequest,
): Reaction {
  if (connectorId !== undefined && connectorId > 0 && !find(station, connectorId))
    return status('Rejected');
  const wanted = station.connectors.filter(
    (one) => connectorId === undefined || one.id === connectorId,
  );
  const { registration } = station;
  switch (requestedMessage) {
    case 'BootNotification':
      return accepted(() => void registration.boot());
    case 'Heartbeat':
      return accepted(() => registration.heartbeat());
    case 'StatusNotification':
      return accepted(() => {
        if (!connectorId) void registration.sendStatus(0, 'Available');
        for (const { id, status, fault } of wanted) void registration.sendStatus(id, status, fault);
      });
    case 'MeterValues':
      return accepted(() => {
        const now = station.clock.now();
        for (const connector of wanted) {
          station.meter(connector, now);
          station.transactions.sample(connector, now, 'Trigger');
        }
      });
    default:
      return status('NotImplemented');
  }
}

function changeAvailability(
  station: Station,
  { connectorId, type }: ChangeAvailabilityRequest,
): Reaction {
  const wanted = station.connectors.filter((one) => connectorId === 0 || one.id === connectorId);
  if (wanted.length === 0) return status('Rejected');
  const later = type === 'Inoperative' && wanted.some((one) => one.transaction);
  const then = (): void => {
    for (const connector of wanted) {
      connector.scheduledInoperative =
        type === 'Inoperative' && connector.transaction !== undefined;
      if (!connector.scheduledInoperative) connector.operative = type === 'Operative';
      station.registration.refresh(connector);
    }
  };
  return { answer: { status: later ? 'Scheduled' : 'Accepted' }, then };
}

function reserve(station: Station, payload: ReserveNowRequest): Reaction {
  const connector = find(station, payload.connectorId);
  if (!connector) return status('Rejected');
  const replaced = connector.reservation?.id === payload.reservationId;
  if (connector.status === 'Faulted') return status('Faulted');
  if (connector.status === 'Unavailable') return status('Unavailable');
  if (connector.status !== 'Available' && !replaced) return status('Occupied');
  connector.reservation = {
    id: payload.reservationId,
    idTag: payload.idTag,
    parentIdTag: payload.parentIdTag,
    until: Date.parse(payload.expiryDate),
  };
  return accepted(() => station.registration.refresh(connector));
}

function cancelReservation(
  station: Station,
  { reservationId }: CancelReservationRequest,
): Reaction {
  const connector = station.connectors.find((one) => one.reservation?.id === reservationId);
  if (!connector) return status('Rejected');
  connector.reservation = undefined;
  return accepted(() => station.registration.refresh(connector));
}

function unlock(station: Station, { connectorId }: UnlockConnectorRequest): Reaction {
  const connector = find(station, connectorId);
  if (!connector) return status('NotSupported');
  return {
    answer: { status: 'Unlocked' },
    then: () => station.transactions.stop(connector, 'UnlockCommand'),
  };
}
