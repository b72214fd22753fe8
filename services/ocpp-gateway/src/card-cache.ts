import type { Authorization } from './station.ts';

interface Known {
  readonly authorization: Authorization;
  readonly atMs: number;
}

/** A decision is used again without asking for so long, in real time. */
const FRESH_MS = 10_000;
/** And so long while tokens-auth does not answer. */
const FALLBACK_MS = 24 * 3_600_000;
const CARDS_MAX = 50_000;

/** What was decided about cards lately, at this process. */
export class CardCache {
  readonly #cards = new Map<string, Known>();

  fresh(idTag: string, nowMs: number): Authorization | undefined {
    return this.#within(idTag, nowMs, FRESH_MS);
  }

  /** For when nobody can be asked: only a yes by list, never one that its owner gave for one charge. */
  fallback(idTag: string, nowMs: number): Authorization | undefined {
    const authorization = this.#within(idTag, nowMs, FALLBACK_MS);
    return authorization?.status === 'Accepted' && authorization.authMethod === 'WHITELIST' ? authorization : undefined;
  }

  note(idTag: string, authorization: Authorization, nowMs: number): void {
    const key = idTag.toLowerCase();
    this.#cards.delete(key);
    this.#cards.set(key, { authorization, atMs: nowMs });
    if (this.#cards.size > CARDS_MAX) this.#cards.delete(this.#cards.keys().next().value!);
  }

  /** Cards that were erased are among them, perhaps. */
  forget(): void {
    this.#cards.clear();
  }

  #within(idTag: string, nowMs: number, ageMs: number): Authorization | undefined {
    const known = this.#cards.get(idTag.toLowerCase());
    return known && nowMs - known.atMs <= ageMs ? known.authorization : undefined;
  }
}
