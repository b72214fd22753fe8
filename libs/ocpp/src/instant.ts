const shape =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(?:([Zz])|([+-])(\d{2})(?::?(\d{2}))?)?$/;

/**
 * A station's timestamp as epoch milliseconds, or `undefined` if it is none. Any offset and any
 * count of fraction digits (J-49); what stations really send is read too: no offset (taken as UTC),
 * `+02`, a blank instead of `T`, no seconds (T-26).
 */
export function parseInstant(text: string): number | undefined {
  const match = shape.exec(text.trim());
  if (!match) return undefined;
  const part = (index: number): number => Number(match[index] ?? '0');
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 24 || minute > 59 || second > 60 || part(10) > 23 || part(11) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const fraction = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offsetMs = (match[9] === '-' ? -1 : 1) * (part(10) * 60 + part(11)) * 60_000;
  const at = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000 + fraction - offsetMs;
  return at >= firstMs && at <= lastMs ? at : undefined;
}

// RFC 3339 writes years of four digits, and no calendar of a database has a year 0.
const firstMs = Date.parse('0001-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');
