import { Rejected } from '#decider';
import type { Executor } from '#event-store';
import { read, Tariff } from '#ocpi';
import { InvalidTariff, meterFold } from '#pricing';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant, rfc3339 } from '#time';
import { contentDigest } from './content.ts';
import { streamOf } from './tariff-key.ts';
import type {
  PublishTariff,
  TariffCommand,
  TariffEvent,
  TariffSource,
  TariffState,
} from './tariff.ts';

export type Refusal =
  | 'invalid-object'
  | 'no-tariff-applies'
  | 'unknown-time-zone'
  | 'unknown-tariff'
  | 'tariff-in-use'
  | 'tariff-of-another-party';
export type Change = 'created' | 'updated' | 'unchanged' | 'stale';

export interface Publishing {
  readonly tariffs: Executor<TariffState, TariffCommand, TariffEvent>;
  readonly clock: Clock;
}

export interface Taken {
  readonly version: number;
  readonly change: Change;
  /** The version's JSON. */
  readonly text: string;
}

export interface PublishedBy {
  readonly source: TariffSource;
  readonly commandId?: string;
  readonly after?: number;
  /** The last_updated of what is held, whose owner was asked. */
  readonly replaces?: string | undefined;
}

/** Some 2,000 elements; sessions and CDRs carry copies of it. */
const TARIFF_BYTES_MAX = 200_000;

/** Publishes what is news. `isOvertaken`: another version with a later last_updated came in between. */
export async function put(
  { tariffs, clock }: Publishing,
  body: unknown,
  { source, commandId, after, replaces }: PublishedBy,
): Promise<{ taken: Taken; isOvertaken: boolean }> {
  const { tariff, text } = readTariff(body, source !== 'partner');
  const atMs = clock.now();
  const command: PublishTariff = {
    type: 'PublishTariff', source, text, at: rfc3339(atMs), atMs,
    digest: contentDigest(body as object),
    lastUpdated: tariff.last_updated, lastUpdatedMs: instant(tariff.last_updated),
    ...(commandId === undefined ? {} : { commandId }),
    ...(after === undefined ? {} : { after }),
    ...(replaces === undefined ? {} : { replacesMs: instant(replaces) }),
  };
  const { digest, at, lastUpdated } = command;
  const stream = streamOf({
    party: { countryCode: tariff.country_code, partyId: tariff.party_id }, tariffId: tariff.id,
  });
  const name = ['publish', source, at, lastUpdated, digest, commandId].join(' ');
  const { state, events } = await tariffs.execute(stream, name, command, currentTraceparent());
  const version = (commandId === undefined ? undefined : state.done[commandId]) ?? state.version;
  const isNew = events.some(({ type }) => type === 'TariffPublished');
  const isStale = source === 'partner' && !state.withdrawn && state.digest !== digest && command.lastUpdatedMs < state.lastUpdatedMs;
  const change = !isNew ? (isStale ? 'stale' : 'unchanged') : version === state.sinceVersion ? 'created' : 'updated';
  return {
    taken: { version, change, text },
    isOvertaken: events.length === 0 && state.digest !== digest && command.lastUpdatedMs <= state.lastUpdatedMs,
  };
}

function readTariff(body: unknown, own: boolean): { tariff: Tariff; text: string } {
  const valid = read(Tariff, body);
  if (!valid.ok) throw refuse('invalid-object', valid.message);
  if (own) checkPriceable(valid.value);
  const text = JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > TARIFF_BYTES_MAX) {
    throw refuse('invalid-object', `the Tariff has ${bytes} bytes, ${TARIFF_BYTES_MAX} are kept`);
  }
  return { tariff: valid.value, text };
}

/** OCPI's form lets through what no session can be metered by, such as a 31st of February. */
function checkPriceable(tariff: Tariff): void {
  try {
    meterFold({ tariff, timeZone: 'UTC' });
  } catch (error) {
    if (error instanceof InvalidTariff) throw refuse('invalid-object', error.message);
    throw error;
  }
}

export function refuse(code: Refusal, detail: string): Rejected<Refusal> {
  return new Rejected(code, detail);
}
