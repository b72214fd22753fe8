import { randomUUID } from 'node:crypto';
import type { Hold } from '#due';
import { type Database, type Queryable, textArray, type Tx } from '#postgres';
import { instant } from '#time';
import { hadVersion, type Pushed, type PushedKey } from './pushed-rows.ts';
import type { LocationTexts } from './text-rows.ts';

/** A lane that is this sender's until somebody takes it over. */
export interface Taken {
  readonly lane: string;
  readonly partnerId: string;
  /** Who takes it over has another. */
  readonly batch: string;
  /** On the lane. */
  readonly hold: Hold;
  /** Of the line, in a row. */
  readonly failures: number;
  readonly cdrUrl: string | undefined;
  /** Where the lane's position may move when all of the batch is acknowledged. */
  readonly upto: bigint | undefined;
  /** It says only what is seen alike: see `AlikeLanes`. */
  readonly isAlike?: boolean;
}

/** What is shared and not `queued` is taken because it changed behind the lane's position. */
export interface Waiting extends Pushed {
  readonly key: PushedKey;
  /** `current` is what others are told, too. */
  readonly shared: boolean;
  /** Of what is shared. */
  readonly version: bigint | undefined;
  /** For what has to go before it. */
  readonly waits: number;
  readonly attempts: number;
  /** Since when, epoch ms. */
  readonly queuedMs: number;
}

interface WaitingRow extends Pick<Waiting, 'unclear' | 'queued' | 'shared' | 'refusals' | 'attempts' | 'waits'> {
  readonly was_sending: string[] | null;
  readonly upto: bigint | null;
  readonly failures: number;
  readonly cdr_url: string | null;
  readonly module: PushedKey['module'];
  readonly object_key: string;
  readonly queued_at: string | null;
  readonly current: string | null;
  readonly version: bigint | null;
  readonly acknowledged: string | null;
  readonly acknowledged_version: bigint | null;
}

/** A batch of a lane: what is due, in its order, and named as being sent but for CDRs. */
export interface Batch {
  readonly taken: Taken;
  readonly waiting: readonly Waiting[];
}

/**
 * Takes a lane and what is due of it, of a line that is down one object; what its last sender was sending when it
 * vanished may have been done. Undefined: nothing is due.
 */
export async function takeBatch(
  db: Database, known: LocationTexts, { lane, partnerId, hold }: Pick<Taken, 'lane' | 'partnerId' | 'hold'>, { now, most }: { now: number; most: number },
): Promise<Batch | undefined> {
  const batch = randomUUID();
  const take = () =>
    db.query<WaitingRow>({ name: 'lane-take', text: 'SELECT * FROM push_take($1, $2, $3, $4, $5)' }, [
      lane,
      partnerId,
      batch,
      Math.floor(now),
      most,
    ]);
  let { rows } = await take();
  // More than once where another takes the lane meanwhile.
  while (rows[0]?.was_sending) {
    await markUnclear(db, lane, rows[0].was_sending);
    await db.query('UPDATE push_lanes SET sending = NULL WHERE lane = $1 AND batch = $2', [lane, batch]);
    ({ rows } = await take());
  }
  const [first] = rows;
  if (!first) return undefined;
  const texts = await known.of(rows.flatMap(({ version, acknowledged_version: had }) => [version, had].filter((one) => one !== null)));
  const taken: Taken = {
    lane,
    partnerId,
    batch,
    hold,
    failures: first.failures,
    cdrUrl: first.cdr_url ?? undefined,
    upto: first.upto ?? undefined,
  };
  return { taken, waiting: rows.map((row) => waitingOf(row, partnerId, texts)) };
}

async function markUnclear(db: Database, lane: string, sending: readonly string[]): Promise<void> {
  const { rows } = await db.query<PushedKey>(
    `SELECT partner_id AS "partnerId", module, object_key AS "objectKey" FROM pushed
      WHERE partner_id = (SELECT l.partner_id FROM push_lanes l WHERE l.lane = $1) AND (queued OR shared) AND (module, object_key) IN (
        SELECT split_part(name, ' ', 1), substr(name, position(' ' IN name) + 1) FROM unnest($2::text[]) AS name)`, [lane, sending],
  );
  for (const key of rows) await db.query(`UPDATE pushed SET unclear = true WHERE ${WHERE}`, keyOf(key));
}

function waitingOf(row: WaitingRow, partnerId: string, texts: ReadonlyMap<bigint, string>): Waiting {
  const {
    module,
    object_key: objectKey,
    queued_at: at,
    current,
    version,
    acknowledged,
    acknowledged_version: had,
    unclear,
    queued,
    shared,
    refusals,
    attempts,
    waits,
  } = row;
  const now = version === null ? current ?? undefined : texts.get(version);
  if (version !== null && now === undefined) throw new Error(`the text of version ${version} of ${objectKey} is gone`);
  const before = acknowledged ?? (had === null ? undefined : texts.get(had));
  return {
    queued,
    shared,
    refusals,
    attempts,
    waits,
    key: { partnerId, module, objectKey },
    queuedMs: at === null ? 0 : instant(at),
    version: version ?? undefined,
    current: now,
    acknowledged: before,
    // What it was told is not known any more.
    unclear: unclear || (had !== null && before === undefined),
  };
}

