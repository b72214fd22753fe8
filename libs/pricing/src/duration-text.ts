import { Decimal, type DecimalLike, decimal } from '#money';

/** "1 h 5 min", "42 min 30 s", "0 s" of seconds, exactly; the units are the same in both languages. */
export function durationText(seconds: DecimalLike, number = (digits: string) => digits): string {
  const exact = decimal(seconds);
  const minutes = Number(exact.divide(decimal(60), 0, 'floor').toString());
  const rest = exact.sub(Decimal.of(minutes * 60));
  const parts = [];
  if (minutes >= 60) parts.push(`${Math.floor(minutes / 60)} h`);
  if (minutes % 60 > 0) parts.push(`${minutes % 60} min`);
  if (!rest.isZero() || parts.length === 0) parts.push(`${number(rest.toString())} s`);
  return parts.join(' ');
}
