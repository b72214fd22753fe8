import type { Bus, Heard, Told } from '#bus';
import type {
  Authorization,
  MeterReadSchema,
  Reading as ToldReading,
  TransactionStarted,
  TransactionStopped,
} from '#contracts/ocpp-gateway';
import { fromJsonBytes } from '#contracts';
import { addDue } from '#due';
import type { Session, Token } from '#ocpi';
import type { PartySettings } from '#settings';
import { currentTraceparent, type Log, withTraceparent } from '#telemetry';
import type { Clock } from '#time';
import { beganTooLate } from './command.ts';
import type { Config } from './config.ts';
import { type Logs, passOnResult } from './logs.ts';
import type { Reading } from './metering.ts';
import type { SessionCommand, WhyInvalid } from './session.ts';
import { sessionIdOf } from './session-id.ts';
import { noteTransaction, sessionOfTransaction } from './session-rows.ts';
import { type Place, placeOf, tariffFor } from './snapshots.ts';

export interface ChargingParts {
  readonly platform: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly party: PartySettings;
  readonly config: Config;
  readonly log: Log;
  readonly logs: Logs;
  wake(): void;
}

const TRANSACTIONS_KEPT = 10_000;

/** From what the stations say to sessions. */
export class Charging {
  /** Which session a transaction is; the rows behind it are the truth. */
  private readonly known = new Map<string, string>();

  constructor(private readonly parts: ChargingParts) {}

  async started(fact: TransactionStarted, heard: Heard): Promise<void> {
    const { platform, logs } = this.parts;
    const sessionId = sessionIdOf({ platform, ...fact });
    const { state } = await logs.sessions.execute(
      sessionId,
      heard.id,
      await this.startOf(fact, sessionId),
      currentTraceparent(),
    );
    await noteTransaction(heard.tx, fact.stationId, fact.transactionId, sessionId);
    this.remember(fact, sessionId);
    const orderId = fact.authorization?.orderId;
    if (orderId !== undefined && state.status !== 'invalid')
      await this.ordered(orderId, sessionId, heard);
  }

  /** Sessions beside each other, the readings of one in their order. */
  async read(
    facts: readonly Told<typeof MeterReadSchema>[],
    heard: Pick<Heard, 'tx'>,
  ): Promise<void> {
    const { config, clock, logs } = this.parts;
    const ofSessions: { told: Told<typeof MeterReadSchema>; sessionId: string }[] = [];
    for (const told of facts) {
      const { stationId, transactionId } = told.fact;
      const sessionId =
        transactionId && (await this.sessionOf({ stationId, transactionId }, heard));
      if (sessionId) ofSessions.push({ told, sessionId });
    }
    const at = clock.iso();
    await Promise.all(
      ofSessions.map(({ told: { id, fact, trace }, sessionId }) => {
        const take = () =>
          logs.sessions.execute(
            sessionId,
            id,
            {
              type: 'ReadMeter',
              readings: fact.readings.map(readingOf),
              updateEveryMs: config.updateEveryMs,
              at,
            },
            currentTraceparent(),
          );
        // Alone, it runs under its own trace already.
        return facts.length === 1 ? take() : withTraceparent(trace, take);
      }),
    );
  }

  async stopped({ readings, ...fact }: TransactionStopped, heard: Heard): Promise<void> {
    const { clock, log, logs } = this.parts;
    const sessionId = await this.sessionOf(fact, heard);
    if (!sessionId) {
      log.warn('a transaction stopped that never started here', {
        station: fact.stationId,
        transaction: fact.transactionId,
      });
      return;
    }
    const { meterStopWh, stoppedAt, reason } = fact;
    const { events } = await logs.sessions.execute(
      sessionId,
      heard.id,
      {
        type: 'EndSession',
        meterStopWh,
        stoppedAt,
        reason,
        readings: readings.map(readingOf),
        at: clock.iso(),
      },
      currentTraceparent(),
    );
    for (const event of events) {
      if (event.type === 'SessionEnded' && event.findings.length > 0) {
        log.warn('a meter stopped at what cannot be', {
          session: sessionId,
          station: fact.stationId,
          findings: event.findings,
        });
      }
    }
  }

