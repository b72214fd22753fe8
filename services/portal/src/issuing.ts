import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, passes, Refused, Unanswered } from '#bus';
import { toJsonBytes } from '#contracts';
import { issueToken } from '#contracts/tokens-auth';
import { BadSettings } from '#settings';
import type { Log } from '#telemetry';
import type { DriverSettings, PlaceSettings } from './config.ts';

const WAIT_MS = 15_000;
const RETRY_MS = 250;

/**
 * Has the drivers' tokens issued. Waits for tokens-auth, which may start at the same time, for up to
 * 15 s; after that the portal serves, and goes on trying. Throws BadSettings for a token that is refused.
 * Gives back what stops it.
 */
export async function keepIssuing(
  bus: Bus,
  drivers: readonly DriverSettings[],
  log: Log,
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const issuing = issueAll(bus, drivers, stopping.signal);
  issuing.catch((error: unknown) => log.error('tokens are not issued', { error }));
  const patience = new AbortController();
  const late = sleep(WAIT_MS, 'late' as const, { signal: patience.signal }).catch(() => 'late' as const);
  const first = await Promise.race([issuing, late]).finally(() => patience.abort());
  if (first === 'late') log.error('tokens-auth does not answer yet: new tokens are not issued', { waitedMs: WAIT_MS });
  return async () => {
    stopping.abort();
    await issuing.catch(() => {});
  };
}

async function issueAll(bus: Bus, drivers: readonly DriverSettings[], signal: AbortSignal): Promise<void> {
  let left = drivers.flatMap(({ contract_id, tokens }) => tokens.map((token) => ({ ...token, contract_id })));
  for (let failures = 0; left.length > 0 && !signal.aborted; failures += 1) {
    const answers = await bus.askMany(issueToken, left.map(({ allowed_at: places = [], ...token }) => ({
      tokenJson: toJsonBytes(token), allowedAt: places.map(placeOf),
    })));
    left = left.filter((token, index) => {
      const answer = answers[index];
      if (answer instanceof Refused && answer.code !== 'internal' && !passes(answer)) {
        throw new BadSettings(`drivers: the token ${token.uid} is not issued: ${answer.message}`);
      }
      return answer instanceof Unanswered || answer instanceof Refused;
    });
    if (left.length > 0) {
      await sleep(Math.min(RETRY_MS * 2 ** failures, 10_000), undefined, { signal }).catch(() => {});
    }
  }
}

function placeOf({ country_code: countryCode, party_id: partyId, location_id: locationId, evse_uids: evseUids }: PlaceSettings) {
  return { party: { countryCode, partyId }, locationId, evseUids };
}
