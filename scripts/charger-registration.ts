import type { Connector } from './charger-connector.ts';
import type { Station } from './charger-station.ts';

/** The station and its central system: boot, heartbeat, and what state the connectors are in. */
export class Registration {
  readonly #station: Station;
  #accepted = false;
  #bootDueAt = 0;
  #heartbeatDueAt = Infinity;
  #toldOfItself = false;

  constructor(station: Station) {
    this.#station = station;
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  tick(now: number): void {
    const { link, settings } = this.#station;
    if (!link.open) return;
    if (!this.#accepted && now >= this.#bootDueAt) void this.boot();
    if (this.#accepted && now >= this.#heartbeatDueAt) {
      this.#heartbeatDueAt = now + settings.integer('HeartbeatInterval') * 1_000;
      this.heartbeat();
    }
  }

  /** J-65: a new line is no new boot. */
  opened(): void {
    if (!this.#accepted) this.#bootDueAt = 0;
    else this.#catchUp();
  }

  /** As after a power-off: the station has to boot again. */
  forget(): void {
    this.#accepted = false;
    this.#bootDueAt = 0;
    this.#station.link.ready = false;
  }

  async boot(): Promise<void> {
    const { link, model, config, settings, clock, say } = this.#station;
    this.#bootDueAt = Infinity;
    try {
      const answer = await link.call('BootNotification', {
        chargePointVendor: model.vendor,
        chargePointModel: model.model,
        chargePointSerialNumber: config.id.slice(0, 25),
        firmwareVersion: '1.0.0',
      });
      const interval = Number(answer['interval']);
      const clockSkewMs = Date.parse(String(answer['currentTime'])) - clock.now();
      say('booted', { status: answer['status'], interval, clockSkewMs });
      if (answer['status'] !== 'Accepted') {
        this.#bootDueAt = clock.now() + (interval > 0 ? interval : 10) * 1_000;
        return;
      }
      if (interval > 0) settings.change('HeartbeatInterval', String(interval));
      this.#heartbeatDueAt = clock.now() + settings.integer('HeartbeatInterval') * 1_000;
      this.#accepted = true;
      this.#toldOfItself = false;
      for (const connector of this.#station.connectors) connector.toldStatus = undefined;
      this.#catchUp();
    } catch (error) {
      say('error', { action: 'BootNotification', why: String(error) });
      this.#bootDueAt = clock.now() + 10_000;
    }
  }

  heartbeat(): void {
    void this.tell('Heartbeat', {});
  }

  /** Tells a status where it changed; while offline only the last one counts (S16-08). */
  refresh(connector: Connector): void {
    const { status } = connector;
    if (status === connector.toldStatus || !this.#accepted || !this.#station.link.open) return;
    connector.toldStatus = status;
    void this.sendStatus(connector.id, status, connector.fault).then((told) => {
      // The line went before the answer: nobody knows whether it was heard, so say it again.
      if (!told && !this.#station.link.open) connector.toldStatus = undefined;
    });
  }

  /** Connector 0 is the station itself. The event is printed once the central system knows. */
  async sendStatus(connector: number, status: string, fault?: string): Promise<boolean> {
    const timestamp = this.#station.clock.iso();
    const payload = { connectorId: connector, status, errorCode: fault ?? 'NoError', timestamp };
    const told = await this.tell('StatusNotification', payload);
    if (told) this.#station.say('status', { connector, status });
    return told;
  }

  /** Best effort: what is not of a transaction is not kept for later. */
  async tell(action: string, payload: object): Promise<boolean> {
    const { link, say } = this.#station;
    if (!link.open || !this.#accepted) return false;
    try {
      await link.call(action, payload);
      return true;
    } catch (error) {
      say('error', { action, why: String(error) });
      return false;
    }
  }

  /** J-66: changed states first, then what waited. */
  #catchUp(): void {
    const { link, connectors } = this.#station;
    if (!this.#toldOfItself) void this.sendStatus(0, 'Available');
    this.#toldOfItself = true;
    for (const connector of connectors) this.refresh(connector);
    link.ready = true;
    void link.pump();
  }
}
