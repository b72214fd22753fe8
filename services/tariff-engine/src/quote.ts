import { Rejected } from '#decider';
import type { Tariff } from '#ocpi';
import {
  type Alternative,
  alternatives,
  cheapest,
  InvalidCharge,
  quote,
  type Quote,
  type QuoteRequest,
} from '#pricing';

export interface QuotedCharge extends Quote {
  readonly alternatives: readonly (Alternative & { readonly cheapest: boolean })[];
}

export interface Ahead {
  readonly withinS: number;
  readonly everyS: number;
  /** The tariff that applies to a charge that begins then (epoch ms); absent = the same one. */
  readonly tariffAt?: (startMs: number) => Tariff | undefined;
}

/** So many starts are looked at: two days by half hours. */
const ALTERNATIVES_MAX = 96;
const EVERY_S = 1_800;

/** What a charge would cost, and what it would when begun later. Throws Rejected: `unknown-time-zone` where local times need one. */
export function quoted(tariff: Tariff, request: QuoteRequest, ahead: Ahead): QuotedCharge {
  try {
    return { ...quote(tariff, request), alternatives: begunLater(tariff, request, ahead) };
  } catch (error) {
    if (error instanceof InvalidCharge) throw new Rejected(isOfZone(error) ? 'unknown-time-zone' : 'invalid-object', error.message);
    throw error;
  }
}

const isOfZone = (error: unknown) => error instanceof InvalidCharge && error.path === 'time_zone';

function lacksZone(tariff: Tariff, request: QuoteRequest): boolean {
  if (request.timeZone !== undefined) return false;
  try {
    quote(tariff, request);
    return false;
  } catch (error) {
    return isOfZone(error);
  }
}

function begunLater(tariff: Tariff, request: QuoteRequest, { withinS, everyS, tariffAt = () => tariff }: Ahead) {
  if (withinS === 0) return [];
  const everyMs = 1_000 * Math.max(everyS || EVERY_S, Math.ceil(withinS / ALTERNATIVES_MAX));
  // What is asked in another currency is not compared, nor what goes by local times that nobody knows.
  const comparable = (startMs: number) => {
    const applies = tariffAt(startMs);
    return applies?.currency === tariff.currency && !lacksZone(applies, request) ? applies : undefined;
  };
  const found = alternatives(tariff, request, { withinMs: withinS * 1_000, everyMs, tariffAt: comparable });
  const best = cheapest(found);
  return found.map((one) => ({ ...one, cheapest: one === best }));
}
