import { isDeepStrictEqual } from 'node:util';
import type { Bus, Heard, Told } from '#bus';
import type {
  MeterReadSchema,
  Reading as ToldReading,
  TransactionStarted,
  TransactionStopped,
} from '#contracts/ocpp-gateway';
import { fromJsonBytes } from '#contracts';
import { addDue } from '#due';
import type { Token } from '#ocpi';
import type { OwnParties } from '#settings';
import { type Log, withTraceparent } from '#telemetry';
import type { Clock } from '#time';
import { beganTooLate } from './command.ts';
import type { Config } from './config.ts';
import { forgetStatusOfCharge } from './connector-rows.ts';
import type { Connectors } from './connectors.ts';
import type { Logs } from './logs.ts';
import { openingOf, whyInvalid } from './opening.ts';
import { noteOpening } from './openings.ts';
import type { Reading } from './register.ts';
import { isGivenAway } from './reservation.ts';
import { findReservation, noteReservationOver, reservationsAt } from './reservation-rows.ts';
import type { Said } from './said.ts';
import { sessionIdOf } from './session-id.ts';
import { signedValue } from './signed.ts';
import { noteTransaction, sessionOfTransaction } from './session-rows.ts';

export interface ChargingParts {
  readonly platform: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly config: Config;
  readonly log: Log;
  readonly logs: Logs;
  readonly connectors: Connectors;
  readonly said: Said;
  wake(): void;
}

const TRANSACTIONS_KEPT = 10_000;
const WHOLE_STATION = 0;

/** From what the stations say to sessions. */
export class Charging {
  /** Which session a transaction is; the rows behind it are the truth. */
  private readonly known = new Map<string, string>();

  constructor(private readonly parts: ChargingParts) {}

  /** Others have to be asked before there is a Session: a worker does it, and opens it. */
  async started(fact: TransactionStarted, heard: Heard): Promise<void> {
    const { platform, said, wake } = this.parts;
    const reserved = await this.reserved(fact, heard);
    const sessionId = reserved ?? sessionIdOf({ platform, ...fact });
    const { stationId, transactionId } = fact;
    const isNew = await noteTransaction(heard.tx, stationId, transactionId, sessionId);
    this.remember(fact, sessionId);
    if (whyInvalid(fact)) {
      const command = await openingOf(this.parts, fact, sessionId);
      await said.say(heard.tx, sessionId, heard.id, command);
      return this.parts.connectors.begun(fact, sessionId, heard);
    }
    if (isNew) {
      await noteOpening(heard.tx, sessionId, { heardId: heard.id, fact });
      await addDue(heard.tx, {
        id: `open ${sessionId}`,
        key: `open ${sessionId}`,
        kind: 'open-session',
        at: this.parts.clock.now(),
        body: { sessionId },
      });
      heard.afterCommit(wake);
    }
    await this.parts.connectors.begun(fact, sessionId, heard);
    const orderId = fact.authorization?.orderId;
    if (orderId !== undefined) await this.ordered(orderId, fact, sessionId, heard);
  }

  /**
   * The Session of the reservation that the charge is on: the station names it, or it is at this EVSE
   * for this card. SES-06, S16-45.
   */
  private async reserved(fact: TransactionStarted, heard: Heard): Promise<string | undefined> {
    const { clock, config, connectors, logs } = this.parts;
    const { stationId, transactionId, connectorId, startedAt, reservationId, authorization } = fact;
    if (whyInvalid(fact) || !authorization?.tokenJson) return undefined;
    const named = reservationId === undefined ? undefined : await findReservation(heard.tx, reservationId);
    const there = await reservationsAt(heard.tx, { stationId, connectorId: WHOLE_STATION });
    // Some stations go on saying the number of one that is over.
    const found = named ? [named, ...there.filter(({ number }) => number !== named.number)] : there;
    const token = fromJsonBytes<Token>(authorization.tokenJson);
    const by = { stationId, transactionId };
    for (const { number, sessionId } of found) {
      const isNamed = number === named?.number;
      const start = { token, connectorId, startedAt, isNamed, graceMs: config.reservationGraceMs };
      const command = { type: 'UseReservation', by, ...start, at: clock.iso() } as const;
      const { state } = await logs.reservations.execute(String(number), `${heard.id} ${number}`, command);
      if (isDeepStrictEqual(state.usedBy, by)) {
        await noteReservationOver(heard.tx, number);
        if (!isNamed) await connectors.letGoElsewhere(number, state, connectorId, heard);
        return sessionId;
      }
      if (isGivenAway(state, stationId, start)) await connectors.giveAway(number, startedAt, heard);
    }
    return undefined;
  }

