import { withinOneAnswer } from '#bus';
import { toJsonBytes } from './json.ts';

/** A page of rows as one answer carries it: with those that it leaves out the next page begins. */
export function pageAnswer({ rows, total, more }: {
  readonly rows: readonly { readonly text: string; readonly position: bigint }[];
  readonly total: number;
  readonly more: boolean;
}) {
  const objectsJson = withinOneAnswer(rows.map(({ text }) => toJsonBytes(text)), (json) => json);
  const last = rows[objectsJson.length - 1];
  return {
    objectsJson, total,
    more: more || objectsJson.length < rows.length,
    ...(last === undefined ? {} : { position: last.position }),
  };
}
