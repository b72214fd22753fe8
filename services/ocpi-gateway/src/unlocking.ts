import { type Bus, mayBeDone, Refused, saysNo, Unanswered } from '#bus';
import { resolveEvse } from '#contracts/locations';
import { fromJsonBytes } from '#contracts';
import { Outcome, unlockConnector } from '#contracts/ocpp-gateway';
import { getSessionAt } from '#contracts/sessions';
import { addDue, type Due, type DueOutcome, type Hold } from '#due';
import { type CommandResult, type Party, sameParty, type Session, type UnlockConnector } from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import { toBus } from './partners/partner.ts';

/** Until a station has answered, real time. */
const STATION_ANSWERS_WITHIN_MS = 15_000;

const resultOf: Readonly<Record<Outcome, CommandResult['result']>> = {
  [Outcome.UNSPECIFIED]: 'FAILED',
  [Outcome.ACCEPTED]: 'ACCEPTED',
  [Outcome.REJECTED]: 'FAILED',
  [Outcome.NOT_SUPPORTED]: 'NOT_SUPPORTED',
  [Outcome.UNKNOWN]: 'TIMEOUT',
  [Outcome.STALE]: 'FAILED',
  [Outcome.OCCUPIED]: 'FAILED',
  [Outcome.INOPERATIVE]: 'EVSE_INOPERATIVE',
};

export interface Taken {
  readonly result: string;
  readonly timeoutS: number;
  readonly message: string;
  readonly unknownLocation: boolean;
}

interface Unlock {
  readonly orderId: string;
  readonly stationId: string;
  readonly connectorId: number;
}

/** UNLOCK_CONNECTOR needs no session: the station is found and asked from here. CMD-11. */
export class Unlocking {
  constructor(private readonly parts: {
    readonly db: Database; readonly bus: Bus; readonly clock: Clock; readonly wake: () => void;
  }) {}

  /** `askers`: whose drivers' cars may be let go. */
  async take(orderId: string, command: UnlockConnector, askers: readonly Party[], operator?: Party): Promise<Taken> {
    const { db, bus, clock } = this.parts;
    const rejected = (message: string, unknownLocation = false): Taken => ({ result: 'REJECTED', timeoutS: 0, message, unknownLocation });
    const place = await orRefused(bus.ask(resolveEvse, {
      locationId: command.location_id, evseUid: command.evse_uid, connectorId: command.connector_id,
      ...(operator ? { party: toBus(operator) } : {}),
    }));
    if (place instanceof Refused) return rejected(place.detail, place.code.startsWith('unknown-'));
    const { stationId, stationConnector } = place;
    const charging = await orRefused(bus.ask(getSessionAt, { stationId, connectorId: stationConnector }));
    if (charging instanceof Refused) return rejected('it is not known whose car is there');
    const driver = charging.sessionJson && fromJsonBytes<Session>(charging.sessionJson).cdr_token;
    if (driver && !askers.some((party) => sameParty(party, driver))) return rejected('the driver of another party charges there');
    const body: Unlock = { orderId, stationId, connectorId: stationConnector };
    await addDue(db, { id: `unlock ${orderId}`, key: `unlock ${stationId}`, kind: 'unlock', at: clock.now(), body });
    this.parts.wake();
    return { result: 'ACCEPTED', timeoutS: STATION_ANSWERS_WITHIN_MS / 1_000, message: '', unknownLocation: false };
  }

  /** Opening a lock twice does no harm, so a repeat after a crash is just done; much later somebody else may charge there. */
  async carryOut({ body }: Due, hold: Hold): Promise<DueOutcome> {
    const { db, clock } = this.parts;
    const { orderId, ...station } = body as Unlock;
    const id = `result ${orderId}`;
    hold.insist();
    await addDue(db, { id, key: id, kind: 'command-result', at: clock.now(), body: { orderId, ...await this.ask(station) } });
    this.parts.wake();
    return 'done';
  }

  private async ask(station: Omit<Unlock, 'orderId'>): Promise<{ result: CommandResult['result']; message: string }> {
    try {
      const request = { ...station, timeoutMs: STATION_ANSWERS_WITHIN_MS - 1_000 };
      const { outcome, detail } = await this.parts.bus.ask(unlockConnector, request, { timeoutMs: STATION_ANSWERS_WITHIN_MS });
      return { result: resultOf[outcome], message: detail };
    } catch (error) {
      if (mayBeDone(error)) return { result: 'TIMEOUT', message: 'The charging station did not answer' };
      if (error instanceof Unanswered) return { result: 'EVSE_INOPERATIVE', message: 'The charging station is not connected' };
      if (error instanceof Refused) return { result: 'FAILED', message: error.detail };
      throw error;
    }
  }
}

function orRefused<T>(answer: Promise<T>): Promise<T | Refused> {
  return answer.catch((error: unknown) => {
    if (saysNo(error)) return error;
    throw error;
  });
}
