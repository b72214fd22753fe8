import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { given, withRepeats } from '#decider';
import { creditCdr } from '#ocpi';
import { carbonPlunk, cdr, session } from '../test/charge.ts';
import {
  type AcknowledgeCdr,
  type CdrAcknowledged,
  type CdrCredited,
  type CdrIssued,
  cdrIdOf,
  type CorrectCdr,
  type IssueCdr,
  type LeaveUnbilled,
  readCdrId,
  type SessionCdrCommand,
  type SessionCdrEvent,
  sessionCdrs,
  type SessionLeftUnbilled,
} from './cdr.ts';
import { publicOf } from './private-part.ts';

const ledger = 'CA*BCT';
const sessionId = session.id;
const pricing = {
  timeZone: 'America/Vancouver',
  tzdb: '2026f',
  unrounded: { exclVat: '2.94', inclVat: '3.087' },
};
const at = '2022-02-03T00:00:00Z';
const seal = (id: string) => ({ id, mac: '00' });
const numbered = (number: number) => publicOf({ ...cdr, id: cdrIdOf(sessionId, number) });
const creditOf = (number: number) =>
  publicOf(creditCdr({ ...cdr, id: cdrIdOf(sessionId, number) }, at));

const issue: IssueCdr = {
  type: 'IssueCdr',
  ledger,
  sessionId,
  tokenParty: carbonPlunk,
  cdr: numbered(1),
  pricing,
  private: seal('p1'),
};
const issued: CdrIssued = { ...issue, type: 'CdrIssued', number: 1 };

/** The order to correct CDR n, under an id of its own. */
function correct(number: number, commandId = `correct-${number}`): CorrectCdr {
  return {
    type: 'CorrectCdr',
    commandId,
    cdrId: cdrIdOf(sessionId, number),
    credit: { cdr: creditOf(number), private: seal(`c${number}`) },
    replacement: { cdr: numbered(number + 1), pricing, private: seal(`p${number + 1}`) },
  };
}

function credited(number: number, more: Partial<CdrCredited> = {}): CdrCredited {
  return {
    type: 'CdrCredited',
    ledger,
    sessionId,
    number,
    tokenParty: carbonPlunk,
    cdr: creditOf(number),
    commandId: `correct-${number}`,
    replaced: true,
    private: seal(`c${number}`),
    ...more,
  };
}

function replacement(number: number): CdrIssued {
  return { ...issued, number, cdr: numbered(number), private: seal(`p${number}`) };
}

const { replacement: _, ...creditOnly } = correct(1);
const unbilled: SessionLeftUnbilled = {
  type: 'SessionLeftUnbilled',
  ledger,
  sessionId,
  reason: 'session-without-token',
  at,
};
const leave: LeaveUnbilled = { ...unbilled, type: 'LeaveUnbilled' };
const acknowledge = (cdrId: string): AcknowledgeCdr => ({
  type: 'AcknowledgeCdr',
  cdrId,
  at,
  locationUrl: 'https://cpk.example/1',
});
const acknowledged = (cdrId: string): CdrAcknowledged => ({
  ...acknowledge(cdrId),
  type: 'CdrAcknowledged',
  ledger,
});

const past = (...events: readonly SessionCdrEvent[]) => given(sessionCdrs, ...events);

test('a session that ended is billed by its first CDR', () => past().when(issue).then(issued));

test('a session that ended twice is billed once', () => past(issued).when(issue).thenNothing());

test('a session is not billed again after its CDR was credited', () =>
  past(issued, credited(1, { replaced: false }))
    .when(issue)
    .thenNothing());

test('a session that cannot be billed says why, once', () => {
  past().when(leave).then(unbilled);
  past(unbilled).when(leave).thenNothing();
});

test('billed or not is decided once', () => {
  past(unbilled).when(issue).thenNothing();
  past(issued).when(leave).thenNothing();
});

test('a correction credits the CDR and issues the next one, in one append', () =>
  past(issued).when(correct(1)).then(credited(1), replacement(2)));

test('a replacement can be corrected in its turn', () =>
  past(issued, credited(1), replacement(2)).when(correct(2)).then(credited(2), replacement(3)));

test('a charge that is not billed at all is only credited', () =>
  past(issued)
    .when(creditOnly)
    .then(credited(1, { replaced: false })));

test('a correction that is ordered again is already made', () => {
  past(issued, credited(1), replacement(2)).when(correct(1)).thenNothing();
  past(issued, credited(1), replacement(2), credited(2), replacement(3))
    .when(correct(1))
    .thenNothing();
});

test('a CDR is credited once', () => {
  past(issued, credited(1), replacement(2))
    .when(correct(1, 'another'))
    .thenRejected('already-credited');
  past(issued, credited(1, { replaced: false }))
    .when(correct(1, 'another'))
    .thenRejected('already-credited');
});

test('a CDR that is not there cannot be credited', () => {
  past().when(correct(1)).thenRejected('unknown-cdr');
  past(issued).when(correct(2)).thenRejected('unknown-cdr');
});

test('a Credit CDR cannot be credited', () =>
  past(issued, credited(1), replacement(2))
    .when({ ...correct(1, 'another'), cdrId: `${sessionId}-1-C` })
    .thenRejected('unknown-cdr'));

test('a CDR that the partner has is acknowledged once', () => {
  past(issued)
    .when(acknowledge(`${sessionId}-1`))
    .then(acknowledged(`${sessionId}-1`));
  past(issued, acknowledged(`${sessionId}-1`))
    .when(acknowledge(`${sessionId}-1`))
    .thenNothing();
  past(issued, credited(1), replacement(2))
    .when(acknowledge(`${sessionId}-1-C`))
    .then(acknowledged(`${sessionId}-1-C`));
});

test('what was never issued is not acknowledged', () => {
  past(issued)
    .when(acknowledge(`${sessionId}-1-C`))
    .thenRejected('unknown-cdr');
  past(issued)
    .when(acknowledge(`${sessionId}-2`))
    .thenRejected('unknown-cdr');
  past()
    .when(acknowledge(`${sessionId}-1`))
    .thenRejected('unknown-cdr');
});

test.each([
  ['20220201-ABC-1', { sessionId: '20220201-ABC', number: 1, credit: false }],
  ['20220201-ABC-12-C', { sessionId: '20220201-ABC', number: 12, credit: true }],
  ['20220201-ABC', undefined],
  ['S-0', undefined],
  ['-1', undefined],
])('the id %s says %j', (id, read) => expect(readCdrId(id)).toEqual(read));

test('any command repeated at any later point yields no second event', () => {
  const number = fc.integer({ min: 1, max: 4 });
  const command: fc.Arbitrary<SessionCdrCommand> = fc.oneof(
    fc.constantFrom(issue, leave, creditOnly),
    fc.tuple(number, fc.constantFrom('a', 'b')).map(([n, by]) => correct(n, `${by}-${n}`)),
    fc
      .tuple(number, fc.constantFrom('', '-C'))
      .map(([n, credit]) => acknowledge(`${cdrIdOf(sessionId, n)}${credit}`)),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
      const log = withRepeats(sessionCdrs, commands);
      const ids = log.flatMap((event) => ('cdr' in event ? [event.cdr.id] : []));
      assert.equal(new Set(ids).size, ids.length, 'an id was given twice');
    }),
  );
});
