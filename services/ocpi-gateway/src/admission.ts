import { hash } from 'node:crypto';
import { networkOf, RateLimit, Recent } from '#admission';
import type { Route } from '#ocpi';
import type { OcpiSettings } from './config.ts';

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
    this.partners = new RateLimit(rate_limit);
    this.strangers = new RateLimit(unknown_rate_limit);
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
  known(
    route: Route,
    { partnerId, address, authorization }: { partnerId: string; address: string; authorization: string | undefined },
  ): number {
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

/** A driver waits for these, or money does: authorize, commands, their results, CDRs. They are never held up. */
export function isUrgent({ module, role, method, path, urlFrom }: Route): boolean {
  if (module === 'commands' || module === 'chargingprofiles' || urlFrom === 'response_url') return true;
  if (module === 'tokens' && role === 'SENDER' && method === 'POST') return path.endsWith('/authorize');
  return module === 'cdrs' && method === 'POST';
}
