const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true });

/** OCPI objects cross the bus as the UTF-8 bytes of their JSON. */
export function toJsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8.encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** The JSON as it was validated at the edge; throws on bytes that are no UTF-8. */
export function jsonText(bytes: Uint8Array): string {
  return text.decode(bytes);
}

/** The object that was validated at the edge; throws on bytes that are not JSON. */
export function fromJsonBytes<T>(bytes: Uint8Array): T {
  return JSON.parse(jsonText(bytes)) as T;
}
