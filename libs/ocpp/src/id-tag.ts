import { createHash } from 'node:crypto';

/** How a station's reader spells the uid of a card: by its bytes in order, or from the last to the first. */
export type UidOrder = 'in-order' | 'reversed';

/** CiString20. */
const ID_TAG_CHARACTERS = 20;
/** The uid of a card, whole bytes in hexadecimal. */
const CARD_BYTES = /^(?:[0-9a-f]{2}){4,10}$/i;

/**
 * A token's uid, or its group's id, as a station can hold it. OCPP 1.6 has 20 characters for an
 * idTag, OCPI 36 for a uid: a longer one goes under an alias, which is always the same. M-20
 */
export function idTagOf(id: string): string {
  if (id.length <= ID_TAG_CHARACTERS) return id;
  return `RW${createHash('sha256').update(id.toLowerCase()).digest('hex').slice(0, 18).toUpperCase()}`;
}

/**
 * From the platform's spelling to the station's, and back again: it is its own inverse. What is no
 * card's bytes (an alias, the token of an app) is spelt alike everywhere.
 */
export function asSpelt(idTag: string, order: UidOrder): string {
  if (order === 'in-order' || !CARD_BYTES.test(idTag)) return idTag;
  return idTag.match(/../g)!.toReversed().join('');
}
