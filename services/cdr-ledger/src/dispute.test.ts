import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { given, withRepeats } from '#decider';
import { cdr, oasis } from '../test/charge.ts';
import {
  type AnswerDispute,
  type DisputeAnswered,
  type DisputeCommand,
  type DisputeCredited,
  type DisputedCdr,
  type DisputeEvent,
  type DisputeOpened,
  disputesOfCdr,
  disputeStream,
  type DisputeWithdrawn,
  type NoteCredit,
  type OpenDispute,
  type WithdrawDispute,
} from './dispute.ts';

const disputed: DisputedCdr = { ...oasis, id: cdr.id };
const open: OpenDispute = {
  type: 'OpenDispute',
  ledger: 'CA*CPK',
  cdr: disputed,
  partner: oasis,
  complainant: 'us',
  findings: ['price-differs'],
  amount: { currency: 'CAD', payable: '3.09' },
  at: '2022-02-02T09:00:00Z',
  commandId: 'c-open',
  private: { id: 'p1', mac: 'm1' },
};
const opened: DisputeOpened = { ...open, type: 'DisputeOpened', number: 1 };
const answer: AnswerDispute = {
  type: 'AnswerDispute',
  commandId: 'c-answer',
  number: 1,
  accepted: true,
  at: '2022-02-03T09:00:00Z',
  private: { id: 'p2', mac: 'm2' },
};
const about = { ledger: 'CA*CPK', cdr: disputed, number: 1 };
const answered: DisputeAnswered = { ...answer, ...about, type: 'DisputeAnswered' };
const withdraw: WithdrawDispute = {
  type: 'WithdrawDispute',
  commandId: 'c-withdraw',
  number: 1,
  at: '2022-02-04T09:00:00Z',
  private: { id: 'p3', mac: 'm3' },
};
const withdrawn: DisputeWithdrawn = { ...withdraw, ...about, type: 'DisputeWithdrawn' };
const credit: NoteCredit = {
  type: 'NoteCredit',
  creditCdrId: `${cdr.id}-C`,
  at: '2022-02-05T09:00:00Z',
};
const credited: DisputeCredited = { ...credit, ...about, type: 'DisputeCredited' };

const disputes = (...past: DisputeEvent[]) => given(disputesOfCdr, ...past);

describe('a dispute', () => {
  test('is opened over a CDR', () => disputes().when(open).then(opened));
  test('is answered once', () => {
    disputes(opened).when(answer).then(answered);
    disputes(opened, answered)
      .when({ ...answer, commandId: 'c-other' })
      .thenRejected('dispute-was-answered');
  });
  test('is credited by a Credit CDR, answered or not', () => {
    disputes(opened).when(credit).then(credited);
    disputes(opened, answered).when(credit).then(credited);
  });
  test('is withdrawn, answered or not', () => {
    disputes(opened).when(withdraw).then(withdrawn);
    disputes(opened, answered).when(withdraw).then(withdrawn);
  });
  test('that is withdrawn is withdrawn, whoever orders it again', () =>
    disputes(opened, withdrawn)
      .when({ ...withdraw, commandId: 'c-other' })
      .thenNothing());
  test('that has ended is neither answered nor withdrawn', () => {
    disputes(opened, withdrawn).when(answer).thenRejected('dispute-is-closed');
    disputes(opened, credited).when(withdraw).thenRejected('dispute-is-closed');
  });
  test('that was never opened is unknown', () => {
    disputes().when(answer).thenRejected('unknown-dispute');
    disputes(opened)
      .when({ ...withdraw, number: 2 })
      .thenRejected('unknown-dispute');
  });
  test('is one at a time', () =>
    disputes(opened)
      .when({ ...open, commandId: 'c-other' })
      .thenRejected('dispute-is-open'));
  test('that was withdrawn may be followed by another', () =>
    disputes(opened, withdrawn)
      .when({ ...open, commandId: 'c-other' })
      .then({ ...opened, commandId: 'c-other', number: 2 }));
  test('that was credited may be followed by another over what is left, which only another credit ends', () => {
    const again = { ...open, commandId: 'c-other', creditedBefore: [credit.creditCdrId] };
    const reopened: DisputeOpened = { ...again, type: 'DisputeOpened', number: 2 };
    disputes(opened, credited).when(again).then(reopened);
    disputes(opened, credited, reopened).when(credit).thenNothing();
    disputes(reopened).when(credit).thenNothing();
    const another = { ...credit, creditCdrId: `${cdr.id}-D` };
    disputes(opened, credited, reopened).when(another).then({ ...another, ...about, number: 2, type: 'DisputeCredited' });
  });
});

test('a credit of a CDR that nobody disputes is no news', () => {
  disputes().when(credit).thenNothing();
  disputes(opened, withdrawn).when(credit).thenNothing();
});

test('ids and parties compare without regard to case', () =>
  expect(disputeStream({ country_code: 'ca', party_id: 'bct', id: 'ABC' })).toBe(
    disputeStream({ ...oasis, id: 'abc' }),
  ));

test('any command repeated at any later point yields no second event', () => {
  const commandId = fc.constantFrom('1', '2', '3', '4', '5', '6');
  const number = fc.constantFrom(1, 2, 3);
  const commands = fc.array(
    fc.oneof(
      commandId.map((id): DisputeCommand => ({ ...open, commandId: `o${id}` })),
      fc
        .tuple(commandId, number)
        .map(([id, n]): DisputeCommand => ({ ...answer, commandId: `a${id}`, number: n })),
      fc
        .tuple(commandId, number)
        .map(([id, n]): DisputeCommand => ({ ...withdraw, commandId: `w${id}`, number: n })),
      commandId.map((id): DisputeCommand => ({ ...credit, creditCdrId: `${cdr.id}-${id}` })),
    ),
    { maxLength: 25 },
  );
  fc.assert(
    fc.property(commands, (all) => void withRepeats(disputesOfCdr, all)),
    { seed: 20220201 },
  );
});

