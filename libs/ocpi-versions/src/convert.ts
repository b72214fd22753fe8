import type { z } from 'zod';
import {
  type AuthorizationInfo, type Cdr, type CommandResponse, type CommandResult, type Connector, type Credentials,
  type Evse, type Location, read, type ReserveNow, type Session, type StartSession, type Tariff, type Token,
} from '#ocpi';
import { cdrDown, cdrUp, sessionDown, sessionUp } from './charges-211.ts';
import * as commands211 from './commands-211.ts';
import type { Context } from './context.ts';
import { type Converted, type Json, NotCarried, Notes } from './converted.ts';
import * as locations211 from './locations-211.ts';
import { normalised } from './normalised-211.ts';
import * as objects230 from './objects-230.ts';
import { isPatched, type Kind, patches, wholes } from './ocpi-221.ts';
import { tariffDown as tariffDown230, type TariffOf230 } from './prices-230.ts';
import { schemaOf } from './schemas.ts';
import * as tariffs211 from './tariffs-211.ts';
import * as tokens211 from './tokens-211.ts';

/** The versions that are spoken beside 2.2.1. */
export type OtherVersion = '2.1.1' | '2.3.0';

/** What a body is: an object of a kind, or a PATCH of one. */
export interface Body {
  readonly kind: Kind;
  readonly patch?: boolean | undefined;
  /** Of AuthorizationInfo: the token that was asked about. */
  readonly asked?: { readonly uid: string; readonly type: string } | undefined;
}

interface Job {
  readonly context: Context;
  readonly notes: Notes;
  readonly whole: boolean;
  readonly body: Body;
}

type Conversion = (value: never, job: Job) => Json | undefined;
type Conversions = Readonly<Record<Kind, { readonly down: Conversion; readonly up: Conversion }>>;

const same = (value: Json) => value;
const asItIs = { down: same, up: same };

const with211: Conversions = {
  location: {
    down: (value: Location, { notes, whole }) => locations211.locationDown(value, notes, whole),
    up: (value: Json, { context, notes, whole }) => locations211.locationUp(value, context.owner, notes, whole),
  },
  evse: {
    down: (value: Evse, { notes, whole }) => locations211.evseDown(value, notes, whole),
    up: (value: Json, { notes }) => locations211.evseUp(value, notes),
  },
  connector: {
    down: (value: Connector, { notes, whole }) => locations211.connectorDown(value, notes, whole),
    up: (value: Json, { notes }) => locations211.connectorUp(value, notes),
  },
  session: {
    down: (value: Session, { context, notes, whole }) => sessionDown(value, context, notes, whole),
    up: (value: Json, { context, notes, whole }) => sessionUp(value, context, notes, whole),
  },
  cdr: {
    down: (value: Cdr, { context, notes }) => cdrDown(value, context, notes),
    up: (value: Json, { context, notes }) => cdrUp(value, context, notes),
  },
  tariff: {
    down: (value: Tariff, { context, notes }) => {
      tariffs211.refuseNotHolding(value, context.now);
      return tariffs211.tariffDown(value, context.owner, notes);
    },
    up: (value: Json, { context, notes, whole }) => tariffs211.tariffUp(value, context.owner, notes, whole),
  },
  token: {
    down: (value: Token, { notes }) => tokens211.tokenDown(value, notes),
    up: (value: Json, { context, notes, whole }) => tokens211.tokenUp(value, context.owner, notes, whole),
  },
  authorization: {
    down: (value: AuthorizationInfo, { notes }) => tokens211.authorizationDown(value, notes),
    up: (value: Json, { context, notes, body }) =>
      tokens211.authorizationUp(value, context, notes, body.asked ?? { uid: '#NA', type: 'OTHER' }),
  },
  references: { down: same, up: (value: Json, { notes }) => tokens211.referencesUp(value, notes) },
  START_SESSION: {
    down: (value: StartSession, { notes }) => commands211.startSessionDown(value, notes),
    up: (value: Json, { context, notes }) => commands211.withTokenUp(value, context, notes),
  },
  RESERVE_NOW: {
    down: (value: ReserveNow, { notes }) => commands211.reserveNowDown(value, notes),
    up: (value: Json, { context, notes }) => commands211.withTokenUp(value, context, notes),
  },
  CANCEL_RESERVATION: { down: commands211.cancelReservationDown, up: same },
  STOP_SESSION: asItIs,
  UNLOCK_CONNECTOR: asItIs,
  response: {
    down: (value: CommandResponse, { notes }) => commands211.responseDown(value, notes),
    up: (value: Json, { notes }) => commands211.responseUp(value, notes),
  },
  result: {
    down: (value: CommandResult, { notes }) => commands211.resultDown(value, notes),
    up: (value: Json, { notes }) => commands211.resultUp(value, notes),
  },
  credentials: {
    down: (value: Credentials, { notes }) => commands211.credentialsDown(value, notes),
    up: (value: Json, { context }) => commands211.credentialsUp(value, context.roles ?? []),
  },
};

