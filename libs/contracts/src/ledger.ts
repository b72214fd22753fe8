import { ask } from '#bus';
import { filled } from './filled.ts';
import {
  ConsistencyProvenSchema,
  ExportCdrsSchema,
  ExportLedgerSchema,
  GetConsistencyProofSchema,
  GetHeadsSchema,
  GetReceiptProofSchema,
  HeadsSchema,
  LedgerPageSchema,
  ListProjectionsSchema,
  ProjectionRebuildingSchema,
  ProjectionsSchema,
  RebuildProjectionSchema,
  ReceiptProvenSchema,
} from './gen/roamwatt/cdr_ledger/v1/ledger_pb.ts';

export {
  type ConsistencyProven,
  ConsistencyProvenSchema,
  type ExportCdrs,
  ExportCdrsSchema,
  type ExportLedger,
  ExportLedgerSchema,
  type GetConsistencyProof,
  GetConsistencyProofSchema,
  type GetHeads,
  GetHeadsSchema,
  type GetReceiptProof,
  GetReceiptProofSchema,
  type Heads,
  HeadsSchema,
  type LedgerPage,
  LedgerPageSchema,
  type ListProjections,
  ListProjectionsSchema,
  type Projection,
  ProjectionSchema,
  type ProjectionRebuilding,
  ProjectionRebuildingSchema,
  type Projections,
  ProjectionsSchema,
  type RebuildProjection,
  RebuildProjectionSchema,
  type ReceiptProven,
  ReceiptProvenSchema,
  type SignedHead,
  SignedHeadSchema,
} from './gen/roamwatt/cdr_ledger/v1/ledger_pb.ts';

const context = 'cdr-ledger';

export const getHeads = ask({
  context,
  verb: 'get-heads',
  request: GetHeadsSchema,
  answer: HeadsSchema,
  check: filled(),
});

export const getReceiptProof = ask({
  context,
  verb: 'get-receipt-proof',
  request: GetReceiptProofSchema,
  answer: ReceiptProvenSchema,
  check: filled('party', 'cdrId'),
});

export const getConsistencyProof = ask({
  context,
  verb: 'get-consistency-proof',
  request: GetConsistencyProofSchema,
  answer: ConsistencyProvenSchema,
  check: filled('olderDay', 'newerDay'),
});

export const exportLedger = ask({
  context,
  verb: 'export-ledger',
  request: ExportLedgerSchema,
  answer: LedgerPageSchema,
  check: filled(),
});

export const exportCdrs = ask({
  context,
  verb: 'export-cdrs',
  request: ExportCdrsSchema,
  answer: LedgerPageSchema,
  check: filled(),
});

export const listProjections = ask({
  context,
  verb: 'list-projections',
  request: ListProjectionsSchema,
  answer: ProjectionsSchema,
  check: filled(),
});

export const rebuildProjection = ask({
  context,
  verb: 'rebuild-projection',
  request: RebuildProjectionSchema,
  answer: ProjectionRebuildingSchema,
  check: filled('name'),
});
