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
}

/** So many starts are looked at: two days by half hours. */
const ALTERNATIVES_MAX = 96;
const EVERY_S = 1_800;

/** What a charge would cost, and what it would when begun later. Throws Rejected `invalid-object`. */
export function quoted(tariff: Tariff, request: QuoteRequest, ahead: Ahead): QuotedCharge {
  try {
    return { ...quote(tariff, request), alternatives: begunLater(tariff, request, ahead) };
  } catch (error) {
    if (error instanceof InvalidCharge) throw new Rejected('invalid-object', error.message);
    throw error;
  }
}

function begunLater(tariff: Tariff, request: QuoteRequest, { withinS, everyS }: Ahead) {
  if (withinS === 0) return [];
  const everyMs = 1_000 * Math.max(everyS || EVERY_S, Math.ceil(withinS / ALTERNATIVES_MAX));
  const found = alternatives(tariff, request, { withinMs: withinS * 1_000, everyMs });
  const best = cheapest(found);
  return found.map((one) => ({ ...one, cheapest: one === best }));
}
