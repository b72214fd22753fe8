import type { Answering } from './answering.ts';
import type { Bus } from './bus.ts';
import type { Context } from './contract.ts';
import { Refused } from './failures.ts';
import { slotOf } from './subjects.ts';
import type { TellSource, ToldRow } from './tell-source.ts';
import {
  readTellAgain,
  readToldAgain,
  type ToldAgain,
  writeTellAgain,
  writeToldAgain,
} from './wire.ts';

const VERB = 'tell-again';
const MOST_BYTES = 512_000;
const PAGE_ROWS = 500;
/** Entries of the log that one page is looked for in, at most. */
const MOST_READ = 5_000;
const TIMEOUT_MS = 10_000;
/** Beside its bytes a fact has a position, ids, key, kind, trace and time. */
const FACT_OVERHEAD_BYTES = 300;

/** Answers listeners of the context that are new or behind the stream's first message. */
export function startTellingAgain(bus: Bus, source: TellSource): Promise<Answering> {
  return bus.answerBytes({ context: source.context, verb: VERB }, async (request) => {
    const { after, slots } = readTellAgain(request);
    return writeToldAgain(await pageAfter(source, after, new Set(slots)));
  });
}

/** What the context told after a position, in these slots: one page. Rejects as `bus.ask` does. */
export async function askToTellAgain(
  bus: Bus,
  context: Context,
  after: bigint,
  slots: readonly number[],
): Promise<ToldAgain> {
  const answer = await bus.askBytes(
    { context, verb: VERB },
    writeTellAgain(after, slots),
    TIMEOUT_MS,
  );
  try {
    return readToldAgain(answer);
  } catch (error) {
    throw new Refused('internal', `what ${context} told again cannot be read: ${String(error)}`);
  }
}

async function pageAfter(
  source: TellSource,
  after: bigint,
  slots: ReadonlySet<number>,
): Promise<ToldAgain> {
  const facts: ToldRow[] = [];
  let position = after;
  let bytes = 0;
  for (let read = 0; read < MOST_READ; read += PAGE_ROWS) {
    const page = await source.readAfter(position, PAGE_ROWS);
    for (const row of page.rows) {
      if (slots.size > 0 && !slots.has(slotOf(row.key))) continue;
      const size = row.bytes.length + row.id.length + row.key.length + FACT_OVERHEAD_BYTES;
      if (facts.length > 0 && bytes + size > MOST_BYTES) return wire(facts, position, false);
      facts.push(row);
      bytes += size;
      position = row.position;
    }
    position = page.position;
    if (page.end) return wire(facts, position, true);
  }
  return wire(facts, position, false);
}

function wire(rows: readonly ToldRow[], position: bigint, end: boolean): ToldAgain {
  return { facts: rows.map((row) => ({ ...row, trace: row.trace ?? '' })), position, end };
}
