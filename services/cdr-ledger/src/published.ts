import { type Bus, Refused, Unanswered } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getTariff, listTariffVersions } from '#contracts/tariff-engine';
import { type Cdr, idKey, partyText, type Tariff } from '#ocpi';
import { type Clock, instant } from '#time';
import { chargeBeganAt, type HeldTariff, type PublishedTariff } from './review-tariff.ts';

/** What a CDR's sender had published to us of its tariffs when its session began. */
export type PublishedOf = (cdr: Cdr) => Promise<readonly PublishedTariff[]>;

const TIMEOUT_MS = 1_500;
/** A CDR with more tariffs is compared by the first of them. */
const COMPARED_MAX = 10;
/** The newest versions of a tariff, which are looked through. */
const VERSIONS_MAX = 20;
/** Who did not answer is left in peace for so long: no record waits for it over and over. */
const REST_MS = 5_000;
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 1_000;

/** The versions that we held up to an instant: what held before it never changes. */
interface History {
  readonly versions: readonly (HeldTariff & { readonly sinceMs: number; readonly untilMs: number })[];
  /** Whether there are older ones. */
  readonly isCut: boolean;
  /** Platform time at which it was asked for. */
  readonly asOfMs: number;
  /** Real time at which it is forgotten. */
  readonly forgetMs: number;
}

/** Asks the tariff-engine; without an answer the CDR is recorded without the comparison. */
export function publishedFrom(bus: Bus, clock: Clock): PublishedOf {
  const looking = new Looking(bus, clock);
  return (cdr) =>
    Promise.all((cdr.tariffs ?? []).slice(0, COMPARED_MAX).map((tariff) => looking.look(cdr, tariff)));
}

const NOT_LOOKED_UP = 'what was published to us could not be looked up';

class Looking {
  private readonly known = new Map<string, History>();
  private restUntilMs = 0;

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  async look(cdr: Cdr, { id: tariffId }: Tariff): Promise<PublishedTariff> {
    try {
      const startMs = instant(cdr.start_date_time);
      const chargeMs = instant(chargeBeganAt(cdr));
      const { versions, isCut } = await this.history(cdr, tariffId, Math.max(startMs, chargeMs));
      const heldAt = (ms: number) => versions.find(({ sinceMs, untilMs }) => sinceMs <= ms && ms < untilMs);
      const isOlder = isCut && startMs < versions.at(-1)!.sinceMs;
      return {
        tariffId,
        atStart: isOlder ? await this.versionAt(cdr, tariffId) : heldAt(startMs),
        ...(chargeMs === startMs ? {} : { atCharge: heldAt(chargeMs) }),
        others: versions,
      };
    } catch (error) {
      if (error instanceof Refused) return { tariffId, unknown: `${NOT_LOOKED_UP}: ${error.detail}` };
      if (!(error instanceof Unanswered)) throw error;
      return { tariffId, unknown: NOT_LOOKED_UP };
    }
  }

  private async history(cdr: Cdr, tariffId: string, latestMs: number): Promise<History> {
    const name = `${partyText(cdr)} ${idKey(tariffId)}`;
    const known = this.known.get(name);
    if (known && known.forgetMs > performance.now() && latestMs < known.asOfMs) return known;
    const asOfMs = this.clock.now();
    const page = { offset: 0, limit: VERSIONS_MAX };
    const { versions, total } = await this.ask(() =>
      this.bus.ask(listTariffVersions, { ...keyOf(cdr, tariffId), ...page }, { timeoutMs: TIMEOUT_MS }));
    const history: History = {
      versions: versions.map(({ version, tariffJson, heldSince, heldUntil }) => ({
        version,
        tariff: fromJsonBytes<Tariff>(tariffJson),
        heldSince,
        sinceMs: instant(heldSince),
        untilMs: heldUntil === undefined ? Infinity : instant(heldUntil),
      })),
      isCut: total > versions.length && versions.length > 0,
      asOfMs,
      forgetMs: performance.now() + REMEMBERED_MS,
    };
    if (this.known.size >= REMEMBERED_MAX) this.known.clear();
    this.known.set(name, history);
    return history;
  }

  private async versionAt(cdr: Cdr, tariffId: string): Promise<HeldTariff | undefined> {
    const asOf = cdr.start_date_time;
    const { tariffJson, version, heldSince } = await this.ask(() =>
      this.bus.ask(getTariff, { ...keyOf(cdr, tariffId), asOf }, { timeoutMs: TIMEOUT_MS }));
    return tariffJson && { version, heldSince, tariff: fromJsonBytes<Tariff>(tariffJson) };
  }

  private async ask<T>(question: () => Promise<T>): Promise<T> {
    if (performance.now() < this.restUntilMs) throw new Unanswered('offline', 'tariff-engine');
    try {
      return await question();
    } catch (error) {
      if (error instanceof Unanswered) this.restUntilMs = performance.now() + REST_MS;
      throw error;
    }
  }
}

function keyOf({ country_code: countryCode, party_id: partyId }: Cdr, tariffId: string) {
  return { party: { countryCode, partyId }, tariffId };
}
