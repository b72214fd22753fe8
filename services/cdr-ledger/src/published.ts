import { type Bus, Refused, Unanswered } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getTariff, listTariffVersions } from '#contracts/tariff-engine';
import type { Cdr, Tariff } from '#ocpi';
import { tariffDifferences } from './differences.ts';
import type { HeldTariff, PublishedTariff } from './review-tariff.ts';

/** What a CDR's sender had published to us of its tariffs when its session began. */
export type PublishedOf = (cdr: Cdr) => Promise<readonly PublishedTariff[]>;

const TIMEOUT_MS = 1_500;
/** A CDR with more tariffs is compared by the first of them. */
const COMPARED_MAX = 10;
/** Other versions that are looked through for the CDR's own. */
const OTHERS_MAX = 20;
/** Who did not answer is left in peace for so long: no record waits for it over and over. */
const REST_MS = 5_000;

/** Asks the tariff-engine; without an answer the CDR is recorded without the comparison. */
export function publishedFrom(bus: Bus): PublishedOf {
  let restUntil = 0;
  return async (cdr) => {
    const compare = (cdr.tariffs ?? []).slice(0, COMPARED_MAX);
    return Promise.all(
      compare.map(async (tariff): Promise<PublishedTariff> => {
        const tariffId = tariff.id;
        if (Date.now() < restUntil) return { tariffId, unknown: NOT_LOOKED_UP };
        try {
          return await askPublished(bus, cdr, tariff);
        } catch (error) {
          if (error instanceof Refused) return { tariffId, unknown: `${NOT_LOOKED_UP}: ${error.detail}` };
          if (!(error instanceof Unanswered)) throw error;
          restUntil = Date.now() + REST_MS;
          return { tariffId, unknown: NOT_LOOKED_UP };
        }
      }),
    );
  };
}

const NOT_LOOKED_UP = 'what was published to us could not be looked up';

async function askPublished(bus: Bus, cdr: Cdr, tariff: Tariff): Promise<PublishedTariff> {
  const tariffId = tariff.id;
  const key = { party: { countryCode: cdr.country_code, partyId: cdr.party_id }, tariffId };
  const within = { timeoutMs: TIMEOUT_MS };
  const asOf = cdr.start_date_time;
  const { tariffJson, version, heldSince } = await bus.ask(getTariff, { ...key, asOf }, within);
  const atStart = tariffJson && {
    version,
    tariff: fromJsonBytes<Tariff>(tariffJson),
    heldSince,
  };
  if (atStart && tariffDifferences(tariff, atStart.tariff).length === 0) {
    return { tariffId, atStart, others: [] };
  }
  const page = { offset: 0, limit: OTHERS_MAX };
  const { versions } = await bus.ask(listTariffVersions, { ...key, ...page }, within);
  const others = versions.map(
    (one): HeldTariff => ({
      version: one.version,
      tariff: fromJsonBytes<Tariff>(one.tariffJson),
      heldSince: one.heldSince,
    }),
  );
  return { tariffId, atStart, others };
}
