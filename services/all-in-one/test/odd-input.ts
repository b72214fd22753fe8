import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { activeSession, beginByCard, endByCard, settledAt, stall } from './charge.ts';
import { oddRequests, sendOdd } from './odd-requests.ts';
import type { RawPartner } from './raw-partner.ts';
import { crewCard, eventually, invitation, type Stage } from './stage.ts';

interface Place {
  readonly stage: Stage;
  /** An eMSP that OASIS knows, and a CPO that Carbon Plunk knows. */
  readonly oasis: RawPartner;
  readonly plunk: RawPartner;
}

/** The tests of what partners must not send; they want a stage on which nothing else goes on. */
export function oddInputIsRefused(place: () => Place): void {
  let tokenA: string;
  beforeAll(async () => {
    tokenA = (await invitation(place().stage.oasis, 'Somebody invited')).token_a;
    // Of a busy machine three seconds of rest say something.
    let rests = 0;
    let before: unknown;
    await eventually('nothing is under way any more', async () => {
      const now = await rowsHeld(place().stage);
      rests = isDeepStrictEqual(now, before) ? rests + 1 : 0;
      before = now;
      await sleep(300);
      return rests === 10;
    });
  });

  test.each(oddRequests)('$what is refused, and nothing of it is kept', async (request) => {
    const before = await rowsHeld(place().stage);
    const { message, ...answer } = await sendOdd(request, place()[request.at], tokenA);
    const { says = /./, ...expected } = request.answer;
    expect({ message, ...answer }).toEqual({ message: expect.stringMatching(says), ...expected });
    expect(await rowsHeld(place().stage)).toEqual(before);
  });

  test("a partner cannot stop the charge of another partner's driver", async () => {
    const { stage, oasis: raw } = place();
    const { station, evseUid } = stall(7);
    const tap = { station, card: crewCard(7) };
    await beginByCard(stage, tap);
    const { id } = await activeSession(stage.oasis, evseUid);
    const stop = await raw.send('post', raw.at('commands', 'RECEIVER', 'STOP_SESSION'), {
      response_url: raw.responseUrl('not-yours'), session_id: id,
    });
    expect(stop).toMatchObject({ data: { result: expect.stringMatching(/REJECTED|UNKNOWN_SESSION/) } });
    const stopped = await endByCard(stage, tap);
    expect(stopped['reason']).toBe('Local');
    await settledAt(stage, evseUid);
  });
}

/**
 * That somebody wrote oddly is counted, what was PATCHed and is not there is asked for, its absence noted, and lists are read now and
 * then: nothing that was sent is kept by it. Lanes of what is due end by themselves, and so do texts of our Locations that were replaced.
 */
const notKept: Readonly<Record<string, string>> = {
  'ocpi_gateway.due': `kind NOT IN ('fetch', 'pull')`, 'ocpi_gateway.to_fetch': 'false',
  'ocpi_gateway.pull_differences': 'false', 'ocpi_gateway.partner_quirks_seen': 'false',
  'ocpi_gateway.location_texts': 'false', 'ocpi_gateway.old_versions': 'false',
};

/** How many rows each table holds in which a partner's objects or commands end up, on both sides. */
async function rowsHeld(stage: Stage): Promise<Record<string, string>[]> {
  const schemas = ['locations', 'tariff_engine', 'tokens_auth', 'sessions', 'cdr_ledger', 'ocpi_gateway'];
  return Promise.all([stage.oasis, stage.plunk].map(async (side) => {
    const tables = await side.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY 1`,
      [schemas],
    );
    const [row] = await side.query<Record<string, string>>(
      `SELECT ${tables.map(({ name }) => `(SELECT count(*) FROM ${name} WHERE ${name.endsWith('.due_lane') ? 'false' : (notKept[name] ?? 'true')}) AS "${name}"`).join(', ')}`,
    );
    return row!;
  }));
}
