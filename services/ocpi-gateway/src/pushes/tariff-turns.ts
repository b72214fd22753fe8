import { instantMs, type Tariff } from '#ocpi';

/** By then it is so by every replica's clock, whichever sends. */
export const CLOCKS_APART_MS = 1_000;

/** When a Tariff of ours begins and ends: 2.1.1 has no words for either. */
export function turnsOf({ start_date_time: start, end_date_time: end }: Tariff): number[] {
  return [start, end].flatMap((at) => (at === undefined ? [] : [instantMs(at)! + CLOCKS_APART_MS]));
}

export const TARIFFS_TURN = 'tariffs turn';

export function turnDue(at: number) {
  return { id: `tariffs turn ${at}`, key: TARIFFS_TURN, kind: 'tariffs-turn', at, body: {} };
}
