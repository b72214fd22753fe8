import { setTimeout as sleep } from 'node:timers/promises';

const LOOKS = 6;
const LOOK_AGAIN_MS = 100;

/** The event is appended right after its row: a worker may be there before it. */
export async function whenThere<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let n = 1; n < LOOKS; n++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(LOOK_AGAIN_MS);
  }
  return look();
}
