import type { Explanation } from './explain.ts';

/**
 * An explanation, or what stands for one, as programs read it: its names spelt as OCPI spells its own.
 * The answers of `policy` keep the names by which they are asked for.
 */
export function explanationJson(
  explanation: Explanation | { readonly notPriceable: string },
): Record<string, unknown> {
  const { policy, ...rest } = explanation as Partial<Explanation>;
  return { ...(spelt(rest) as Record<string, unknown>), ...(policy && { policy }) };
}

function spelt(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spelt);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [inOcpi(name), spelt(of)]));
}

function inOcpi(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
