import { hash } from 'node:crypto';
import { networkOf } from './networks.ts';
import { type Rate, RateLimit } from './rate-limit.ts';
import { Recent } from './recent.ts';

/** Who was let in lately: strangers at the same address do not shut these out. */
const ADMITTED_MOST = 10_000;

/** Somebody shows a secret at a door of ours. */
export interface Guess {
  readonly address: string;
  /** For whom it would be: a station's id. */
  readonly as?: string;
  readonly secret: string | Buffer;
}

/**
 * Wrong secrets counted by the network that they come from, and there by whose they would be; in this process alone.
 * One counts as wrong from when it comes until it is known to be right: many at once are no way around. What comes from
 * elsewhere counts for nobody else, and what was right lately is not counted at all.
 */
export class GuessLimit {
  private readonly networks: RateLimit;
  private readonly each: RateLimit;
  private readonly admitted = new Recent(ADMITTED_MOST);

  constructor(rates: { readonly network: Rate; readonly each: Rate }, nowMs?: () => number) {
    this.networks = new RateLimit(rates.network, undefined, nowMs);
    this.each = new RateLimit(rates.each, undefined, nowMs);
  }

  /** Looks at a secret: what `find` finds, or undefined, or the seconds to wait before it may be looked at. */
  async look<T>(guess: Guess, find: () => Promise<T | undefined>): Promise<{ readonly found: T | undefined; readonly waitS: number }> {
    const waitS = this.begin(guess);
    if (waitS > 0) return { found: undefined, waitS };
    let found: T | undefined;
    try {
      found = await find();
    } catch (error) {
      this.unknown(guess);
      throw error;
    }
    if (found === undefined) this.wrong(guess);
    else this.right(guess);
    return { found, waitS: 0 };
  }

  private begin(guess: Guess): number {
    if (this.admitted.has(keyOf(guess))) return 0;
    const { network, one } = namesOf(guess);
    const waitS = Math.max(this.networks.waitS(network), this.each.waitS(one));
    if (waitS > 0) return waitS;
    this.take(guess);
    return 0;
  }

  private right(guess: Guess): void {
    this.unknown(guess);
    this.admitted.add(keyOf(guess));
  }

  /** It could not be looked at: that is nobody's guess. */
  private unknown(guess: Guess): void {
    if (this.admitted.has(keyOf(guess))) return;
    const { network, one } = namesOf(guess);
    this.networks.giveBack(network);
    this.each.giveBack(one);
  }

  private wrong(guess: Guess): void {
    const key = keyOf(guess);
    // It was right until now: it counts from here on.
    if (this.admitted.has(key)) this.take(guess);
    this.admitted.delete(key);
  }

  private take(guess: Guess): void {
    const { network, one } = namesOf(guess);
    this.networks.take(network);
    this.each.take(one);
  }
}

function namesOf({ address, as = '' }: Guess): { network: string; one: string } {
  const network = networkOf(address);
  return { network, one: `${network} ${as}` };
}

/** No secret is kept as it came. */
function keyOf({ as = '', secret }: Guess): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${as}\0`), Buffer.from(secret)]), 'base64url');
}
