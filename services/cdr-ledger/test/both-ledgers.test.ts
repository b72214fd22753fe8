import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toJsonBytes } from '#contracts';
import type { Location, Party } from '#ocpi';
import { exampleTerms, nextMonth } from '#settlement';
import { cdrOf } from '../src/answers.ts';
import { carbonPlunk, location, oasis, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

const HOUR = 3_600_000;
const terms = {
  ...exampleTerms,
  closing_days: 3,
  fees: [
    ...exampleTerms.fees,
    { ...exampleTerms.fees[0]!, name: 'Clearing', per: 'percent' as const, amount: '1.25', currency: '', paid_by: 'CPO' as const },
    { ...exampleTerms.fees[0]!, name: 'Energy', cdrs_of: carbonPlunk, per: 'kwh' as const, amount: '0.0123' },
  ],
};

/** A platform and the other one's side of it. */
interface Side {
  readonly party: Party;
  readonly ledger: TestLedger;
  readonly other: () => Side;
}

let sides: readonly Side[];

beforeAll(async () => {
  const [ours, theirs] = await Promise.all([testLedger(), testLedger({ partyId: 'CPK' })]);
  const one: Side = { party: oasis, ledger: ours, other: () => two };
  const two: Side = { party: carbonPlunk, ledger: theirs, other: () => one };
  sides = [one, two];
  for (const { ledger: { settling, clock }, other } of sides) {
    const noted = { partner: other().party, version: 1, at: clock.iso() };
    await settling.noteAgreement({ ...noted, terms });
    await settling.noteAgreement({
      ...noted, version: 2, terms: { ...terms, valid_from: '2022-04', time_zone: 'Asia/Tokyo', fees: terms.fees.slice(1) },
    });
  }
});
afterAll(() => Promise.all((sides ?? []).map(({ ledger }) => ledger.close())));

const places: readonly Partial<Location>[] = [{ state: 'BC' }, { state: 'QC' }, { state: 'NS' }];

async function bill({ party, ledger, other }: Side, id: string, { wh, place }: { wh: number; place: number }): Promise<string> {
  await ledger.ledger.issue({
    session: { ...session, ...party, id, charging_periods: [], cdr_token: { ...session.cdr_token, ...other().party } },
    location: { ...location, ...party, ...places[place] },
    tariff: { ...tariff, ...party, currency: place === 2 ? 'KWD' : 'CAD' },
    tariffVersion: 1,
    token: { ...token, ...other().party },
    energyWh: String(wh),
  });
  return `${id}-1`;
}

/** Pushes a CDR; the answer may be lost on its way back, and then the issuer knows of nothing. */
async function push({ party, ledger, other }: Side, cdrId: string, isAnswerLost: boolean): Promise<void> {
  const listed = (await ledger.ledger.find(party, cdrId))!;
  const { recordedAt } = await other().ledger.ledger.receive(toJsonBytes(cdrOf(listed)));
  if (!isAnswerLost) await ledger.ledger.acknowledge({ cdrId, at: recordedAt, locationUrl: '' });
}

const step = fc.record({
  side: fc.nat(1), wh: fc.integer({ min: 1, max: 90_000 }), place: fc.nat(2), hours: fc.integer({ min: 1, max: 70 }),
  correct: fc.boolean(), pushes: fc.integer({ min: 0, max: 4 }), isAnswerLost: fc.boolean(), newestFirst: fc.boolean(),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

test('of a random history both ledgers make the same closed statements, byte for byte', { timeout: 120_000 }, async () => {
  const [steps] = fc.sample(fc.array(step, { minLength: 70, maxLength: 70 }), { numRuns: 1, seed: 20220201 }) as [Step[]];
  const waiting: { side: Side; cdrId: string }[] = [];
  const flush = async (count: number, { isAnswerLost = false, newestFirst = false } = {}) => {
    if (newestFirst) waiting.reverse();
    for (const one of waiting.splice(0, count)) {
      await push(one.side, one.cdrId, isAnswerLost);
      if (isAnswerLost) waiting.push(one);
    }
  };
  for (const [n, { side: at, wh, place, hours, correct, pushes, ...how }] of steps.entries()) {
    for (const { ledger: { clock } } of sides) clock.advance(hours * HOUR);
    const side = sides[at]!;
    waiting.push({ side, cdrId: await bill(side, `S${n}`, { wh, place }) });
    if (correct && n > 0) {
      const before = `S${n - 1}-1`;
      const issuer = sides[steps[n - 1]!.side]!;
      const made = await issuer.ledger.ledger.correct({
        commandId: `c${n}`, cdrId: before, reason: 'wrong', energyWh: String(wh), withoutReplacement: wh % 2 === 0,
      });
      for (const cdrId of [made.creditCdrId, made.replacementCdrId]) if (cdrId) waiting.push({ side: issuer, cdrId });
    }
    await flush(pushes, how);
  }
  await flush(waiting.length);
  for (const { ledger: { clock } } of sides) clock.advance(60 * 24 * HOUR);

  const ends: string[] = [];
  let late = 0;
  for (let month = '2022-02'; month <= '2022-08'; month = nextMonth(month)) {
    const [ours, theirs] = await Promise.all(
      sides.map(({ ledger, other }) => ledger.settling.statement(other().party, month)),
    );
    expect(JSON.stringify(ours!.statement)).toBe(JSON.stringify(theirs!.statement));
    ends.push(ours!.statement.state);
    for (const { invoices } of ours!.statement.currencies) for (const invoice of invoices) late += invoice.late.cdrs;
    const [a, b] = await Promise.all(sides.map(({ ledger, other }) =>
      ledger.settling.lines(other().party, month, { after: '', limit: 2_000 })));
    expect(a!.map(({ line }) => line)).toEqual(b!.map(({ line }) => line));
  }
  expect(ends).toContain('closed');
  expect(late).toBeGreaterThan(0);
  for (const { ledger } of sides) expect(await ledger.proofs.verify()).toMatchObject([{ problem: undefined }]);
});
