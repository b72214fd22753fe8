/** What one answer carries of a list; the rest of a message is left for others that share it. */
export const LIST_BYTES = 512_000;

/**
 * The first of a list, as many as one answer carries and at least one: whoever asked goes on behind
 * them. (What is too large by itself is then refused by name, rather than never seen.)
 */
export function withinOneAnswer<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => Uint8Array,
): Item[] {
  let bytes = 0;
  return items.filter((item, index) => {
    bytes += bytesOf(item).length;
    return index === 0 || bytes <= LIST_BYTES;
  });
}