/**
 * Written before a request goes out: if we never see its end, nobody knows. Those that are still to be sent as
 * they are: nobody sees what was withdrawn meanwhile. None, where the lane is somebody else's now.
 */
export async function noteSending<T extends Waiting>(db: Database, taken: Taken, objects: readonly T[]): Promise<readonly T[]> {
  if (!await nameSending(db, taken, objects)) return [];
  const { rows } = await db.query<{ place: bigint }>(
    {
      name: 'lane-still',
      text: `SELECT place FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) WITH ORDINALITY AS given (module, key, current, shared, place)
        JOIN pushed p ON p.partner_id = $1 AND p.module = given.module AND p.object_key = given.key
      WHERE p.queued AND p.shared = given.shared AND (p.shared OR p.current IS NOT DISTINCT FROM given.current)`,
    },
    [
      taken.partnerId,
      objects.map(({ key }) => key.module),
      objects.map(({ key }) => key.objectKey),
      objects.map(({ shared, current }) => (shared ? null : (current ?? null))),
      objects.map(({ shared }) => shared),
    ],
  );
  const places = new Set(rows.map(({ place }) => Number(place)));
  const still = objects.filter((_, n) => places.has(n + 1));
  if (still.length < objects.length && !await nameSending(db, taken, still)) return [];
  return still;
}

/** False where the lane is somebody else's now. */
export async function nameSending(db: Queryable, { lane, batch }: Taken, objects: readonly Waiting[]): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'lane-sending', text: 'UPDATE push_lanes SET sending = $3 WHERE lane = $1 AND batch = $2' }, [
    lane, batch, namesOf(objects.map(({ key }) => key)),
  ]);
  return rowCount === 1;
}

export function namesOf(keys: readonly PushedKey[]): string[] | null {
  return keys.length === 0 ? null : keys.map(({ module, objectKey }) => `${module} ${objectKey}`);
}

/** How it stands with the line: undefined leaves it as it is. */
export interface LineNews {
  readonly failures: number;
  readonly now: number;
  readonly nextTry: number | undefined;
}

/** A batch has ended. False, and nothing may be written of it: the lane is somebody else's now. */
export async function endBatch(tx: Tx, { lane, batch }: Taken, line: LineNews | undefined, cdrUrl?: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'lane-end',
    text: `UPDATE push_lanes SET sending = NULL, cdr_url = coalesce($6, cdr_url), failures = coalesce($3, failures),
        down_since = CASE WHEN $3::int IS NULL THEN down_since WHEN $3::int > 0 THEN coalesce(down_since, $4) END,
        next_try = CASE WHEN $3::int IS NULL THEN next_try ELSE $5::bigint END
      WHERE lane = $1 AND batch = $2`,
  }, [lane, batch, ...lineOf(line), cdrUrl ?? null]);
  return rowCount === 1;
}

/** Those of a batch that are there and that nobody else changes just now, for this transaction alone. */
export async function holdFree<T extends { readonly held: Waiting }>(tx: Tx, partnerId: string, batch: readonly T[]): Promise<T[]> {
  if (batch.length === 0) return [];
  const { rows } = await tx.query<{ place: bigint }>({
    name: 'push-hold',
    text: `SELECT place FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (module, key, place)
        JOIN pushed p ON p.partner_id = $1 AND p.module = given.module AND p.object_key = given.key FOR UPDATE OF p SKIP LOCKED`,
  }, [partnerId, batch.map(({ held }) => held.key.module), batch.map(({ held }) => held.key.objectKey)]);
  return rows.map(({ place }) => batch[Number(place) - 1]!);
}

/** Those that are there. */
export async function thereOf<T extends { readonly held: Waiting }>(tx: Tx, partnerId: string, batch: readonly T[]): Promise<T[]> {
  const { rows } = await tx.query<{ place: bigint }>(
    `SELECT place FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (module, key, place)
      JOIN pushed p ON p.partner_id = $1 AND p.module = given.module AND p.object_key = given.key`,
    [partnerId, batch.map(({ held }) => held.key.module), batch.map(({ held }) => held.key.objectKey)],
  );
  return rows.map(({ place }) => batch[Number(place) - 1]!);
}

/**
 * Notes what a partner acknowledged, and that the batch has ended: see `settleBatch`. Answers those that somebody queues
 * just now: they are still to be noted. Undefined, and nothing is noted: the lane is somebody else's now.
 */
