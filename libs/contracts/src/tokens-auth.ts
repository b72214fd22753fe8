import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import { ChangedSchema, DroppedSchema, DropHeldSchema, HeldSchema, ListHeldSchema, PageSchema } from './gen/roamwatt/party/v1/party_pb.ts';
import {
  AnswerAuthorizeSchema,
  AuthorizeSchema,
  AuthorizeAnsweredSchema,
  AuthorizedSchema,
  ContestedUidsListedSchema,
  ContractTokensSchema,
  FindContractTokensSchema,
  GetTokenSchema,
  IssueTokenSchema,
  ListContestedUidsSchema,
  ListTokensSchema,
  PutPartnerTokenSchema,
  TokenAuthorizedSchema,
  TokenChangedSchema,
  TokenFoundSchema,
} from './gen/roamwatt/tokens_auth/v1/tokens_auth_pb.ts';

export {
  type AnswerAuthorize,
  AnswerAuthorizeSchema,
  type Authorize,
  AuthorizeSchema,
  type AuthorizeAnswered,
  AuthorizeAnsweredSchema,
  type Authorized,
  AuthorizedSchema,
  type ContestedUid,
  type ContestedUidsListed,
  ContestedUidsListedSchema,
  type ContractTokens,
  ContractTokensSchema,
  type FindContractTokens,
  FindContractTokensSchema,
  type GetToken,
  GetTokenSchema,
  type IssueToken,
  IssueTokenSchema,
  type ListContestedUids,
  ListContestedUidsSchema,
  type ListTokens,
  ListTokensSchema,
  type PutPartnerToken,
  PutPartnerTokenSchema,
  type TokenAuthorized,
  TokenAuthorizedSchema,
  type TokenChanged,
  TokenChangedSchema,
  type TokenFound,
  TokenFoundSchema,
  type TokenPlace,
} from './gen/roamwatt/tokens_auth/v1/tokens_auth_pb.ts';

const context = 'tokens-auth';

export const authorize = ask({
  context,
  verb: 'authorize',
  alone: true,
  request: AuthorizeSchema,
  answer: AuthorizedSchema,
  check: filled('idTag', 'stationId'),
});

export const issueToken = ask({
  context,
  verb: 'issue-token',
  request: IssueTokenSchema,
  answer: ChangedSchema,
  check: filled('tokenJson'),
});

export const getToken = ask({
  context,
  verb: 'get-token',
  request: GetTokenSchema,
  answer: TokenFoundSchema,
  check: filled('party', 'uid', 'type'),
});

export const findContractTokens = ask({
  context,
  verb: 'find-contract-tokens',
  request: FindContractTokensSchema,
  answer: ContractTokensSchema,
  check: filled('party', 'contractId'),
});

export const listTokens = ask({
  context,
  verb: 'list-tokens',
  request: ListTokensSchema,
  answer: PageSchema,
  check: filled('page'),
});

export const putPartnerToken = ask({
  context,
  verb: 'put-partner-token',
  request: PutPartnerTokenSchema,
  answer: ChangedSchema,
  check: filled('party', 'uid', 'type', 'bodyJson'),
});

export const answerAuthorize = ask({
  context,
  verb: 'answer-authorize',
  request: AnswerAuthorizeSchema,
  answer: AuthorizeAnsweredSchema,
  check: filled('uid', 'type'),
});

export const listContestedUids = ask({
  context,
  verb: 'list-contested-uids',
  request: ListContestedUidsSchema,
  answer: ContestedUidsListedSchema,
  check: () => undefined,
});

export const tokenChanged = tell({
  context,
  thing: 'token',
  happened: 'changed',
  fact: TokenChangedSchema,
  key: (fact) => fact.uid,
  check: filled('party', 'uid', 'type', 'tokenJson', 'lastUpdated'),
});

export const tokenAuthorized = tell({
  context,
  thing: 'token',
  happened: 'authorized',
  fact: TokenAuthorizedSchema,
  key: (fact) => fact.idTag,
  check: filled('idTag', 'stationId', 'status', 'at'),
});

export const listHeldTokens = ask({
  context,
  verb: 'list-held',
  request: ListHeldSchema,
  answer: HeldSchema,
  check: filled('party', 'limit'),
});

export const dropHeldTokens = ask({
  context,
  verb: 'drop-held',
  request: DropHeldSchema,
  answer: DroppedSchema,
  check: filled('party', 'keys'),
});
