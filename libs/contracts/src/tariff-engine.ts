import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import { ChangedSchema, PageSchema } from './gen/roamwatt/party/v1/party_pb.ts';
import {
  DeletePartnerTariffSchema,
  GetTariffSchema,
  LintTariffSchema,
  ListTariffsSchema,
  ListTariffVersionsSchema,
  PublishTariffSchema,
  PutPartnerTariffSchema,
  QuoteSchema,
  QuotedSchema,
  SelectTariffSchema,
  TariffFoundSchema,
  TariffLintedSchema,
  TariffPublishedSchema,
  TariffSelectedSchema,
  TariffStandsSchema,
  TariffVersionsSchema,
  TariffWithdrawnSchema,
  WithdrawTariffSchema,
} from './gen/roamwatt/tariff_engine/v1/tariff_engine_pb.ts';

export {
  type DeletePartnerTariff,
  DeletePartnerTariffSchema,
  type GetTariff,
  GetTariffSchema,
  type LintTariff,
  LintTariffSchema,
  type ListTariffs,
  ListTariffsSchema,
  type ListTariffVersions,
  ListTariffVersionsSchema,
  type PublishTariff,
  PublishTariffSchema,
  type PutPartnerTariff,
  PutPartnerTariffSchema,
  type Quote,
  QuoteSchema,
  type Quoted,
  QuotedSchema,
  type SelectTariff,
  SelectTariffSchema,
  type TariffFound,
  TariffFoundSchema,
  type TariffLint,
  TariffLintSchema,
  type TariffLinted,
  TariffLintedSchema,
  type TariffPublished,
  TariffPublishedSchema,
  type TariffSelected,
  TariffSelectedSchema,
  type TariffStands,
  TariffStandsSchema,
  type TariffVersion,
  TariffVersionSchema,
  type TariffVersions,
  TariffVersionsSchema,
  type TariffWithdrawn,
  TariffWithdrawnSchema,
  type WithdrawTariff,
  WithdrawTariffSchema,
} from './gen/roamwatt/tariff_engine/v1/tariff_engine_pb.ts';

const context = 'tariff-engine';

export const getTariff = ask({
  context,
  verb: 'get-tariff',
  request: GetTariffSchema,
  answer: TariffFoundSchema,
  check: filled('tariffId'),
});

export const selectTariff = ask({
  context,
  verb: 'select-tariff',
  request: SelectTariffSchema,
  answer: TariffSelectedSchema,
  check: filled('party', 'tariffIds', 'tokenType', 'at'),
});

export const listTariffs = ask({
  context,
  verb: 'list-tariffs',
  request: ListTariffsSchema,
  answer: PageSchema,
  check: filled('page'),
});

export const listTariffVersions = ask({
  context,
  verb: 'list-tariff-versions',
  request: ListTariffVersionsSchema,
  answer: TariffVersionsSchema,
  check: filled('party', 'tariffId'),
});

export const withdrawTariff = ask({
  context,
  verb: 'withdraw-tariff',
  request: WithdrawTariffSchema,
  answer: ChangedSchema,
  check: filled('tariffId'),
});

export const lintTariff = ask({
  context,
  verb: 'lint-tariff',
  request: LintTariffSchema,
  answer: TariffLintedSchema,
  check: filled('tariffJson'),
});

export const publishTariff = ask({
  context,
  verb: 'publish-tariff',
  request: PublishTariffSchema,
  answer: TariffStandsSchema,
  check: filled('tariffJson'),
});

export const putPartnerTariff = ask({
  context,
  verb: 'put-partner-tariff',
  request: PutPartnerTariffSchema,
  answer: ChangedSchema,
  check: filled('party', 'tariffId', 'bodyJson'),
});

export const deletePartnerTariff = ask({
  context,
  verb: 'delete-partner-tariff',
  request: DeletePartnerTariffSchema,
  answer: ChangedSchema,
  check: filled('party', 'tariffId'),
});

export const quote = ask({
  context,
  verb: 'quote',
  request: QuoteSchema,
  answer: QuotedSchema,
  check: filled('party', 'tariffIds', 'tokenType', 'startAt', 'energyKwh'),
});

export const tariffPublished = tell({
  context,
  thing: 'tariff',
  happened: 'published',
  fact: TariffPublishedSchema,
  key: (fact) => fact.tariffId,
  check: filled('party', 'tariffId', 'version', 'tariffJson'),
});

export const tariffWithdrawn = tell({
  context,
  thing: 'tariff',
  happened: 'withdrawn',
  fact: TariffWithdrawnSchema,
  key: (fact) => fact.tariffId,
  check: filled('party', 'tariffId', 'at'),
});
