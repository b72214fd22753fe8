const secretWords = new Set(['token', 'password', 'authorization', 'secret', 'uid']);
const mask = '***';
const longest = 2_000;
const deepest = 6;
const most = 1_000;

/**
 * A copy of `value` fit for a log or a span: values under secret names are masked at any depth, long
 * texts are cut, bytes are counted, what JSON cannot carry becomes text. A whole request object that
 * slipped in ends after six levels or 1,000 values.
 */
export function masked(value: unknown): unknown {
  return copy(value, { depth: 0, budget: { left: most } });
}

interface Place {
  readonly depth: number;
  readonly budget: { left: number };
}

function copy(value: unknown, at: Place): unknown {
  if (--at.budget.left < 0) return '…';
  switch (typeof value) {
    case 'string':
      return value.length > longest ? `${value.slice(0, longest)}… (${value.length} characters)` : value;
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return `function ${value.name}`;
    case 'object':
      return copyObject(value, at);
    default:
      return value;
  }
}

function copyObject(value: object | null, at: Place): unknown {
  if (value === null) return null;
  if (value instanceof Error) return copyError(value, at);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof URL) return value.href;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (at.depth >= deepest) return '…';
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].slice(0, at.budget.left + 1).map((item) => copy(item, below(at)));
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return copyEntries(entries.map(([key, item]) => [String(key), item]), at);
}

function copyError(error: Error, at: Place): unknown {
  const own = { name: error.name, message: error.message, stack: error.stack };
  if (at.depth >= deepest) return own;
  const fields = copyEntries(Object.entries(error).filter(([key]) => key !== 'cause'), at);
  return { ...own, ...fields, ...(error.cause === undefined ? {} : { cause: copy(error.cause, below(at)) }) };
}

function copyEntries(entries: readonly [string, unknown][], at: Place): Record<string, unknown> {
  const copied: Record<string, unknown> = {};
  for (const [key, item] of entries.slice(0, at.budget.left + 1)) {
    copied[key] = isSecret(key, item) ? mask : copy(item, below(at));
  }
  return copied;
}

function below({ depth, budget }: Place): Place {
  return { depth: depth + 1, budget };
}

/** Whether a name says that its value opens a door or names a card: evse_uid does neither. */
function isSecret(key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false;
  const words = key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase().split(/[^a-z0-9]+/);
  if (/\bid tag\b/.test(words.join(' '))) return true; // OCPP's name of a card.
  if (words.at(-1) === 'uid' && words.length > 1) return words.includes('token') || words.includes('card');
  return words.some((word) => secretWords.has(word));
}
