import { hash } from 'node:crypto';

/**
 * The id of the index-th event (from 0) that a command caused in a stream: a UUID (version 8) out of
 * the SHA-256 of the three. A command that is tried again gets the same ids.
 */
export function eventId(commandId: string, stream: string, index: number): string {
  // As JSON, so that no two triples read alike.
  const digest = hash('sha256', JSON.stringify([commandId, stream, index]), 'hex');
  const variant = '89ab'[Number.parseInt(digest[16] as string, 16) % 4] as string;
  return [
    digest.slice(0, 8), digest.slice(8, 12),
    `8${digest.slice(13, 16)}`, variant + digest.slice(17, 20),
    digest.slice(20, 32),
  ].join('-');
}
