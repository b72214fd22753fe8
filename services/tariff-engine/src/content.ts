import { createHash } from 'node:crypto';

/**
 * What a tariff says, whenever it says so: SHA-256 of its JSON in one spelling (members by name, an
 * optional one that is null as if it were absent), without last_updated.
 */
export function contentDigest(tariff: object): string {
  const { last_updated: _, ...content } = tariff as { last_updated?: unknown };
  return createHash('sha256').update(spelled(content)).digest('hex');
}

function spelled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== null && member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${spelled(member)}`).join(',')}}`;
}
