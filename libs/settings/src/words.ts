/**
 * Every section of roamwatt.yaml, whichever service reads it: a service that is hosted alone finds the
 * others' sections there, too.
 */
export const sectionNames = [
  'party', 'parties', 'tariffs', 'operator_tariffs', 'locations', 'stations', 'sites', 'drivers',
  'portal', 'ocpi', 'hub', 'ocpp', 'sessions', 'ledger', 'meters', 'retail',
] as const;

/** The known word that was most likely meant, if any is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const most = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  const distances = known.map((each) => ({ each, distance: distance(word.toLowerCase(), each.toLowerCase()) }));
  const [best] = distances.sort((a, b) => a.distance - b.distance);
  return best && best.distance <= most ? best.each : undefined;
}

/** Such as `unknown word "portall"; did you mean "portal"?`. */
export function unknownWord(what: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  const few = known.length > 0 && known.length <= 16 ? `; there is ${known.join(', ')}` : '';
  return `${what} ${JSON.stringify(word)}${meant === undefined ? few : `; did you mean ${JSON.stringify(meant)}?`}`;
}

/** Letters to put in, take out, change or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}
