import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { serviceNames } from '../../../scripts/platform.ts';
import { activeSession, beginByCard, cdrsOf, endByCard, expectMeasured, metered, sessionsOf, settledAt, stall } from './charge.ts';
import { blakesCard, crewCard, eventually, setStage, type Side, type Stage } from './stage.ts';

// One pair of platforms with every service as a process of its own, and processes that die.

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ hosting: 'split', rate: 120, everyS: 60, versions: ['2.2.1'] });
});
afterAll(() => stage?.stop());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

test('a charge goes from the card to the bill with every service as a process of its own', async () => {
  const { partners } = await stage.oasis.operator.get<{ partners: { version: string }[] }>('/v1/operator/partners');
  expect(partners.map(({ version }) => version)).toEqual(['2.2.1']);
  for (const { platform } of [stage.oasis, stage.plunk]) {
    const pids = [...platform().units.values()].map((unit) => unit.pid());
    expect(new Set(pids).size).toBe(serviceNames.length);
  }
  const tap = { station: 'OASIS-DC-01', connector: 1, card: blakesCard };
  await stage.chargers.do({ do: 'plug-in', station: tap.station, connector: 1, car: 'bolt', soc: 40 });
  await stage.chargers.do({ do: 'tap', station: tap.station, connector: 1, idTag: blakesCard });
  await metered(stage, tap.station, 2);
  const stopped = await endByCard(stage, tap);
  const [settled] = await settledAt(stage, 'DC-01');
  expect(settled!.session.auth_method).toBe('WHITELIST');
  expectMeasured(settled!, stopped);
});

test('a CDR that is issued while the partner is down is delivered when it returns', async () => {
  const { station, evseUid } = stall(10);
  const tap = { station, card: crewCard(10) };
  await beginByCard(stage, tap);
  const { id } = await activeSession(stage.plunk, evseUid);
  await stage.plunk.stop();
  const stopped = await endByCard(stage, tap);
  await eventually('OASIS has issued the CDR', async () => (await cdrsOf(stage.oasis, id)).length === 1);
  await eventually('OASIS has tried to deliver it', async () => {
    const [held] = await stage.oasis.query<{ waits: boolean }>(
      `SELECT queued AS waits FROM ocpi_gateway.pushed WHERE module = 'cdrs' AND object_key LIKE $1 || '%'`, [id],
    );
    const { partners } = await stage.oasis.operator.get<{ partners: { last_error?: string }[] }>('/v1/operator/partners');
    return held?.waits && partners.some(({ last_error }) => last_error);
  });
  expect(await cdrsOf(stage.plunk, id)).toEqual([]);
  // One process starts faster than nine: how it is hosted is not in its data.
  await stage.plunk.startAgain('one');
  const [settled] = await settledAt(stage, evseUid);
  expectMeasured(settled!, stopped);
});

test.each(serviceNames.map((name, n) => ({ name, n: n + 1 })))(
  'a charge during which $name is killed ends in one Session and one CDR on both sides',
  async ({ name, n }) => {
    const { station, evseUid } = stall(n);
    const tap = { station, card: crewCard(n) };
    await beginByCard(stage, tap);
    const { id } = await activeSession(stage.plunk, evseUid);
    await killed(stage.oasis, name);
    await metered(stage, station, 1);
    const stopped = await endByCard(stage, tap);
    const [settled] = await settledAt(stage, evseUid);
    expect(settled!.session.id).toBe(id);
    expectMeasured(settled!, stopped);
  },
);

test('after all that, each Session has one CDR, and both ledgers verify entry by entry', async () => {
  const sides = [stage.oasis, stage.plunk];
  for (const side of sides) {
    const { chains } = await side.operator.get<{ chains: { intact: boolean; entries: number }[] }>('/v1/operator/ledger');
    expect(chains.map(({ intact }) => intact)).toEqual(side === stage.plunk ? [true, true] : [true]);
    const [{ cdrs, sessions } = { cdrs: 0, sessions: 0 }] = await side.query<{ cdrs: number; sessions: number }>(
      'SELECT count(*)::int AS cdrs, count(DISTINCT session_id)::int AS sessions FROM cdr_ledger.cdrs',
    );
    expect({ cdrs, sessions }).toEqual({ cdrs: serviceNames.length + 2, sessions: serviceNames.length + 2 });
  }
  const evses = ['DC-01', ...Array.from({ length: 10 }, (_, n) => stall(n + 1).evseUid)];
  for (const evse of evses) {
    const [ours, theirs] = await Promise.all(sides.map((side) => sessionsOf(side, evse)));
    expect(theirs).toEqual(ours);
    expect(ours).toHaveLength(1);
  }
});

test('a ledger that is killed while it books drivers\' accounts has booked each CDR once', async () => {
  const unbooked = `UPDATE cdr_ledger.followed SET "position" = 0 WHERE follower = 'booking'`;
  // As a process dies between the append and its position.
  await stage.plunk.query(unbooked);
  const [unit] = stage.plunk.platform().units.keys();
  await killed(stage.plunk, stage.plunk.platform().units.has('cdr-ledger') ? 'cdr-ledger' : unit!);
  const booked = await eventually('the log is read to its end again', async () => {
    const [row] = await stage.plunk.query<{ lines: number; cdrs: number; differing: number }>(
      `SELECT count(*)::int AS lines, count(DISTINCT cdr_id)::int AS cdrs,
         (SELECT count(*)::int FROM cdr_ledger.account_balances b WHERE balance <> (
            SELECT sum(amount) FROM cdr_ledger.account_lines l
            WHERE l.account_id = b.account_id AND l.currency = b.currency)) AS differing
       FROM cdr_ledger.account_lines
       WHERE (SELECT min("position") FROM cdr_ledger.followed) >= (SELECT max("position") FROM cdr_ledger.events)`);
    return row && row.lines > 0 && row;
  });
  const charges = serviceNames.length + 2;
  expect(booked).toEqual({ lines: charges, cdrs: charges, differing: 0 });
});

/** kill -9 for a service's process; resolves when the supervisor has it back and ready. */
async function killed({ platform }: Side, name: string): Promise<void> {
  const unit = platform().units.get(name)!;
  const before = { starts: unit.starts(), urls: unit.urls() };
  process.kill(unit.pid()!, 'SIGKILL');
  await eventually(`${name} is back`, () => unit.starts() > before.starts && unit.urls() !== before.urls);
}

test('each service did all of that as a user of NATS that may do nothing else', () => {
  expect(stage.logged('Permissions Violation')).toEqual([]);
});
