import { ask, type Context, tell } from '#bus';
import { filled } from './filled.ts';
import {
  ContractErasedSchema,
  EraseContractSchema,
  ErasureHolderSchema,
  ErasurePreviewedSchema,
  ErasureStandingSchema,
  ForgottenNotedSchema,
  GetErasureHolderSchema,
  GetErasureSchema,
  NoteForgottenSchema,
  PreviewErasureSchema,
} from './gen/roamwatt/erasure/v1/erasure_pb.ts';

export {
  type ContractErased,
  ContractErasedSchema,
  type EraseContract,
  EraseContractSchema,
  type ErasureHolder,
  ErasureHolderSchema,
  type ErasurePreviewed,
  ErasurePreviewedSchema,
  type ErasureStanding,
  ErasureStandingSchema,
  ForgottenNotedSchema,
  type GetErasure,
  type GetErasureHolder,
  GetErasureHolderSchema,
  GetErasureSchema,
  type Hindrance,
  type Holder,
  type Kept,
  type NoteForgotten,
  NoteForgottenSchema,
  type PreviewErasure,
  PreviewErasureSchema,
} from './gen/roamwatt/erasure/v1/erasure_pb.ts';

const context = 'tokens-auth';

/** Who holds what may name a person: an erasure is over when each of them has forgotten. */
export const forgetters = [
  'tokens-auth', 'sessions', 'cdr-ledger', 'ocpp-gateway', 'ocpi-gateway', 'locations', 'portal',
] as const satisfies readonly Context[];
export type Forgetter = (typeof forgetters)[number];

export const contractErased = tell({
  context,
  thing: 'contract',
  happened: 'erased',
  fact: ContractErasedSchema,
  key: (fact) => fact.erasureId,
  check: filled('erasureId', 'at'),
});

export const eraseContract = ask({
  context,
  verb: 'erase-contract',
  request: EraseContractSchema,
  answer: ErasureStandingSchema,
  check: filled('party', 'contractId'),
});

export const getErasure = ask({
  context,
  verb: 'get-erasure',
  request: GetErasureSchema,
  answer: ErasureStandingSchema,
  check: filled('erasureId'),
});

export const getErasureHolder = ask({
  context,
  verb: 'get-erasure-holder',
  request: GetErasureHolderSchema,
  answer: ErasureHolderSchema,
  check: filled('erasureId'),
});

export const noteForgotten = ask({
  context,
  verb: 'note-forgotten',
  request: NoteForgottenSchema,
  answer: ForgottenNotedSchema,
  check: filled('erasureId', 'service'),
});

/** The same question to each of them. */
export function previewErasure(service: Forgetter) {
  return ask({
    context: service,
    verb: 'preview-erasure',
    request: PreviewErasureSchema,
    answer: ErasurePreviewedSchema,
    check: filled('holder'),
  });
}
