import type { Authorization } from './station-events.ts';

interface Known {
  readonly authorization: Authorization;
  readonly atMs: number;
}

/** A card at a station. */
export interface Shown {
  readonly stationId: string;
  readonly idTag: string;
  /** Where it is known which it will be. */
  readonly connectorId?: number;
}

/** A decision is used again at its station without asking for so long, in real time. */
const FRESH_MS = 10_000;
/** So long an owner's yes waits for the charge it was given for: for the driver to plug in. */
const START_WITHIN_MS = 5 * 60_000;
/** And so long a yes by list holds while tokens-auth does not answer. */
const FALLBACK_MS = 24 * 3_600_000;
const SHOWN_MAX = 20_000;
const LISTED_MAX = 50_000;

/**
 * What was decided about cards lately, at this process. Those that were let in by list are kept apart:
 * however many unknown cards are shown, none of them is forgotten for it.
 */
export class CardCache {
  readonly #shown = new Map<string, Known>();
  readonly #listed = new Map<string, Known>();

  fresh(shown: Shown, nowMs: number): Authorization | undefined {
    return within(this.#shown.get(keyOf(shown)), nowMs, FRESH_MS);
  }

  /** For a charge that starts: an owner's yes, which is used up by it. */
  forStart(shown: Shown, nowMs: number): Authorization | undefined {
    const known = this.#shown.get(keyOf(shown));
    if (!known || !isOwnersYes(known.authorization)) return within(known, nowMs, FRESH_MS);
    this.#shown.delete(keyOf(shown));
    return within(known, nowMs, START_WITHIN_MS);
  }

  /** For when nobody can be asked: only a yes by list, never one that its owner gave for one charge. */
  fallback({ idTag }: Shown, nowMs: number): Authorization | undefined {
    return within(this.#listed.get(idTag.toLowerCase()), nowMs, FALLBACK_MS);
  }

  note(shown: Shown, authorization: Authorization, nowMs: number): void {
    const known = { authorization, atMs: nowMs };
    put(this.#shown, keyOf(shown), known, SHOWN_MAX);
    const idTag = shown.idTag.toLowerCase();
    if (isListed(authorization)) put(this.#listed, idTag, known, LISTED_MAX);
    else this.#listed.delete(idTag);
  }

  /** What is asked about again each time: it does no more than end a yes by list that was said before. */
  noteUnsure({ idTag }: Shown, authorization: Authorization): void {
    if (!isListed(authorization)) this.#listed.delete(idTag.toLowerCase());
  }

  /** Cards that were erased are among them, perhaps. */
  forget(): void {
    this.#shown.clear();
    this.#listed.clear();
  }

  get size(): { readonly shown: number; readonly listed: number } {
    return { shown: this.#shown.size, listed: this.#listed.size };
  }
}

function isListed({ status, authMethod }: Authorization): boolean {
  return status === 'Accepted' && authMethod === 'WHITELIST';
}

function isOwnersYes({ status, authMethod }: Authorization): boolean {
  return status === 'Accepted' && authMethod === 'AUTH_REQUEST';
}

/** Stations' ids have no control characters. */
function keyOf({ stationId, idTag, connectorId = 0 }: Shown): string {
  return `${stationId}\0${connectorId}\0${idTag.toLowerCase()}`;
}

function within(known: Known | undefined, nowMs: number, ageMs: number): Authorization | undefined {
  return known && nowMs - known.atMs <= ageMs ? known.authorization : undefined;
}

function put(known: Map<string, Known>, key: string, one: Known, most: number): void {
  known.delete(key);
  known.set(key, one);
  if (known.size > most) known.delete(known.keys().next().value!);
}
