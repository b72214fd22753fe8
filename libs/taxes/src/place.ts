import { CANADA, type Jurisdiction } from './canada.ts';

/** Where something is supplied, as OCPI's Location and CdrLocation have it. */
export interface Place {
  /** ISO 3166-1, two or three letters: `CA` or `CAN`. */
  readonly country: string;
  /** In whatever spelling: `BC`, `CA-BC`, `British Columbia`, `Québec`. */
  readonly state?: string | undefined;
  readonly postal_code?: string | undefined;
}

const byName = new Map<string, Jurisdiction>();
for (const [code, { name, alsoCalled }] of Object.entries(CANADA)) {
  for (const spelling of [code, code.slice(3), name, ...alsoCalled]) {
    byName.set(plain(spelling), code as Jurisdiction);
  }
}

/**
 * The province or territory of a place; where the state is not said or not understood, the first
 * letter of the postal code tells. Undefined for a place outside of the data.
 */
export function jurisdictionOf({ country, state, postal_code }: Place): Jurisdiction | undefined {
  if (!/^(CA|CAN)$/i.test(country.trim())) return undefined;
  const named = state === undefined ? undefined : byName.get(plain(state));
  if (named) return named;
  const letter = postal_code?.trim().slice(0, 1).toUpperCase() ?? '';
  if (letter === '') return undefined;
  return (Object.keys(CANADA) as Jurisdiction[]).find((code) =>
    CANADA[code].postal.includes(letter),
  );
}

/** Capitals without accents, dots and hyphens. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/[\u0300-\u036f.]/g, '').replaceAll('&', ' and ').replace(/[\s-]+/g, ' ').trim()
    .toUpperCase();
}
