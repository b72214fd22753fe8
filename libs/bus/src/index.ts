export { ask, type AskContract, type Context, tell, type TellContract } from './contract.ts';
export { type BusCode, LARGEST_ITEM_BYTES, Refused, TooLarge, Unanswered } from './failures.ts';
export { slotOf, SLOTS, token } from './subjects.ts';
