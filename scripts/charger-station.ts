import type { ChargingProfile16 } from '#ocpp';
import type { Clock } from '#time';
import { Cards, same } from './charger-cards.ts';
import { isCarName, PluggedCar } from './charger-cars.ts';
import { Connector } from './charger-connector.ts';
import { Link } from './charger-link.ts';
import { models } from './charger-models.ts';
import type { ModelName, StationModel } from './charger-models.ts';
import { ProfileStore } from './charger-profiles.ts';
import type { RunningTransaction } from './charger-profiles.ts';
import { Registration } from './charger-registration.ts';
import { Settings } from './charger-settings.ts';
import { Transactions } from './charger-transactions.ts';

export interface StationConfig {
  readonly url: string;
  readonly id: string;
  readonly password?: string;
  readonly model: ModelName;
  /** Wh the registers show at first. */
  readonly meterStartWh: number;
  readonly seed: number;
  /** Configuration keys that differ from the model's. */
  readonly settings: Readonly<Record<string, string>>;
  readonly callTimeoutMs: number;
}

/** What the process around a station gives it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly say: (event: string, fields?: object) => void;
  /** Answers a CALL of the central system; `undefined` = never. */
  readonly onCall: (
    station: Station,
    action: string,
    payload: never,
  ) => Promise<object | undefined>;
}

/** A command of the control line that cannot be done. */
export class NotDone extends Error {}

/** A charging station: its connectors, and what people do at it. */
export class Station {
  readonly config: StationConfig;
  readonly model: StationModel;
  readonly clock: Clock;
  readonly say: Surroundings['say'];
  readonly settings: Settings;
  readonly profiles: ProfileStore;
  readonly connectors: readonly Connector[];
  readonly link: Link;
  readonly cards: Cards;
  readonly registration: Registration;
  readonly transactions: Transactions;
  /** Commands that get no answer, and whether they are carried out all the same, after how long. */
  readonly mute = new Map<string, { readonly act: boolean; readonly afterMs: number }>();

  constructor(config: StationConfig, { clock, say, onCall }: Surroundings) {
    this.config = config;
    this.model = models[config.model];
    this.clock = clock;
    this.say = say;
    this.settings = new Settings(this.model.connectors.length, config.settings);
    this.profiles = new ProfileStore(this.model.hardwareA, this.model.wattsPerAmp);
    const meter = { startWh: config.meterStartWh, at: clock.now() };
    this.connectors = this.model.connectors.map((_, i) => new Connector(i + 1, this.model, meter));
    this.registration = new Registration(this);
    this.transactions = new Transactions(this);
    this.link = new Link({
      url: config.url,
      station: config.id,
      password: config.password,
      clock,
      callTimeoutMs: config.callTimeoutMs,
      say,
      onCall: (action, payload) => onCall(this, action, payload),
      onOpen: () => this.registration.opened(),
      retry: () => [
        this.settings.integer('TransactionMessageAttempts'),
        this.settings.integer('TransactionMessageRetryInterval'),
      ],
    });
    this.cards = new Cards(this.link, this.settings, (why) =>
      say('error', { action: 'Authorize', why }),
    );
  }

  connector(id: number): Connector {
    const found = this.connectors.find((one) => one.id === id);
    if (!found) throw new NotDone(`the station has no connector ${id}`);
    return found;
  }

  /**
   * Everything that is due by now. Called often; what it does depends only on the platform's clock.
   */
  tick(): void {
    const now = this.clock.now();
    for (const connector of this.connectors) {
      this.transactions.takeSamples(connector, now);
      this.meter(connector, now);
      const { pending, reservation } = connector;
      if (pending && now >= pending.until) {
        connector.pending = undefined;
        this.say('waited-too-long', { connector: connector.id, idTag: pending.idTag });
      }
      if (reservation && now >= reservation.until) connector.reservation = undefined;
      this.registration.refresh(connector);
    }
    this.registration.tick(now);
  }

  /** Brings the register up to an instant and says when the limit has changed on the way. */
  meter(connector: Connector, at: number): void {
    const running = this.running(connector);
    const { id } = connector;
    const changed = connector.meterTo(at, (instant) => this.profiles.limitAt(id, instant, running));
    const { limit, powerW } = connector;
    if (changed) this.say('limit', { connector: id, limitA: limit.limitA, by: limit.by, powerW });
  }

  /** After profiles changed: meter what was, then let the new limit count from now. */
  applyLimits(): void {
    const now = this.clock.now();
    for (const connector of this.connectors) {
      this.meter(connector, now);
      this.registration.refresh(connector);
    }
  }

  setProfile(
    connectorId: number,
    profile: ChargingProfile16,
  ): 'Accepted' | 'Rejected' | 'NotSupported' {
    const connector = this.connectors.find((one) => one.id === connectorId);
    this.applyLimits();
    const status = this.profiles.set(connectorId, profile, {
      at: this.clock.now(),
      connectors: this.connectors.length,
      running: connector && this.running(connector),
    });
    const { chargingProfileId: id, chargingProfilePurpose: purpose } = profile;
    this.say('profile', { connector: connectorId, id, purpose, status });
    if (status === 'Accepted') this.applyLimits();
    return status;
  }

