import { decimal } from '#money';

// Up to 15 digits without an exponent are what their double says. A number ends before a comma, a
// bracket or a blank; a text that looks alike only costs the slow way.
const PERHAPS_INEXACT = /\d[\d.]{15}(?=[\s,}\]\deE+-])|\d[eE][-+]?\d+(?=[\s,}\]])/;

/**
 * JSON with every number exact: one that a double does not carry comes as its text, which pricing
 * reads as well. Throws SyntaxError.
 */
export function parseExact(text: string): unknown {
  if (!PERHAPS_INEXACT.test(text)) return JSON.parse(text);
  return (JSON.parse as ParseWithSource)(text, (_key, value, context) => {
    if (typeof value !== 'number') return value;
    if (context?.source === undefined) {
      throw new SyntaxError('it has a number of more than 15 digits, for which Node 22 is needed');
    }
    return isCarried(value, context.source) ? value : context.source;
  });
}

/** JSON with every number a number, for whom it matters that it is one and not what its last digits are. */
export function parseNumbers(text: string): unknown {
  if (!/\d[eE]/.test(text)) return JSON.parse(text);
  const finite = (value: number) => Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
  return JSON.parse(text, (_key, value) => (typeof value === 'number' ? finite(value) : value));
}

type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
) => unknown;

function isCarried(value: number, source: string): boolean {
  try {
    return decimal(value).equals(decimal(source));
  } catch {
    return false;
  }
}
