import { hash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Route } from '#ocpi';
import type { OcpiSettings } from './config.ts';
import { isUrgent, RateLimit, Recent } from './rate-limit.ts';

/** Tokens of partners that were let in lately: strangers at the same address do not shut these out. */
const ADMITTED_MOST = 10_000;

/**
 * Who may ask now. Each partner has a rate of its own; whoever brings no token that we know is counted by
 * address, and soon no longer looked up. Nothing that is urgent is held up.
 */
export class Admission {
  private readonly partners: RateLimit;
  private readonly strangers: RateLimit;
  private readonly admitted = new Recent(ADMITTED_MOST);

  constructor({ rate_limit, unknown_rate_limit }: Pick<OcpiSettings, 'rate_limit' | 'unknown_rate_limit'>) {
    this.partners = new RateLimit({ perSecond: rate_limit.per_second, burst: rate_limit.burst });
    this.strangers = new RateLimit({ perSecond: unknown_rate_limit.per_second, burst: unknown_rate_limit.burst });
  }

  /**
   * Before the token is looked up: the seconds to wait, or 0. It counts as a stranger's until it is known: of
   * those that come at the same time no more are looked up either.
   */
  beforeLookUp(route: Route, address: string, authorization: string | undefined): number {
    return this.countsBefore(route, authorization) ? this.strangers.take(networkOf(address)) : 0;
  }

  /** The token is none that we know, or none any more. */
  refused(route: Route, address: string, authorization: string | undefined): void {
    if (!this.countsBefore(route, authorization)) this.strangers.take(networkOf(address));
    this.admitted.delete(keyOf(authorization));
  }

  /** The token is a partner's: the seconds that this partner has to wait, or 0. */
  known(route: Route, { partnerId, address, authorization }: { partnerId: string; address: string; authorization: string | undefined }): number {
    if (this.countsBefore(route, authorization)) this.strangers.giveBack(networkOf(address));
    this.admitted.add(keyOf(authorization));
    return isUrgent(route) ? 0 : this.partners.take(partnerId);
  }

  private countsBefore(route: Route, authorization: string | undefined): boolean {
    return !isUrgent(route) && !this.admitted.has(keyOf(authorization));
  }
}

/** No token is kept as it came. */
function keyOf(authorization: string | undefined): string {
  return hash('sha256', authorization ?? '', 'base64url');
}

/** Whose network an address is in: of IPv6 its first 64 bits, which one subscriber has to himself. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || isIPv4(address) || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':');
}