const withTokenOf230 = { down: same, up: (value: Json, { notes }: Job) => objects230.withTokenUp(value, notes) };
const chargeOf230 = { down: objects230.chargeDown, up: (value: Json, { notes }: Job) => objects230.chargeUp(value, notes) };

const with230: Conversions = {
  location: { down: same, up: (value: Json, { notes }) => objects230.locationUp(value, notes) },
  evse: { down: same, up: (value: Json, { notes }) => objects230.evseUp(value, notes) },
  connector: { down: same, up: (value: Json, { notes }) => objects230.connectorUp(value, notes) },
  session: chargeOf230,
  cdr: chargeOf230,
  tariff: {
    down: (value: Tariff, { whole }) => tariffDown230(value, whole),
    up: (value: TariffOf230, { notes }) => objects230.tariffObjectUp(value, notes),
  },
  token: { down: same, up: (value: Json, { notes }) => objects230.typedUp(value, notes) },
  authorization: withTokenOf230,
  references: asItIs,
  START_SESSION: withTokenOf230,
  RESERVE_NOW: withTokenOf230,
  CANCEL_RESERVATION: asItIs,
  STOP_SESSION: asItIs,
  UNLOCK_CONNECTOR: asItIs,
  response: asItIs,
  result: asItIs,
  credentials: { down: objects230.credentialsDown, up: (value: Json, { notes }) => objects230.credentialsUp(value, notes) },
};

const conversions: Readonly<Record<OtherVersion, Conversions>> = { '2.1.1': with211, '2.3.0': with230 };

/** An object of 2.2.1 as another version says it: what comes out is by that version's letter, or it is refused. */
export function down(to: OtherVersion, body: Body, value: unknown, context: Context): Converted {
  return converted(body, context, ({ notes, ...job }) => {
    const own = read(coreSchema(body, job.whole), value);
    if (!own.ok) throw new NotCarried('invalid', own.message);
    const made = conversions[to][body.kind].down(own.value as never, { notes, ...job });
    if (made === undefined) throw new NotCarried('cannot-be-said', notes.lost.at(-1) ?? `OCPI ${to} cannot say it`);
    const reading = read(schemaOf(to, body), made, to);
    if (!reading.ok) throw new NotCarried('cannot-be-said', reading.message);
    return made;
  });
}

/** An object of another version as 2.2.1 says it. */
export function up(from: OtherVersion, body: Body, value: unknown, context: Context): Converted {
  return converted(body, context, ({ notes, ...job }) => {
    const given = from === '2.1.1' ? normalised(value, { notes, now: job.whole ? undefined : context.now }) : value;
    const reading = read(schemaOf(from, body), given, from);
    if (!reading.ok) throw new NotCarried('invalid', reading.message);
    const made = conversions[from][body.kind].up(reading.value as never, { notes, ...job });
    if (made === undefined) throw new NotCarried('cannot-be-said', notes.lost.at(-1) ?? 'OCPI 2.2.1 cannot say it');
    const core = read(coreSchema(body, job.whole), made);
    if (!core.ok) throw new NotCarried('invalid', core.message);
    return made;
  });
}

function coreSchema({ kind }: Body, whole: boolean): z.ZodType {
  return !whole && isPatched(kind) ? patches[kind] : wholes[kind];
}

/** A Location of ours that is no longer published, for a partner of 2.1.1 that knew it: all its EVSEs are removed. */
export function withdrawn(location: Location): Converted {
  const notes = new Notes();
  return { ok: true, value: locations211.withdrawnDown(location, notes), lost: notes.lost };
}

function converted(body: Body, context: Context, convert: (job: Job) => Json): Converted {
  const notes = new Notes();
  try {
    const value = convert({ context, notes, whole: !body.patch || !isPatched(body.kind), body });
    return { ok: true, value, lost: notes.lost };
  } catch (error) {
    if (error instanceof NotCarried) return { ok: false, why: error.why, message: error.message };
    throw error;
  }
}
