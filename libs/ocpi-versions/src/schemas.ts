import type { z } from 'zod';
import { list, object, optional } from '#ocpi';
import type { Body, OtherVersion } from './convert.ts';
import * as ocpi211 from './ocpi-211.ts';
import { ocpi230 } from './ocpi-230.ts';
import { isPatched, type Kind, type PatchedKind, wholes } from './ocpi-221.ts';

/** Each kind as 2.1.1 has it; what it has no word for is read as 2.2.1 has it, and never sent. */
const schemas211: Readonly<Record<Kind, z.ZodType>> = {
  location: ocpi211.Location, evse: ocpi211.Evse, connector: ocpi211.Connector, session: ocpi211.Session, cdr: ocpi211.Cdr,
  tariff: ocpi211.Tariff, token: ocpi211.Token, references: ocpi211.LocationReferences, authorization: ocpi211.AuthorizationInfo,
  START_SESSION: ocpi211.StartSession, STOP_SESSION: ocpi211.StopSession, RESERVE_NOW: ocpi211.ReserveNow,
  UNLOCK_CONNECTOR: ocpi211.UnlockConnector, CANCEL_RESERVATION: wholes.CANCEL_RESERVATION,
  response: ocpi211.CommandResponse, result: ocpi211.CommandResponse, credentials: ocpi211.Credentials,
};

const schemas230: Readonly<Record<Kind, z.ZodType>> = { ...wholes, ...ocpi230 };

/** Any of the fields; in a PATCH of 2.1.1 not even last_updated is required. */
function anyOf(schema: z.ZodType, own: z.ZodRawShape = {}): z.ZodObject {
  const { shape } = schema as z.ZodObject;
  return object('PATCH', Object.fromEntries(Object.keys(shape).map((key) => [key, optional((own[key] ?? shape[key]) as z.ZodType)])));
}

function patchesOf(schemas: Readonly<Record<Kind, z.ZodType>>): Readonly<Record<PatchedKind, z.ZodType>> {
  const evse = anyOf(schemas.evse);
  return {
    location: anyOf(schemas.location, { evses: list(evse) }), evse, connector: anyOf(schemas.connector), session: anyOf(schemas.session),
    token: anyOf(schemas.token), tariff: anyOf(schemas.tariff),
  };
}

const whole: Readonly<Record<OtherVersion, Readonly<Record<Kind, z.ZodType>>>> = { '2.1.1': schemas211, '2.3.0': schemas230 };
const partial = { '2.1.1': patchesOf(schemas211), '2.3.0': patchesOf(schemas230) };

export function schemaOf(version: OtherVersion, { kind, patch }: Body): z.ZodType {
  return patch && isPatched(kind) ? partial[version][kind] : whole[version][kind];
}