  running({ transaction }: Connector): RunningTransaction | undefined {
    return transaction && { transactionId: transaction.id, startedAt: transaction.startedAt };
  }

  plugIn(connectorId: number, carName: string, socPercent?: number): void {
    const connector = this.connector(connectorId);
    if (!isCarName(carName)) throw new NotDone(`there is no car ${carName}`);
    if (connector.car) throw new NotDone(`connector ${connectorId} already has a plug in a car`);
    if (connector.siblingInUse) throw new NotDone('the other cable is in use');
    const car = new PluggedCar(carName, socPercent, this.config.seed * 31 + connectorId);
    const inlet = this.model.connectors[connectorId - 1];
    if (!car.car.inlets.some((one) => one === inlet)) {
      throw new NotDone(`a ${carName} has no ${inlet} inlet`);
    }
    this.meter(connector, this.clock.now());
    connector.car = car;
    const soc = Math.round(car.socPercent);
    this.say('plugged-in', { connector: connectorId, car: carName, socPercent: soc });
    this.#share();
    this.registration.refresh(connector);
    if (connector.pending) this.transactions.start(connector, connector.pending);
  }

  unplug(connectorId: number): void {
    const connector = this.connector(connectorId);
    if (!connector.car) throw new NotDone(`connector ${connectorId} has no plug in a car`);
    this.meter(connector, this.clock.now());
    if (this.settings.boolean('StopTransactionOnEVSideDisconnect')) {
      this.transactions.stop(connector, 'EVDisconnected');
    }
    connector.car = undefined;
    connector.finishing = false;
    this.say('unplugged', { connector: connectorId });
    this.#share();
    this.registration.refresh(connector);
  }

  /** A card is held to the reader: it starts, stops, or is refused. */
  async tap(connectorId: number, idTag: string): Promise<void> {
    const connector = this.connector(connectorId);
    const { transaction } = connector;
    if (transaction && same(transaction.idTag, idTag)) {
      return this.transactions.stop(connector, 'Local', idTag);
    }
    if (connector.fault !== undefined || !connector.operative || connector.siblingInUse) {
      throw new NotDone('the connector is out of service');
    }
    const { status, parentIdTag } = await this.cards.authorize(idTag);
    this.say('authorized', { connector: connectorId, idTag, status });
    if (status !== 'Accepted') return;
    const running = connector.transaction;
    const { reservation } = connector;
    if (running && !inGroup(running, parentIdTag)) {
      this.say('refused', { connector: connectorId, idTag, why: 'another card charges here' });
    } else if (running) this.transactions.stop(connector, 'Local', idTag);
    else if (reservation && !same(reservation.idTag, idTag) && !inGroup(reservation, parentIdTag)) {
      this.say('refused', { connector: connectorId, idTag, why: 'reserved for another card' });
    } else this.allow(connector, { idTag, parentIdTag, profile: undefined });
  }

  /** May charge: at once when a plug is in, else as soon as it is, within ConnectionTimeOut. */
  allow(
    connector: Connector,
    who: {
      readonly idTag: string;
      readonly parentIdTag: string | undefined;
      readonly profile: ChargingProfile16 | undefined;
    },
  ): void {
    const until = this.clock.now() + this.settings.integer('ConnectionTimeOut') * 1_000;
    connector.pending = { ...who, until };
    if (connector.car) this.transactions.start(connector, connector.pending);
    else this.registration.refresh(connector);
  }

  /** `undefined` = mended. A fault ends the charge: nobody may touch the cable. */
  fault(connectorId: number, code: string | undefined): void {
    const connector = this.connector(connectorId);
    if (code !== undefined) this.transactions.stop(connector, 'EmergencyStop');
    connector.fault = code;
    this.applyLimits();
  }

  /** Off and on again: open transactions end first, the registration is lost, the line drops. */
  async reset(reason: 'SoftReset' | 'HardReset'): Promise<void> {
    for (const connector of this.connectors) this.transactions.stop(connector, reason);
    // Their messages go out before, if the central system takes them in time.
    for (let i = 0; i < 40 && this.link.open && this.link.queued > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.registration.forget();
    this.say('reset', { reason });
    this.link.drop(200);
  }

  report(): void {
    const connectors = this.connectors.map((connector) => {
      const { id, status, registerWh, powerW, limit, transaction, car } = connector;
      return {
        id,
        status,
        registerWh,
        powerW,
        limitA: limit.limitA,
        transactionId: transaction?.id,
        car: car?.name,
        socPercent: car && Math.round(car.socPercent * 10) / 10,
      };
    });
    const { accepted } = this.registration;
    this.say('report', { accepted, open: this.link.open, queued: this.link.queued, connectors });
  }

  /** M-02: with one power module the idle cable is out of use while the other is plugged in. */
  #share(): void {
    if (!this.model.sharesPower) return;
    const busy = this.connectors.find((one) => one.car !== undefined);
    for (const connector of this.connectors) {
      connector.siblingInUse = busy !== undefined && busy !== connector;
      this.registration.refresh(connector);
    }
  }
}

function inGroup(
  of: { readonly parentIdTag: string | undefined },
  parentIdTag: string | undefined,
): boolean {
  return (
    of.parentIdTag !== undefined && parentIdTag !== undefined && same(of.parentIdTag, parentIdTag)
  );
}
