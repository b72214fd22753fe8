/** A JSON object. */
export type Json = Record<string, unknown>;

/**
 * Why an object is not sent, or not taken. 'unpublished': a version that has no word for it must not hear of a Location
 * that is not published, nor of a Tariff that does not hold now or not for its drivers; who heard of it hears that it is gone. 'cannot-be-said': the version has no words for it. 'invalid': the
 * object is against the version it came in.
 */
export type WhyNot = 'unpublished' | 'cannot-be-said' | 'invalid';

/**
 * What became of an object in another version; `lost` names what could not be carried, as `path: why`, by kinds and not
 * by ids or amounts.
 */
export type Converted =
  | { readonly ok: true; readonly value: Json; readonly lost: readonly string[] }
  | { readonly ok: false; readonly why: WhyNot; readonly message: string };

/** Ends a conversion. */
export class NotCarried extends Error {
  constructor(readonly why: WhyNot, message: string) {
    super(message);
  }
}

/** Gathers what is lost, each by its path in the object that is converted. */
export class Notes {
  constructor(readonly lost: string[] = [], private readonly path = '') {}

  /** Of a field, or of an item of a list. */
  at(part: string | number): Notes {
    return new Notes(this.lost, this.pathOf(part));
  }

  say(field: string, why: string): void {
    this.lost.push(`${this.pathOf(field)}: ${why}`);
  }

  private pathOf(part: string | number): string {
    if (typeof part === 'number') return `${this.path}[${part}]`;
    return this.path === '' ? part : `${this.path}.${part}`;
  }
}

/** Reads an object field by field and knows which nobody asked for. null is absent. */
export class Fields<T extends object> {
  readonly #asked = new Set<string>();

  constructor(private readonly source: T, readonly notes: Notes) {}

  take<K extends keyof T & string>(key: K): NonNullable<T[K]> | undefined {
    this.#asked.add(key);
    return this.source[key] ?? undefined;
  }

  /** These fields as they are, where they are given. */
  same<K extends keyof T & string>(...keys: readonly K[]): Json {
    return filled(Object.fromEntries(keys.map((key) => [key, this.take(key)])));
  }

  /** Every other field is lost: to 2.3.0 all of them go, so that this is 2.1.1. */
  restIsLost(): void {
    for (const [key] of this.#rest()) this.notes.say(key, 'OCPI 2.1.1 has no such field');
  }

  /** Other fields are kept as they are, save those that would be read as something they were not. */
  restIsKept(meaningful: readonly string[]): Json {
    const rest = this.#rest();
    for (const [key] of rest) {
      if (meaningful.includes(key)) this.notes.say(key, 'is no field of this version; not taken');
    }
    return Object.fromEntries(rest.filter(([key]) => !meaningful.includes(key)));
  }

  #rest(): [string, unknown][] {
    return Object.entries(this.source).filter(([key, value]) => value !== undefined && value !== null && !this.#asked.has(key));
  }
}

/** Without the fields that are undefined. */
export function filled(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** At most `max` characters, never half a one. */
export function cut(text: string, max: number, field: string, notes: Notes): string {
  const characters = [...text];
  if (characters.length <= max) return text;
  notes.say(field, `cut to ${max} characters`);
  return characters.slice(0, max).join('');
}
