import { afterAll, beforeAll, expect, test } from 'vitest';
import { signerFromSeed } from '#chain';
import { fixedClock } from '#time';
import { signClosedDays } from '../src/heads.ts';
import { location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

let there: TestLedger;
beforeAll(async () => {
  there = await testLedger();
});
afterAll(() => there?.close());

const issue = (id: string) =>
  there.ledger.issue({ session: { ...session, id }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
const heads = async () => (await there.proofs.heads()).map(({ head: { since, day, entries } }) => `${since} ${day} ${entries}`);

/** A replica whose clock shows that instant, and which goes on where the chain is awaited when it is let. */
function replica(instant: string, goOn: Promise<void> = Promise.resolve()) {
  const { db, zone, log } = there;
  const reached = Promise.withResolvers<void>();
  const chain = {
    async caughtUp() {
      reached.resolve();
      await goOn;
      await there.list.caughtUp();
      await there.proofs.verify();
    },
  };
  const signer = signerFromSeed(Buffer.alloc(32, 7));
  const signing = signClosedDays({ db, clock: fixedClock(instant), ledger: 'CA*BCT', zone, signer, chain, log });
  return { signing, reached: reached.promise };
}

test('a replica that was overtaken while it signed leaves the day to the one that closed a later one', async () => {
  await expect.poll(heads).toEqual(['2022-01-31 2022-01-31 0']);
  await issue('S-1');
  const going = Promise.withResolvers<void>();
  // Its clock is late, or it was suspended over midnight.
  const late = replica('2022-02-03T07:59:59Z', going.promise);
  await late.reached;
  expect(await replica('2022-02-03T08:00:00Z').signing).toBeDefined();
  await issue('S-2');
  going.resolve();
  expect(await late.signing).toBeUndefined();
  expect(await heads()).toEqual(['2022-01-31 2022-01-31 0', '2022-02-01 2022-02-02 1']);
  expect(await there.proofs.verify()).toMatchObject([{ problem: undefined, heads: 2, chain: { entries: 2 } }]);
});

test.each([
  ['entries = 2', 'over 2 entries'],
  [`day = '2022-02-09'`, 'as the head of 2022-02-09'],
  [`ledger = 'CA*CPK'`, 'in ledger CA*CPK'],
])('a head that lies where it does not belong is found: %s', async (change, said) => {
  const { superuser, proofs } = there;
  const newest = `ctid = (SELECT ctid FROM heads WHERE text LIKE '%day 2022-02-02%')`;
  const { rows: [was] } = await superuser.query<{ ledger: string; day: string; entries: number }>(
    `SELECT ledger, day, entries FROM heads WHERE ${newest}`);
  await superuser.query(`ALTER TABLE heads DISABLE TRIGGER USER; UPDATE heads SET ${change} WHERE ${newest}`);
  try {
    const verdicts = await proofs.verify();
    expect(verdicts.map(({ problem }) => problem)).toEqual([expect.stringContaining(`head of 2022-02-02: lies ${said}`)]);
  } finally {
    await superuser.query(
      `UPDATE heads SET ledger = $1, day = $2, entries = $3 WHERE ${newest}`, [was!.ledger, was!.day, was!.entries]);
    await superuser.query('ALTER TABLE heads ENABLE TRIGGER USER');
  }
  expect(await proofs.verify()).toMatchObject([{ problem: undefined, heads: 2 }]);
});
