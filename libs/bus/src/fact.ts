import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { TellContract } from './contract.ts';
import { LARGEST_ITEM_BYTES, TooLarge } from './failures.ts';
import { kindOf } from './subjects.ts';

/** What is to be told, ready for the wire. */
export interface Fact {
  readonly contract: TellContract;
  readonly key: string;
  readonly bytes: Uint8Array;
}

/**
 * A fact by its contract. Throws a `TypeError` when the key is empty or the contract's `check`
 * complains: what we tell is ours to get right; and `TooLarge`.
 */
export function told<F extends DescMessage>(
  contract: TellContract<F>,
  fact: MessageInitShape<F>,
): Fact {
  const name = `${contract.context} ${kindOf(contract)}`;
  const message = create(contract.fact, fact);
  const wrong = contract.check(message);
  if (wrong !== undefined) throw new TypeError(`${name} cannot be told: ${wrong}`);
  const key = contract.key(message);
  if (key === '') throw new TypeError(`${name} cannot be told: its key is empty`);
  const bytes = toBinary(contract.fact, message);
  if (bytes.length > LARGEST_ITEM_BYTES) throw new TooLarge(name, bytes.length);
  return { contract: contract as unknown as TellContract, key, bytes };
}
