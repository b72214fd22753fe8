import { afterAll, beforeAll, expect, test } from 'vitest';
import { toJsonBytes } from '#contracts';
import { creditCdr } from '#ocpi';
import { carbonPlunk, cdr, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

/** A partner's CDR for a driver of ours. */
const theirs = { ...cdr, party_id: 'XYZ', cdr_token: { ...cdr.cdr_token, party_id: 'BCT' } };

let there: TestLedger;

beforeAll(async () => {
  there = await testLedger();
  const { ledger, clock } = there;
  for (let n = 1; n <= 3; n += 1) {
    await ledger.issue({
      session: { ...session, id: `S-${n}` },
      location,
      tariff,
      tariffVersion: 1,
      token,
      energyWh: '6000',
    });
    await ledger.acknowledge({
      cdrId: `S-${n}-1`,
      at: clock.iso(),
      locationUrl: `https://cpk.example/${n}`,
    });
    clock.advance(60_000);
  }
  await ledger.correct({
    commandId: 'c',
    cdrId: 'S-2-1',
    reason: 'wrong',
    withoutReplacement: false,
  });
  await ledger.receive(toJsonBytes(creditCdr({ ...theirs, id: 'NEVER' }, cdr.last_updated)));
  await ledger.receive(toJsonBytes(theirs));
  await ledger.receive(toJsonBytes(creditCdr(theirs, cdr.last_updated)));
  await ledger.receive(toJsonBytes({ ...creditCdr(theirs, cdr.last_updated), id: 'AGAIN' }));
});
afterAll(() => there?.close());

async function rows() {
  await there.list.caughtUp();
  return (await there.superuser.query('SELECT * FROM cdrs ORDER BY "position"')).rows;
}

test('the whole log read twice makes the same rows, and the same statement', async () => {
  const before = await rows();
  const statement = await there.settling.statement(carbonPlunk, '2022-02');
  expect(before).toHaveLength(9);
  await there.list.rebuild();
  expect(await rows()).toEqual(before);
  await there.list.rebuild();
  expect(await rows()).toEqual(before);
  expect(await there.settling.statement(carbonPlunk, '2022-02')).toEqual(statement);
});

test('the list can be made anew while CDRs come in', async () => {
  const rebuilt = there.list.rebuild();
  await there.ledger.issue({
    session: { ...session, id: 'S-9' },
    location,
    tariff,
    tariffVersion: 1,
    token,
    energyWh: '6000',
  });
  await rebuilt;
  expect((await rows()).map(({ cdr_key }) => cdr_key).at(-1)).toBe('s-9-1');
  expect(await rows()).toHaveLength(10);
});

test('an original knows its credit, and each credit what is wrong with it', async () => {
  const found = (await rows()).map(({ cdr_key, credited_by, findings }) =>
    [cdr_key, credited_by, ...findings.map(({ code }: { code: string }) => code)]
      .filter(Boolean)
      .join(' '),
  );
  expect(found.slice(3, 9)).toEqual([
    's-2-1-c',
    's-2-2',
    'never-c credit-of-unknown-original',
    `${cdr.id.toLowerCase()} ${cdr.id}-C`,
    `${cdr.id.toLowerCase()}-c`,
    'again second-credit',
  ]);
  expect(found[1]).toBe('s-2-1 S-2-1-C');
});
