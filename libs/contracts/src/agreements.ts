import { fromJson, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf';
import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  type Agreement, AgreementChangedSchema, AgreementFoundSchema, AgreementSchema, AgreementVersionSchema,
  GetAgreementSchema, SetAgreementSchema,
} from './gen/roamwatt/ocpi_gateway/v1/agreements_pb.ts';

export {
  type Agreement, type AgreementChanged, AgreementChangedSchema, type AgreementFound, AgreementFoundSchema,
  type AgreementParty, AgreementSchema, type AgreementVersion, AgreementVersionSchema, type GetAgreement,
  GetAgreementSchema, type SetAgreement, SetAgreementSchema,
} from './gen/roamwatt/ocpi_gateway/v1/agreements_pb.ts';

/** Asked of the ocpi-gateway, which owns them; told from a log of their own. */
const context = 'ocpi-gateway';

export const setAgreement = ask({
  context,
  verb: 'set-agreement',
  request: SetAgreementSchema,
  answer: AgreementVersionSchema,
  check: filled('partner', 'agreement'),
});

export const getAgreement = ask({
  context,
  verb: 'get-agreement',
  request: GetAgreementSchema,
  answer: AgreementFoundSchema,
  check: filled('partner'),
});

export const agreementChanged = tell({
  context: 'agreements',
  thing: 'agreement',
  happened: 'changed',
  fact: AgreementChangedSchema,
  key: ({ partner }) => `${partner?.countryCode}*${partner?.partyId}`.toUpperCase(),
  check: filled('partner', 'version', 'agreement', 'at'),
});

/**
 * An agreement as JSON in the names of its fields, nothing left out; what `agreementOf` reads. The
 * Locations that it grants are a list there.
 */
export function agreementJson(agreement: Agreement): JsonValue {
  const json = toJson(AgreementSchema, agreement, { useProtoFieldName: true, alwaysEmitImplicit: true }) as JsonObject;
  const locations = agreement.grants?.locations?.ids;
  return locations ? { ...json, grants: { ...(json.grants as JsonObject), locations } } : json;
}

/** Throws where the JSON is no agreement. */
export function agreementOf(json: unknown): Agreement {
  const { grants } = json as { grants?: { locations?: unknown } };
  if (grants?.locations === undefined) return fromJson(AgreementSchema, json as JsonValue);
  return fromJson(AgreementSchema, { ...(json as JsonObject), grants: { ...grants, locations: { ids: grants.locations } } } as JsonValue);
}
