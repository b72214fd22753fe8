import { afterAll, beforeAll, expect, test } from 'vitest';
import { cdr, carbonPlunk, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

let there: TestLedger;

beforeAll(async () => {
  there = await testLedger();
  for (let n = 1; n <= 4; n += 1) {
    await there.ledger.issue({
      session: { ...session, id: `S-${n}` },
      location,
      tariff,
      tariffVersion: 1,
      token,
      energyWh: '6000',
    });
  }
  await there.ledger.correct({
    commandId: 'c',
    cdrId: 'S-2-1',
    reason: 'wrong',
    energyWh: '3000',
    withoutReplacement: false,
  });
  expect(await problem()).toBe('intact');
  await there.superuser.query(
    'CREATE TABLE events_before AS TABLE events; CREATE TABLE chain_before AS TABLE chain',
  );
});
afterAll(() => there?.close());

async function problem(): Promise<string> {
  const verdicts = await there.proofs.verify();
  expect(verdicts.map(({ ledger }) => ledger)).toEqual(['CA*BCT']);
  return verdicts[0]!.problem ?? 'intact';
}

/** What verifying says while a superuser, with the triggers out of the way, has done this. */
async function problemAfter(...statements: string[]): Promise<string> {
  const { superuser } = there;
  const guards = (how: string) =>
    ['events', 'chain']
      .map(
        (table) =>
          `ALTER TABLE ${table} ${how} TRIGGER ${table}_never_change${table === 'chain' ? 's' : ''}`,
      )
      .join(';');
  try {
    await superuser.query([guards('DISABLE'), ...statements].join(';'));
    return await problem();
  } finally {
    await superuser.query(
      [
        guards('DISABLE'),
        'DELETE FROM events',
        'INSERT INTO events TABLE events_before',
        'DELETE FROM chain',
        'INSERT INTO chain TABLE chain_before',
        guards('ENABLE ALWAYS'),
      ].join(';'),
    );
  }
}

const swapped = (a: number, b: number) => [
  `UPDATE events SET "position" = -1 WHERE "position" = ${a}`,
  `UPDATE events SET "position" = ${a} WHERE "position" = ${b}`,
  `UPDATE events SET "position" = ${b} WHERE "position" = -1`,
];
const movedDown = (from: number) => [
  `UPDATE events SET "position" = -"position" WHERE "position" >= ${from}`,
  'UPDATE events SET "position" = 1 - "position" WHERE "position" < 0',
];
const forgedAt = (position: number) =>
  `INSERT INTO events SELECT ${position}, 'cdr-FORGED', 1, gen_random_uuid(), type, data, trace, recorded_at FROM events_before WHERE "position" = 1`;

test.each<[string, string[], RegExp]>([
  [
    'a flipped byte',
    [
      `UPDATE events SET data = replace(data, '"excl_vat":2.94', '"excl_vat":2.93') WHERE "position" = 3`,
    ],
    /^entry 3: changed/,
  ],
  ['a removed entry', ['DELETE FROM events WHERE "position" = 2'], /^entry 2: removed/],
  ['a removed last entry', ['DELETE FROM events WHERE "position" = 6'], /^entry 6: removed/],
  ['reordered entries', swapped(2, 3), /^entry 2: removed or reordered/],
  ['an inserted entry', [...movedDown(3), forgedAt(3)], /^entry 3: inserted/],
  ['an entry inserted before all others', [forgedAt(0)], /^entry 1: inserted/],
  [
    'an entry moved to another session',
    [`UPDATE events SET stream = 'cdr-S-9' WHERE "position" = 1`],
    /^entry 1: moved/,
  ],
  [
    'an entry removed together with its link',
    ['DELETE FROM events WHERE "position" = 2', 'DELETE FROM chain WHERE "position" = 2'],
    /^entry 2: its link is gone/,
  ],
  ['a forged leaf', ['UPDATE chain SET leaf = sha256(leaf) WHERE entry = 4'], /^entry 4: changed/],
  [
    'a forged link',
    ['UPDATE chain SET link = sha256(link) WHERE entry = 4'],
    /^entry 4: its link does not follow/,
  ],
])('%s is found and named', async (_, statements, found) => {
  expect(await problemAfter(...statements)).toMatch(found);
});

test('the untouched ledger verifies again', async () => expect(await problem()).toBe('intact'));

test('the service itself can neither change nor remove what is recorded', async () => {
  for (const statement of [
    'UPDATE events SET data = data',
    'DELETE FROM events',
    'TRUNCATE events',
    'UPDATE chain SET leaf = leaf',
    'DELETE FROM chain',
    'UPDATE private_parts SET body = body',
  ]) {
    await expect(there.db.query(statement)).rejects.toMatchObject({ failure: 'permission-denied' });
  }
  await expect(there.superuser.query('DELETE FROM chain')).rejects.toThrow(
    'the chain is never changed',
  );
});

test('a changed private part is found; an erased one leaves chain and money as they are', async () => {
  const ofFirst = `WHERE id = (SELECT private_id FROM cdrs WHERE cdr_key = 's-1-1')`;
  await there.superuser.query(
    `UPDATE private_parts SET body = replace(body, '${token.uid}', 'SOMEBODY-ELSE') ${ofFirst}`,
  );
  expect(await problem()).toMatch(
    /^entry 1: the private part of event .* is not the one that was sealed/,
  );
  const before = await there.settling.statement(carbonPlunk, '2022-02');
  await there.db.query('DELETE FROM private_parts WHERE contract_key = $1', [
    token.contract_id.toLowerCase(),
  ]);
  expect(await there.proofs.verify()).toMatchObject([
    { problem: undefined, erased: 6, chain: { entries: 6 } },
  ]);
  expect(await there.settling.statement(carbonPlunk, '2022-02')).toEqual(before);
  const found = await there.ledger.find(cdr, 'S-1-1');
  expect(found).toMatchObject({ privateText: undefined, cdr: { total_cost: cdr.total_cost } });
  expect(
    JSON.stringify((await there.superuser.query('SELECT data FROM events')).rows),
  ).not.toContain(token.uid);
});
