import { type Document, documentsOf } from './documents.ts';
import { otherThanLocation } from './kind.ts';
import type { Terminal } from './terminal.ts';
import { type Given, RefusedInput } from './verb.ts';

/** The Locations of --location. Throws RefusedInput, also for another object: it would be passed over unsaid. */
export async function locationsOf({ options }: Given, { stdin }: Terminal): Promise<Document['value'][]> {
  const found = await documentsOf(options.location ?? [], stdin);
  return found.map(({ at, value }) => {
    const kind = otherThanLocation(value);
    if (kind === undefined) return value;
    throw new RefusedInput(`${at}: this is ${kind}, and --location reads Locations. Give the Location of the charge, or its zone by --time-zone.`);
  });
}
