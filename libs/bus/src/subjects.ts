import type { AskContract, Context, TellContract } from './contract.ts';

/** Facts are spread over this many slots by their key; a listener's replicas share the slots. */
export const SLOTS = 64;

/**
 * An id as one token of a subject: `[A-Za-z0-9_-]` as is, every other byte of its UTF-8 as `%XX`.
 * Every id enters a subject through here: a station named `*` would hear everyone's commands.
 * Throws on an empty id.
 */
export function token(id: string): string {
  if (id === '') throw new TypeError('an empty id cannot be part of a subject');
  if (/^[A-Za-z0-9_-]+$/.test(id)) return id;
  let text = '';
  for (const byte of Buffer.from(id)) {
    const plain = String.fromCharCode(byte);
    text += /[A-Za-z0-9_-]/.test(plain)
      ? plain
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** FNV-1a (32 bits) of the key's UTF-8, mod 64. */
export function slotOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % SLOTS;
}

export function askSubject(
  platform: string,
  contract: Pick<AskContract, 'context' | 'verb'>,
): string {
  return `roamwatt.${token(platform)}.${contract.context}.ask.${contract.verb}.v1`;
}

/** Where the one holder of `id` hears asks of a contract with `to`. */
export function holderSubject(
  platform: string,
  contract: Pick<AskContract, 'context' | 'verb'>,
  id: string,
): string {
  return `${askSubject(platform, contract)}.${token(id)}`;
}

/** The last part of a told fact's subject, the same for all slots. */
export function kindOf(contract: Pick<TellContract, 'thing' | 'happened'>): string {
  return `${contract.thing}.${contract.happened}.v1`;
}

export function tellSubject(
  platform: string,
  context: Context,
  slot: number,
  kind: string,
): string {
  return `roamwatt.${token(platform)}.${context}.${slot}.${kind}`;
}

/** One kind of fact in whatever slot. No ask has `thing.happened.v1` after its fourth token. */
export function toldSubject(
  platform: string,
  contract: Pick<TellContract, 'context' | 'thing' | 'happened'>,
): string {
  return `roamwatt.${token(platform)}.${contract.context}.*.${kindOf(contract)}`;
}

/**
 * All that a context tells, slot by slot: a wildcard in the slot's place would also take the asks
 * to a holder named `v1`.
 */
export function tellSubjects(platform: string, context: Context): string[] {
  return Array.from(
    { length: SLOTS },
    (_, slot) => `roamwatt.${token(platform)}.${context}.${slot}.>`,
  );
}

export function streamName(platform: string, context: Context): string {
  return `ROAMWATT_${token(platform)}_${context}`;
}

/** thing.happened.v1 of a told subject, or undefined when it is none. */
export function kindOfSubject(subject: string): string | undefined {
  const parts = subject.split('.');
  return parts.length === 7 ? parts.slice(4).join('.') : undefined;
}
