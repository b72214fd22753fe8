import { Rejected } from '#decider';
import type { EventStore, Executor } from '#event-store';
import { read, Tariff } from '#ocpi';
import { InvalidTariff, meterFold, select } from '#pricing';
import type { Database, PageRequest } from '#postgres';
import type { PartySettings } from '#settings';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant, isTimeZone, rfc3339 } from '#time';
import { listOffered } from './offered.ts';
import { quotedPrice } from './quote.ts';
import { streamOf, type TariffKey } from './tariff-key.ts';
import { type TariffCommand, type TariffEvent, type TariffPublished, type TariffState, versionAt } from './tariff.ts';

export type Refusal = 'invalid-object' | 'no-tariff-applies' | 'unknown-time-zone';
export type Change = 'created' | 'updated' | 'unchanged';

export interface TariffEngineParts {
  readonly db: Database;
  readonly store: EventStore;
  readonly tariffs: Executor<TariffState, TariffCommand, TariffEvent>;
  readonly clock: Clock;
  readonly party: PartySettings;
}

export interface SelectRequest {
  readonly party: TariffKey['party'];
  readonly tariffIds: readonly string[];
  readonly tokenType: string;
  readonly profileType?: string | undefined;
  readonly at: string;
}

export interface Selected {
  readonly tariff: Tariff;
  readonly version: number;
  /** The version's JSON as it was published. */
  readonly text: string;
  readonly why: string;
}

/** Some 2,000 elements; sessions and CDRs carry copies of it. */
const TARIFF_BYTES_MAX = 200_000;

/** The service's verbs. */
export class TariffEngine {
  constructor(private readonly parts: TariffEngineParts) {}

  /** One of our own; party and last_updated are filled in. The same content again publishes nothing. */
  async publish(given: Partial<Tariff>): Promise<{ version: number; change: Change }> {
    const { country_code, party_id } = this.parts.party;
    const at = this.now();
    return this.put({ ...given, country_code, party_id, last_updated: at }, true);
  }

  putPartner(body: unknown): Promise<{ version: number; change: Change }> {
    return this.put(body, false);
  }

  async withdrawPartner(key: TariffKey): Promise<Change> {
    const command = { type: 'WithdrawTariff', own: false, at: this.now() } as const;
    const { events } = await this.parts.tariffs.execute(streamOf(key), `withdraw ${command.at}`, command, currentTraceparent());
    return events.length > 0 ? 'updated' : 'unchanged';
  }

  /** The version in force at an instant (now when absent). */
  async find(key: TariffKey, asOf?: string): Promise<TariffPublished | undefined> {
    const stored = await this.parts.store.read(streamOf(key));
    const events = stored.map((event) => ({ ...(JSON.parse(event.data) as object), type: event.type }) as TariffEvent);
    return versionAt(events, asOf === undefined ? this.parts.clock.now() : instant(asOf), instant);
  }

  /** Which of a connector's tariffs applies, in the version in force then. */
  async select(request: SelectRequest): Promise<Selected> {
    const { party, tariffIds, tokenType, profileType, at } = request;
    const versions = await Promise.all(tariffIds.map((tariffId) => this.find({ party, tariffId }, at)));
    const known = versions.filter((version) => version !== undefined);
    const tariffs = known.map((version) => JSON.parse(version.text) as Tariff);
    const tariff = select(tariffs, { tokenType, ...(profileType === undefined ? {} : { profile: profileType }), atMs: instant(at) });
    if (!tariff) {
      throw new Rejected<Refusal>('no-tariff-applies', `of ${tariffIds.join(', ')} none applies to ${tokenType} at ${at}`);
    }
    const { version, text } = known[tariffs.indexOf(tariff)]!;
    const why = tariff.type ? `the tariff of type ${tariff.type} in force` : 'in force for all sessions';
    return { tariff, version, text, why: `${tariff.id}, version ${version}: ${why}` };
  }

  async quote(request: SelectRequest & { timeZone: string; energyKwh: string; durationS: number }) {
    if (!isTimeZone(request.timeZone)) throw new Rejected<Refusal>('unknown-time-zone', request.timeZone);
    const { tariff } = await this.select(request);
    const priced = quotedPrice(tariff, {
      startMs: instant(request.at), durationS: request.durationS, timeZone: request.timeZone,
      energyWh: Math.round(Number(request.energyKwh) * 1000),
    });
    return { tariff, priced };
  }

  list(request: PageRequest): Promise<{ texts: string[]; total: number }> {
    return listOffered(this.parts.db, request);
  }

  private async put(body: unknown, own: boolean): Promise<{ version: number; change: Change }> {
    const valid = read(Tariff, body);
    if (!valid.ok) throw new Rejected<Refusal>('invalid-object', valid.message);
    const tariff = valid.value;
    if (own) checkPriceable(tariff);
    const key = { party: { countryCode: tariff.country_code, partyId: tariff.party_id }, tariffId: tariff.id };
    const text = JSON.stringify(body);
    const bytes = Buffer.byteLength(text);
    if (bytes > TARIFF_BYTES_MAX) {
      throw new Rejected<Refusal>('invalid-object', `the Tariff has ${bytes} bytes, ${TARIFF_BYTES_MAX} are kept`);
    }
    const command: TariffCommand = {
      type: 'PublishTariff', own, text, at: this.now(),
      lastUpdated: tariff.last_updated, lastUpdatedMs: instant(tariff.last_updated),
    };
    const commandId = `publish ${command.at} ${command.text}`;
    const { state, events } = await this.parts.tariffs.execute(streamOf(key), commandId, command, currentTraceparent());
    const change = events.length === 0 ? 'unchanged' : state.version === 1 ? 'created' : 'updated';
    return { version: state.version, change };
  }

  private now(): string {
    return rfc3339(this.parts.clock.now());
  }
}

/** OCPI's form lets through what no session can be metered by, such as a 31st of February. */
function checkPriceable(tariff: Tariff): void {
  try {
    meterFold({ tariff, timeZone: 'UTC' });
  } catch (error) {
    if (error instanceof InvalidTariff) throw new Rejected<Refusal>('invalid-object', error.message);
    throw error;
  }
}
