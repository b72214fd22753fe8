import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold, given, Rejected } from '#decider';
import { carbonPlunk, cdr, oasis } from '../test/charge.ts';
import { publicOf } from './private-part.ts';
import { type CdrReceived, receivedCdr, receivedStream, type RecordCdr } from './received-cdr.ts';

const record: RecordCdr = {
  type: 'RecordCdr',
  ledger: 'CA*CPK',
  tokenParty: carbonPlunk,
  cdr: publicOf(cdr),
  findings: [{ code: 'price-differs', detail: 'total_cost is 3 CAD, expected 2.94' }],
  receivedAt: '2022-02-01T18:22:00Z',
  private: { id: 'p1', mac: 'b1' },
};
const recorded: CdrReceived = { ...record, type: 'CdrReceived' };

test('a CDR is recorded as it came, with what was found wrong with it', () =>
  given(receivedCdr).when(record).then(recorded));

test('the same CDR pushed twice is recorded once', () =>
  given(receivedCdr, recorded).when(record).thenNothing());

test('a changed CDR is refused: credit it instead', () =>
  given(receivedCdr, recorded)
    .when({ ...record, private: { id: 'p1', mac: 'b2' } })
    .thenRejected('cdr-differs-from-recorded'));

test('ids and parties compare without regard to case', () => {
  expect(receivedStream({ ...oasis, id: 'Abc-1' })).toBe('received-CA-BCT-abc-1');
  expect(receivedStream({ country_code: 'ca', party_id: 'bct', id: 'ABC-1' })).toBe(
    'received-CA-BCT-abc-1',
  );
});

test('any command repeated at any later point yields no second event', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('b1', 'b2', 'b3'), { minLength: 1 }), (macs) => {
      const log: CdrReceived[] = [];
      for (const mac of macs) log.push(...decided({ ...record, private: { id: 'p1', mac } }, log));
      assert.equal(log.length, 1);
    }),
  );
});

function decided(command: RecordCdr, log: readonly CdrReceived[]): readonly CdrReceived[] {
  try {
    return receivedCdr.decide(command, fold(receivedCdr, log));
  } catch (error) {
    if (error instanceof Rejected) return [];
    throw error;
  }
}
