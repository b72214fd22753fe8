import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  CdrCorrectedSchema,
  CdrFoundSchema,
  CdrIssuedSchema,
  CdrListSchema,
  CdrReceivedSchema,
  CdrRecordedSchema,
  CorrectCdrSchema,
  GetCdrSchema,
  GetStatementSchema,
  LedgerVerifiedSchema,
  ListCdrsSchema,
  ListReceivedCdrsSchema,
  ListStatementLinesSchema,
  ListTokenCdrsSchema,
  ReceiveCdrSchema,
  ReceivedCdrsListedSchema,
  StatementFoundSchema,
  StatementLinesSchema,
  VerifyLedgerSchema,
} from './gen/roamwatt/cdr_ledger/v1/cdr_ledger_pb.ts';
import { PageSchema } from './gen/roamwatt/party/v1/party_pb.ts';

export {
  type CdrCorrected,
  CdrCorrectedSchema,
  type CdrFound,
  CdrFoundSchema,
  type CdrIssued,
  CdrIssuedSchema,
  type CdrList,
  CdrListSchema,
  type CdrReceived,
  CdrReceivedSchema,
  type CdrRecorded,
  CdrRecordedSchema,
  type ChainVerdict,
  ChainVerdictSchema,
  type CorrectCdr,
  CorrectCdrSchema,
  type Finding,
  FindingSchema,
  type GetCdr,
  GetCdrSchema,
  type GetStatement,
  GetStatementSchema,
  type LedgerVerified,
  LedgerVerifiedSchema,
  type ListCdrs,
  ListCdrsSchema,
  type ListStatementLines,
  ListStatementLinesSchema,
  type ListReceivedCdrs,
  type ListTokenCdrs,
  ListTokenCdrsSchema,
  type ReceiveCdr,
  ReceiveCdrSchema,
  type StatementFound,
  StatementFoundSchema,
  type StatementLines,
  StatementLinesSchema,
  type VerifyLedger,
  VerifyLedgerSchema,
} from './gen/roamwatt/cdr_ledger/v1/cdr_ledger_pb.ts';

const context = 'cdr-ledger';

export const receiveCdr = ask({
  context,
  verb: 'receive-cdr',
  request: ReceiveCdrSchema,
  answer: CdrRecordedSchema,
  check: filled('bodyJson'),
});

export const listCdrs = ask({
  context,
  verb: 'list-cdrs',
  request: ListCdrsSchema,
  answer: PageSchema,
  check: (list) => (list.anyToken ? filled('page')(list) : filled('tokenParties', 'page')(list)),
});

export const listReceivedCdrs = ask({
  context,
  verb: 'list-received-cdrs',
  request: ListReceivedCdrsSchema,
  answer: ReceivedCdrsListedSchema,
  check: filled('limit'),
});

export const getCdr = ask({
  context,
  verb: 'get-cdr',
  request: GetCdrSchema,
  answer: CdrFoundSchema,
  check: filled('party', 'cdrId'),
});

export const listTokenCdrs = ask({
  context,
  verb: 'list-token-cdrs',
  request: ListTokenCdrsSchema,
  answer: CdrListSchema,
  check: filled('tokenParty', 'tokenUid'),
});

export const correctCdr = ask({
  context,
  verb: 'correct-cdr',
  request: CorrectCdrSchema,
  answer: CdrCorrectedSchema,
  check: filled('cdrId', 'reason'),
});

export const getStatement = ask({
  context,
  verb: 'get-statement',
  request: GetStatementSchema,
  answer: StatementFoundSchema,
  check: filled('partner', 'month'),
});

export const listStatementLines = ask({
  context,
  verb: 'list-statement-lines',
  request: ListStatementLinesSchema,
  answer: StatementLinesSchema,
  check: filled('partner', 'month'),
});

export const verifyLedger = ask({
  context,
  verb: 'verify-ledger',
  request: VerifyLedgerSchema,
  answer: LedgerVerifiedSchema,
  check: filled(),
});

export const cdrIssued = tell({
  context,
  thing: 'cdr',
  happened: 'issued',
  fact: CdrIssuedSchema,
  key: (fact) => fact.sessionId,
  check: filled('cdrId', 'sessionId', 'tokenParty', 'cdrJson'),
});

export const cdrReceived = tell({
  context,
  thing: 'cdr',
  happened: 'received',
  fact: CdrReceivedSchema,
  key: (fact) => fact.cdrId,
  check: filled('party', 'cdrId', 'cdrJson'),
});
