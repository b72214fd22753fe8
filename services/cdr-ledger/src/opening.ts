import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { listTokens } from '#contracts/tokens-auth';
import type { Marks } from '#erasure';
import type { Token } from '#ocpi';
import type { Database } from '#postgres';
import type { Log } from '#telemetry';
import type { Accounts } from './accounts.ts';
import { unnotedTokens } from './holders.ts';

const RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;
const PAGE = 500;

export interface OpeningParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly accounts: Accounts;
  readonly marks: Marks;
  readonly log: Log;
  /** What may be owed, as the settings say now. */
  readonly limits: Readonly<Record<string, string>>;
}

/**
 * Gives accounts the limits that the settings say now, and opens accounts for tokens of ours that were issued before accounts were kept: what was told of them has gone
 * by. Goes on until tokens-auth has answered; gives back what stops it.
 */
export function openForKnownTokens(parts: OpeningParts): () => Promise<void> {
  const stopping = new AbortController();
  const opening = untilDone(parts, stopping.signal);
  return async () => {
    stopping.abort();
    await opening;
  };
}

async function untilDone(parts: OpeningParts, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await parts.accounts.followLimits(parts.limits, signal);
      return await openAll(parts, signal);
    } catch (error) {
      if (failures === 5) parts.log.warn('accounts of tokens that were issued before are not all open yet', { error });
      await sleep(Math.min(RETRY_MS * 2 ** failures, LONGEST_RETRY_MS), undefined, { signal }).catch(() => {});
    }
  }
}

async function openAll({ db, bus, accounts, marks }: OpeningParts, signal: AbortSignal): Promise<void> {
  let offset = 0;
  let position: bigint | undefined;
  for (let more = true; more && !signal.aborted;) {
    const after = position === undefined ? {} : { after: { position, offset } };
    const page = await bus.ask(listTokens, { page: { offset, limit: PAGE, ...after } });
    const tokens = page.objectsJson.map((bytes) => fromJsonBytes<Token>(bytes));
    for (const token of await unnotedTokens(db, tokens)) {
      const { country_code, party_id, uid, contract_id, last_updated } = token;
      if (marks.isErased({ party: { country_code, party_id }, contractId: contract_id }, last_updated)) continue;
      await accounts.open({ country_code, party_id, uid, contract_id });
    }
    offset += tokens.length;
    position = page.position;
    more = page.more && tokens.length > 0;
  }
}
