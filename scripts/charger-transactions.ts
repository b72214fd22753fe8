import type {
  ChargingProfile16,
  MeterValue16,
  StartTransactionResponse,
  StopReason16,
} from '#ocpp';
import { rfc3339 } from '#time';
import type { Connector, Pending, Transaction } from './charger-connector.ts';
import type { Station } from './charger-station.ts';

const ENERGY = 'Energy.Active.Import.Register';

/** Charges from the first card to the last meter value, told in order whatever the line does. */
export class Transactions {
  readonly #station: Station;
  #lastStop: object | undefined;
  #repeatNextStop = 0;

  constructor(station: Station) {
    this.#station = station;
  }

  start(connector: Connector, pending: Pending): void {
    const { clock, link, say, registration } = this.#station;
    const now = clock.now();
    this.#station.meter(connector, now);
    const { reservation } = connector;
    const transaction: Transaction = {
      id: -1,
      idTag: pending.idTag,
      parentIdTag: pending.parentIdTag,
      startedAt: now,
      meterStartWh: connector.registerWh,
      nextSampleAt: now + this.#sampleEveryMs(),
      suspended: false,
    };
    connector.transaction = transaction;
    connector.pending = undefined;
    connector.reservation = undefined;
    connector.finishing = false;
    const payload = {
      connectorId: connector.id,
      idTag: transaction.idTag,
      meterStart: transaction.meterStartWh,
      timestamp: rfc3339(now),
      ...(reservation && { reservationId: reservation.id }),
    };
    link.enqueue({
      action: 'StartTransaction',
      payload: () => payload,
      answered: (answer) => {
        this.#known(connector, transaction, answer as unknown as StartTransactionResponse);
        if (pending.profile) this.#adopt(connector, transaction, pending.profile);
      },
    });
    const { idTag, meterStartWh: meterWh } = transaction;
    say('transaction-started', { connector: connector.id, idTag, meterWh });
    registration.refresh(connector);
  }

  #known(connector: Connector, transaction: Transaction, answer: StartTransactionResponse): void {
    const { cards, settings, say } = this.#station;
    const { transactionId, idTagInfo } = answer;
    transaction.id = transactionId;
    transaction.parentIdTag ??= idTagInfo.parentIdTag;
    cards.remember(transaction.idTag, idTagInfo);
    say('transaction-known', { connector: connector.id, transactionId, status: idTagInfo.status });
    if (connector.transaction !== transaction || idTagInfo.status === 'Accepted') return;
    // S16-42: stop, or only suspend and wait for the plug.
    if (settings.boolean('StopTransactionOnInvalidId')) return this.stop(connector, 'DeAuthorized');
    transaction.suspended = true;
    this.#station.applyLimits();
  }

  /** S16-91: the profile of a remote start becomes the transaction's own. */
  #adopt(connector: Connector, transaction: Transaction, profile: ChargingProfile16): void {
    if (connector.transaction !== transaction) return;
    this.#station.setProfile(connector.id, { ...profile, transactionId: transaction.id });
  }

  stop(connector: Connector, reason: StopReason16, idTag?: string): void {
    const { transaction } = connector;
    if (!transaction) return;
    const { clock, link, say, profiles } = this.#station;
    const now = clock.now();
    this.#station.meter(connector, now);
    const transactionData = this.#transactionData(connector, transaction, now);
    const rest = {
      meterStop: connector.registerWh,
      timestamp: rfc3339(now),
      ...(reason !== 'Local' && { reason }),
      ...(idTag !== undefined && { idTag }),
      ...(transactionData.length > 0 && { transactionData }),
    };
    const payload = (): object => (this.#lastStop = { transactionId: transaction.id, ...rest });
    const times = 1 + this.#repeatNextStop;
    this.#repeatNextStop = 0;
    for (let i = 0; i < times; i++) link.enqueue({ action: 'StopTransaction', payload });
    connector.transaction = undefined;
    connector.finishing = connector.car !== undefined;
    profiles.endTransaction(connector.id);
    if (connector.scheduledInoperative) connector.operative = false;
    connector.scheduledInoperative = false;
    const meterWh = connector.registerWh;
    const energyWh = meterWh - transaction.meterStartWh;
    const { id: transactionId } = transaction;
    say('transaction-stopped', {
      connector: connector.id,
      transactionId,
      meterWh,
      energyWh,
      reason,
    });
    this.#station.applyLimits();
  }

  /**
   * The last StopTransaction again, as if its answer had been lost; without one, the next comes so
   * often.
   */
  repeatStop(times: number): void {
    const last = this.#lastStop;
    if (!last) this.#repeatNextStop = Math.max(0, times - 1);
    else {
      const message = { action: 'StopTransaction', payload: () => last } as const;
      for (let i = 0; i < times; i++) this.#station.link.enqueue(message);
    }
  }

  /** Samples stand on the platform's clock, whenever we get round to taking them. */
  takeSamples(connector: Connector, now: number): void {
    const { transaction } = connector;
    while (transaction && transaction.nextSampleAt <= now) {
      const at = transaction.nextSampleAt;
      this.#station.meter(connector, at);
      this.sample(connector, at, 'Sample.Periodic');
      transaction.nextSampleAt = at + this.#sampleEveryMs();
    }
  }

  sample(connector: Connector, at: number, context: string): void {
    const { settings, link, registration, say } = this.#station;
    const value = connector.sample(at, context, settings.list('MeterValuesSampledData'));
    if (value.sampledValue.length === 0) return;
    const { transaction, registerWh, powerW, limit, car } = connector;
    const sampled = { connectorId: connector.id, meterValue: [value] };
    if (!transaction) return void registration.tell('MeterValues', sampled);
    link.enqueue({
      action: 'MeterValues',
      payload: () => ({ ...sampled, transactionId: transaction.id }),
    });
    say('meter', {
      connector: connector.id,
      transactionId: transaction.id,
      sampledAt: value.timestamp,
      registerWh,
      powerW,
      limitA: limit.limitA,
      socPercent: car && Math.round(car.socPercent * 10) / 10,
    });
  }

  #transactionData(connector: Connector, transaction: Transaction, now: number): MeterValue16[] {
    const end = connector.sample(
      now,
      'Transaction.End',
      this.#station.settings.list('StopTxnSampledData'),
    );
    if (end.sampledValue.length === 0) return [];
    const value = String(transaction.meterStartWh);
    const begin = { value, measurand: ENERGY, unit: 'Wh', context: 'Transaction.Begin' };
    return [{ timestamp: rfc3339(transaction.startedAt), sampledValue: [begin] }, end];
  }

  #sampleEveryMs(): number {
    const seconds = this.#station.settings.integer('MeterValueSampleInterval');
    return seconds > 0 ? seconds * 1_000 : Infinity;
  }
}