  /** Sessions beside each other, the readings of one in their order. */
  async read(
    facts: readonly Told<typeof MeterReadSchema>[],
    heard: Pick<Heard, 'tx'>,
  ): Promise<void> {
    const { config, clock, said } = this.parts;
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
          said.say(heard.tx, sessionId, id, {
            type: 'ReadMeter',
            readings: fact.readings.map(readingOf),
            signed: fact.signed.map(signedValue),
            updateEveryMs: config.updateEveryMs,
            at,
          });
        // Alone, it runs under its own trace already.
        return facts.length === 1 ? take() : withTraceparent(trace, take);
      }),
    );
  }

  async stopped({ readings, signed, ...fact }: TransactionStopped, heard: Heard): Promise<void> {
    const { clock, config, log, said } = this.parts;
    await forgetStatusOfCharge(heard.tx, fact);
    const sessionId = await this.sessionOf(fact, heard);
    if (!sessionId) {
      log.warn('a transaction stopped that never started here', {
        station: fact.stationId,
        transaction: fact.transactionId,
      });
      return;
    }
    const { meterStopWh, isLastKnown, stoppedAt, saidAt, lostAt, alsoLostAt, closedBecause, reason } = fact;
    await said.say(heard.tx, sessionId, heard.id, {
      type: 'EndSession',
      meterStopWh,
      ...(isLastKnown ? { isLastKnown } : {}),
      stoppedAt,
      ...(saidAt === undefined ? {} : { saidAt }),
      ...(lostAt === undefined ? {} : { lostAt }),
      ...(alsoLostAt.length > 0 ? { alsoLostAt } : {}),
      ...(closedBecause === undefined ? {} : { closedBecause }),
      reason,
      readings: readings.map(readingOf),
      signed: signed.map(signedValue),
      rules: config.parkingRules,
      at: clock.iso(),
    });
  }

  /**
   * The charge was ordered from afar: it is what was commanded, or it came too late and has to stop. But who, told that it
   * came to nothing, holds the card to the reader is there and charges.
   */
  private async ordered(
    orderId: string, { isCardShown }: TransactionStarted, sessionId: string, heard: Heard,
  ): Promise<void> {
    const { logs, clock, log, wake } = this.parts;
    const at = clock.iso();
    const { state } = await logs.commands.execute(orderId, heard.id, {
      type: 'NoteCharge',
      sessionId,
      at,
    });
    if (isCardShown || !beganTooLate(state)) return;
    log.warn('a charge began after its partner was told that it would not', {
      session: sessionId,
      order: orderId,
    });
    await addDue(heard.tx, {
      id: `stop late ${sessionId}`,
      key: `session ${sessionId}`,
      kind: 'stop-late',
      at: clock.now(),
      body: { sessionId, since: at },
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

const nameOf = ({ stationId, transactionId }: TransactionName) => `${transactionId} ${stationId}`;

function readingOf({ at, energyWh, powerW, currentMa, socPercent }: ToldReading): Reading {
  return {
    at,
    ...(energyWh === undefined ? {} : { energyWh }),
    ...(powerW === undefined ? {} : { powerW }),
    ...(currentMa.length === 0 ? {} : { currentMa: currentMa.reduce((sum, each) => sum + each) }),
    ...(socPercent === undefined ? {} : { socPercent }),
  };
}