export async function settleAcknowledged<T extends { readonly held: Waiting }>(
  db: Queryable, { lane, batch, partnerId, upto }: Taken, line: LineNews | undefined, sent: readonly T[], now: number,
): Promise<T[] | undefined> {
  const {
    rows: [row],
  } = await db.query<{ rest: number[] | null }>(
    { name: 'lane-settle', text: 'SELECT push_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS rest' },
    [
      lane,
      batch,
      partnerId,
      upto === undefined ? null : String(upto),
      ...lineOf(line),
      textArray(sent.map(({ held: { key } }) => key.module)),
      textArray(sent.map(({ held: { key } }) => key.objectKey)),
      textArray(sent.map(({ held: { version, current } }) => (version === undefined ? current : undefined))),
      sent.map(({ held: { version } }) => (version === undefined ? null : String(version))),
      Math.floor(now),
    ],
  );
  return row?.rest?.map((place) => sent[place - 1]!);
}

function lineOf(line: LineNews | undefined): (number | null)[] {
  return [line?.failures ?? null, line ? Math.round(line.now) : null, line?.nextTry === undefined ? null : Math.round(line.nextTry)];
}

const WHERE = 'partner_id = $1 AND module = $2 AND object_key = $3';
const keyOf = ({ partnerId, module, objectKey }: PushedKey) => [partnerId, module, objectKey];

/** It came to nothing. Where the partner said no, what it acknowledged before still stands. */
export async function noteFailed(tx: Tx, key: PushedKey, unclear: boolean): Promise<void> {
  await tx.query(`UPDATE pushed SET unclear = $4, attempts = attempts + 1, waits = 0 WHERE ${WHERE}`, [...keyOf(key), unclear]);
}

/** A partner that answers fails over this one object: it goes behind the others, once more at `at`. */
export async function refusedUntil(tx: Tx, key: PushedKey, at: number): Promise<void> {
  await tx.query(
    `UPDATE pushed p SET refusals = refusals + 1, ${QUEUED_ITSELF}, due_at = $4, turn = nextval('push_order') WHERE ${WHERE}`,
    [...keyOf(key), Math.ceil(at)],
  );
}

const QUEUED_ITSELF = `acknowledged_version = ${hadVersion('p')}, queued = true,
  queued_at = CASE WHEN queued THEN queued_at ELSE to_timestamp($4 / 1000.0) END`;

/** What changed behind the lane's position and is not sent as it was taken: each is queued by itself. */
export async function queueThemselves(db: Database, taken: Taken, waiting: readonly Waiting[], now: number): Promise<void> {
  await db.tx(async (tx) => {
    if (!await nameSending(tx, taken, [])) return;
    const free = await holdFree(tx, taken.partnerId, waiting.filter(({ queued }) => !queued).map((held) => ({ held })));
    for (const { held: { key } } of free) {
      await tx.query(
        `UPDATE pushed p SET ${QUEUED_ITSELF}, due_at = $4, turn = nextval('push_order') WHERE ${WHERE} AND shared AND NOT queued`,
        [...keyOf(key), Math.floor(now)],
      );
    }
  });
}

/** What has to go before these is not there yet: once more then, and that is no refusal. `msOf`: platform time from now on. */
export async function waitFor(db: Queryable, waiting: readonly Waiting[], now: number, msOf: (one: Waiting) => number): Promise<void> {
  if (waiting.length === 0) return;
  await db.query(
    {
      name: 'push-wait',
      text: `WITH free AS (SELECT p.module, p.object_key, given.at FROM unnest($2::text[], $3::text[], $4::bigint[]) AS given (module, key, at)
        JOIN pushed p ON p.partner_id = $1 AND p.module = given.module AND p.object_key = given.key FOR UPDATE OF p SKIP LOCKED)
      UPDATE pushed p SET waits = waits + 1, due_at = free.at, turn = nextval('push_order')
      FROM free WHERE p.partner_id = $1 AND p.module = free.module AND p.object_key = free.object_key`,
    },
    [
      waiting[0]!.key.partnerId,
      waiting.map(({ key }) => key.module),
      waiting.map(({ key }) => key.objectKey),
      waiting.map((one) => Math.ceil(now + msOf(one))),
    ],
  );
}

/** It has to wait for something, and all behind it with it. */
export async function noteWait(db: Queryable, key: PushedKey): Promise<void> {
  await db.query(`UPDATE pushed SET waits = waits + 1 WHERE ${WHERE}`, keyOf(key));
}

/**
 * Not to be sent any more: the partner is gone, or no longer takes such objects. What is queued just now rouses the lane once more.
 * Locations are no news to it any more.
 */
export async function noteUnwanted(
  db: Queryable,
  { lane, partnerId }: Pick<Taken, 'lane' | 'partnerId'>,
  modules?: readonly string[],
): Promise<void> {
  await db.query(
    `WITH free AS (SELECT partner_id, module, object_key FROM pushed
        WHERE (($1 = $2 AND partner_id = $2 AND module = 'locations' AND shared) OR (lane = $1 AND queued))
          AND ($3::text[] IS NULL OR module = ANY ($3)) FOR UPDATE SKIP LOCKED)
      UPDATE pushed p SET queued = false, shared = false, unclear = unclear OR shared FROM free
      WHERE p.partner_id = free.partner_id AND p.module = free.module AND p.object_key = free.object_key`,
    [lane, partnerId, modules ?? null],
  );
}