  private async startOf(fact: TransactionStarted, sessionId: string): Promise<SessionCommand> {
    const { stationId, transactionId, connectorId, meterStartWh, startedAt, authorization } = fact;
    const { bus, clock, log } = this.parts;
    const transaction = { stationId, transactionId, connectorId, meterStartWh };
    const invalid = (why: WhyInvalid): SessionCommand => {
      log.warn('a charge that nobody will be billed for', {
        session: sessionId,
        station: stationId,
        why,
      });
      return { type: 'RecordInvalid', transaction, why, at: clock.iso() };
    };
    if (authorization?.status !== 'Accepted') return invalid('card-not-accepted');
    if (!authorization.tokenJson) return invalid('no-token');
    const place = await placeOf(bus, stationId, connectorId);
    if (!place) return invalid('unknown-station');
    const token = fromJsonBytes<Token>(authorization.tokenJson);
    const chosen = await tariffFor(this.parts, place, token, startedAt);
    return {
      type: 'StartSession',
      transaction,
      snapshots: { location: place.location, token, ...chosen },
      session: this.newSession({
        sessionId,
        startedAt,
        place,
        token,
        authorization,
        currency: chosen.tariff.currency,
      }),
      ...(authorization.orderId === undefined ? {} : { orderId: authorization.orderId }),
    };
  }

  private newSession({
    sessionId,
    startedAt,
    place,
    token,
    authorization,
    currency,
  }: NewSession): Session {
    const {
      party: { country_code, party_id },
      clock,
    } = this.parts;
    return {
      country_code,
      party_id,
      id: sessionId,
      start_date_time: startedAt,
      kwh: 0,
      cdr_token: {
        country_code: token.country_code,
        party_id: token.party_id,
        uid: token.uid,
        type: token.type,
        contract_id: token.contract_id,
      },
      auth_method: authorization.authMethod as Session['auth_method'],
      ...(authorization.authorizationReference
        ? { authorization_reference: authorization.authorizationReference }
        : {}),
      location_id: place.locationId,
      evse_uid: place.evseUid,
      connector_id: place.connectorId,
      currency,
      charging_periods: [],
      status: 'ACTIVE',
      last_updated: clock.iso(),
    };
  }

  /** The charge was ordered from afar: its order is fulfilled, or it came too late and has to stop. */
  private async ordered(orderId: string, sessionId: string, heard: Heard): Promise<void> {
    const { logs, clock, log, wake } = this.parts;
    const at = clock.iso();
    const { state } = await logs.commands.execute(orderId, heard.id, {
      type: 'NoteCharge',
      sessionId,
      at,
    });
    if (state.taken?.from === 'own') {
      await passOnResult(logs, orderId, state, at);
      await logs.orders.execute(orderId, `link ${orderId}`, { type: 'LinkSession', sessionId, at });
    }
    if (!beganTooLate(state)) return;
    log.warn('a charge began after its partner was told that it would not', {
      session: sessionId,
      order: orderId,
    });
    await addDue(heard.tx, {
      id: `stop late ${sessionId}`,
      key: `session ${sessionId}`,
      kind: 'stop-late',
      at: clock.now(),
      body: { sessionId },
    });
    heard.afterCommit(wake);
  }

  private async sessionOf(
    transaction: TransactionName,
    { tx }: Pick<Heard, 'tx'>,
  ): Promise<string | undefined> {
    const known = this.known.get(nameOf(transaction));
    if (known !== undefined) return known;
    const sessionId = await sessionOfTransaction(
      tx,
      transaction.stationId,
      transaction.transactionId,
    );
    if (sessionId !== undefined) this.remember(transaction, sessionId);
    return sessionId;
  }

  private remember(transaction: TransactionName, sessionId: string): void {
    this.known.delete(nameOf(transaction));
    this.known.set(nameOf(transaction), sessionId);
    const [oldest] = this.known.keys();
    if (this.known.size > TRANSACTIONS_KEPT) this.known.delete(oldest!);
  }
}

interface TransactionName {
  readonly stationId: string;
  readonly transactionId: string;
}

interface NewSession {
  readonly sessionId: string;
  readonly startedAt: string;
  readonly place: Place;
  readonly token: Token;
  readonly authorization: Authorization;
  readonly currency: string;
}

const nameOf = ({ stationId, transactionId }: TransactionName) => `${transactionId} ${stationId}`;

function readingOf({ at, energyWh, powerW, socPercent }: ToldReading): Reading {
  return {
    at,
    ...(energyWh === undefined ? {} : { energyWh }),
    ...(powerW === undefined ? {} : { powerW }),
    ...(socPercent === undefined ? {} : { socPercent }),
  };
}
