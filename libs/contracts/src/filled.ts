/**
 * A contract's check that names the first field left empty: proto3 parses empty bytes as a valid
 * message, so presence has to be asked for. Empty = '', no bytes, no items, 0 or absent.
 */
export function filled<Field extends string>(...fields: readonly Field[]) {
  return (message: { readonly [F in Field]?: unknown }): string | undefined => {
    const empty = fields.find((field) => isEmpty(message[field]));
    return empty === undefined ? undefined : `${empty} is empty`;
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return false;
}
