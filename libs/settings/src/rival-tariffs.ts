import { instantMs, sameId } from '#ocpi';

interface Described {
  readonly id: string;
  readonly type?: unknown;
  readonly start_date_time?: unknown;
  readonly end_date_time?: unknown;
  readonly offered_to?: unknown;
}

/**
 * Tariffs of a Connector that are valid at the same time as another one of the same type. LOC-11. One
 * that is for others is in place of the rest for them; what agreements grant is no affair of the settings.
 */
export function rivals(ids: readonly unknown[], tariffs: readonly unknown[]): { place: number; what: string }[] {
  const named = ids.map((id) => tariffs.filter(isDescribed).find((one) => typeof id === 'string' && sameId(one.id, id)));
  return named.flatMap((one, place) => {
    if (!one || audience(one) === 'agreed') return [];
    const rival = named.slice(0, place).find((other) =>
      other && other !== one && audience(other) === audience(one) && other.type === one.type && overlap(one, other));
    if (!rival) return [];
    const kind = one.type === undefined ? 'without a type' : `of type ${String(one.type)}`;
    return [{
      place, what: `${one.id} and ${rival.id} are both ${kind} and valid at the same time, and a Connector has one of each type `
        + '(OCPI 2.2.1, LOC-11): give them a start_date_time and end_date_time that do not overlap, or offered_to: agreed to one '
        + 'that you grant single partners',
    }];
  });
}

function isDescribed(tariff: unknown): tariff is Described {
  return typeof tariff === 'object' && tariff !== null && typeof (tariff as Described).id === 'string';
}

function overlap(a: Described, b: Described): boolean {
  return from(a) < until(b) && from(b) < until(a);
}

const audience = ({ offered_to: to }: Described) => to ?? 'all';
const from = ({ start_date_time: at }: Described) => (typeof at === 'string' ? instantMs(at) : undefined) ?? -Infinity;
const until = ({ end_date_time: at }: Described) => (typeof at === 'string' ? instantMs(at) : undefined) ?? Infinity;
