import {
  type AuthMethod, type Cdr, type CdrLocation, type CdrToken, type ChargingPeriod, type Connector, findEvse, known,
  type Location, type Price, sameId, sameParty, type Session, type Tariff,
} from '#ocpi';
import type { Context } from './context.ts';
import { cut, Fields, filled, type Json, NotCarried, Notes } from './converted.ts';
import { anyLocationDown, type LocationOf211, powerTypeDown } from './locations-211.ts';
import { CdrDimensionType, ConnectorType } from './ocpi-211.ts';
import { cdrFields, sessionFields } from './ocpi-221.ts';
import { tariffDown, tariffUp } from './tariffs-211.ts';

// Sessions and CDRs: 2.1.1 sends the place along and names the driver by the auth_id of the Token.

/** Stands where a charge has to name a connector that 2.1.1 has no name for; a Location leaves it out instead. */
const standIns: Readonly<Record<string, string>> = {
  CHAOJI: 'CHADEMO',
  GBT_DC: 'CHADEMO',
  GBT_AC: 'IEC_62196_T2',
  DOMESTIC_M: 'DOMESTIC_D',
  DOMESTIC_N: 'DOMESTIC_D',
  DOMESTIC_O: 'DOMESTIC_D',
  PANTOGRAPH_BOTTOM_UP: 'IEC_62196_T2_COMBO',
  PANTOGRAPH_TOP_DOWN: 'IEC_62196_T2_COMBO',
};

function standardDown(standard: string, field: string, notes: Notes): string {
  if (known(ConnectorType, [standard]).length > 0) return standard;
  const standIn = standIns[standard] ?? 'DOMESTIC_B';
  notes.say(field, `OCPI 2.1.1 has no ${standard}; ${standIn} stands for it`);
  return standIn;
}

/** A Session, or what a PATCH of it says. */
export function sessionDown(session: Partial<Session>, context: Context, notes: Notes, whole: boolean): Json {
  const from = new Fields(session, notes);
  from.same('country_code', 'party_id');
  const place = from.same('location_id', 'evse_uid', 'connector_id');
  if (!whole && Object.keys(place).length > 0)
    throw new NotCarried('cannot-be-said', 'location: a PATCH of OCPI 2.1.1 would need all of it');
  if (!whole && session.charging_periods !== undefined) {
    throw new NotCarried('cannot-be-said', 'charging_periods: OCPI 2.1.1 does not say that a PATCH appends them');
  }
  const token = from.take('cdr_token');
  const cost = from.take('total_cost');
  const periods = from.take('charging_periods');
  const status = from.take('status');
  if (status === 'RESERVATION') notes.say('status', 'OCPI 2.1.1 has no RESERVATION; PENDING is sent');
  const value = filled({
    ...from.same('id'),
    start_datetime: from.take('start_date_time'),
    end_datetime: from.take('end_date_time'),
    ...from.same('kwh'),
    auth_id: token && authIdDown(token, context, notes),
    auth_method: methodDown(from.take('auth_method'), notes),
    location: whole ? placeDown(session as Session, context.location, notes) : undefined,
    ...from.same('meter_id', 'currency'),
    charging_periods: periods && periodsDown(periods, notes),
    total_cost: cost && costDown(cost, notes.at('total_cost')),
    status: status === 'RESERVATION' ? 'PENDING' : status,
    ...from.same('last_updated'),
  });
  from.restIsLost();
  return value;
}

function authIdDown({ contract_id }: CdrToken, { other }: Context, notes: Notes): string {
  notes.say('cdr_token', `is known by its auth_id alone, as a token of ${other.country_code}*${other.party_id}`);
  return contract_id;
}

function methodDown(method: AuthMethod | undefined, notes: Notes): AuthMethod | undefined {
  if (method !== 'COMMAND') return method;
  notes.say('auth_method', 'OCPI 2.1.1 has no COMMAND; AUTH_REQUEST is sent');
  return 'AUTH_REQUEST';
}

function costDown({ excl_vat, ...price }: Price, notes: Notes): number {
  if (price.incl_vat !== undefined) notes.say('incl_vat', 'costs are excluding VAT in OCPI 2.1.1');
  return excl_vat;
}

/** The Location with the one EVSE and Connector; whether it is published does not matter to who charges there. */
function placeDown({ evse_uid, connector_id }: Session, location: Location | undefined, notes: Notes): Json {
  if (!location) throw new NotCarried('cannot-be-said', 'location_id: the Location is not known, and OCPI 2.1.1 sends it along');
  const evse = findEvse(location, evse_uid);
  const connectors = evse?.connectors.filter(({ id }) => sameId(id, connector_id)) ?? [];
  if (!evse || connectors.length === 0) {
    notes.say('evse_uid', 'the EVSE and Connector are not in the Location; none is sent');
    return anyLocationDown({ ...location, evses: [] }, new Notes(), true);
  }
  const named = connectors.map((connector): Connector =>
    ({ ...connector, standard: standardDown(connector.standard, 'connector_id', notes) as Connector['standard'] }));
  return anyLocationDown({ ...location, evses: [{ ...evse, connectors: named }] }, new Notes(), true);
}

/** Volumes that 2.1.1 has no dimension for are left out; so is which Tariff a period is under. */
function periodsDown(periods: readonly ChargingPeriod[], notes: Notes): Json[] {
  return periods.map((period, i) => {
    const from = new Fields(period, notes.at('charging_periods').at(i));
    const dimensions = from.take('dimensions')!;
    const carried = dimensions.filter(({ type }) => known(CdrDimensionType, [type]).length > 0);
    const gone = dimensions.filter((one) => !carried.includes(one)).map(({ type }) => type);
    if (gone.length > 0) from.notes.say('dimensions', `OCPI 2.1.1 has no ${gone.join(', ')}`);
    const value = { ...from.same('start_date_time'), dimensions: orNone(carried) };
    from.restIsLost();
    return value;
  });
}

/** A period has at least one dimension. */
function orNone(dimensions: readonly Json[]): readonly Json[] {
  return dimensions.length > 0 ? dimensions : [{ type: 'ENERGY', volume: 0 }];
}

/** A CDR is made of itself alone: a repeat is the same to the letter. A Credit CDR cannot be said, nor so what comes in its place. */
export function cdrDown(cdr: Cdr, context: Context, notes: Notes): Json {
  if (cdr.credit)
    throw new NotCarried(
      'cannot-be-said',
      'credit: OCPI 2.1.1 has no Credit CDR; what it credits is to be settled by other means',
    );
  if (![context.owner, context.other].some((party) => sameParty(party, cdr)))
    throw new NotCarried(
      'cannot-be-said',
      `party_id: a CDR of OCPI 2.1.1 names no party, and would be taken for one of ${context.owner.country_code}*${context.owner.party_id}, as whom the partner knows us; it is to be settled by other means`,
    );
  if (replacesAnother(cdr))
    throw new NotCarried(
      'cannot-be-said',
      'id: it replaces a CDR whose Credit CDR OCPI 2.1.1 does not have, and would be a second bill; the difference is to be settled by other means',
    );
  const from = new Fields(cdr, notes);
  from.same('country_code', 'party_id', 'credit');
  const value = filled({
    ...from.same('id', 'start_date_time'),
    stop_date_time: from.take('end_date_time'),
    auth_id: authIdDown(from.take('cdr_token')!, context, notes),
    auth_method: methodDown(from.take('auth_method'), notes),
    location: cdrPlaceDown(from.take('cdr_location')!, cdr.last_updated, notes.at('cdr_location')),
    ...from.same('meter_id', 'currency'),
    tariffs: from.take('tariffs')?.flatMap((tariff, i) => sealedTariff(tariff, context, notes.at('tariffs').at(i)) ?? []),
    charging_periods: periodsDown(from.take('charging_periods')!, notes),
    total_cost: costDown(from.take('total_cost')!, notes.at('total_cost')),
    ...from.same('total_energy', 'total_time', 'total_parking_time', 'remark', 'last_updated'),
  });
  from.restIsLost();
  return value;
}

/** The n-th CDR of a session of ours is `<session>-<n>`; the one before it was credited. CDR-05. */
function replacesAnother({ id, session_id }: Cdr): boolean {
  if (session_id === undefined || !id.startsWith(`${session_id}-`)) return false;
  const number = id.slice(session_id.length + 1);
  return /^\d+$/.test(number) && number !== '1';
}

/** A CDR says what it cost: a Tariff that cannot be said is left out of it. */
function sealedTariff(tariff: Tariff, { owner }: Context, notes: Notes): Json | undefined {
  const own = new Notes();
  try {
    const value = tariffDown(tariff, owner, own);
    for (const each of own.lost) notes.say(...split(each));
    return value;
  } catch (error) {
    if (!(error instanceof NotCarried)) throw error;
    notes.say('id', `the Tariff is left out: ${error.message}`);
    return undefined;
  }
}

function split(noted: string): [field: string, why: string] {
  const at = noted.indexOf(': ');
  return [noted.slice(0, at), noted.slice(at + 2)];
}

function cdrPlaceDown(place: CdrLocation, at: string, notes: Notes): Json {
  const from = new Fields(place, notes);
  const standard = standardDown(from.take('connector_standard')!, 'connector_standard', notes);
  const power_type = powerTypeDown(from.take('connector_power_type'), notes, 'connector_power_type');
  const connector = {
    id: from.take('connector_id')!,
    standard,
    format: from.take('connector_format')!,
    power_type,
    voltage: 0,
    amperage: 0,
    last_updated: at,
  };
  // What a reservation without a charge has for an EVSE names none.
  const { evse_uid: uid, evse_id } = from.same('evse_uid', 'evse_id') as Pick<CdrLocation, 'evse_uid' | 'evse_id'>;
  const evses =
    uid === '#NA' || connector.id === '#NA'
      ? []
      : [{ uid, evse_id, status: 'UNKNOWN', connectors: [connector], last_updated: at }];
  if (evses.length === 0) notes.say('evse_uid', 'OCPI 2.1.1 has no "#NA"; no EVSE is sent');
  const address = cut(from.take('address')!, 45, 'address', notes);
  const { coordinates, name, ...rest } = anyLocationDown(
    from.same('id', 'name', 'city', 'postal_code', 'country', 'coordinates'),
    notes,
    true,
  );
  const value = { ...rest, ...(name === undefined ? {} : { name }), coordinates, address, evses, last_updated: at };
  from.restIsLost();
  return value;
}

/** A Session of 2.1.1, or what a PATCH of it says. */
export function sessionUp(session: Json, context: Context, notes: Notes, whole: boolean): Json {
  const from = new Fields(session, notes);
  const { country_code, party_id } = context.owner;
  const location = from.take('location') as LocationOf211 | undefined;
  const authId = from.take('auth_id') as string | undefined;
  const periods = from.take('charging_periods') as PeriodOf211[] | undefined;
  const cost = from.take('total_cost');
  const evse = location?.evses?.[0];
  if (location && (location.evses?.length !== 1 || evse?.connectors.length !== 1)) {
    notes.say('location.evses', 'is not one EVSE with one Connector; the first is taken');
  }
  return filled({
    ...(whole ? { country_code, party_id } : {}),
    ...from.same('id'),
    start_date_time: from.take('start_datetime'),
    end_date_time: from.take('end_datetime'),
    ...from.same('kwh'),
    cdr_token: authId === undefined ? undefined : tokenUp(authId, context, notes),
    ...from.same('auth_method'),
    ...(location ? { location_id: location.id, evse_uid: evse?.uid ?? '#NA', connector_id: evse?.connectors[0]?.id ?? '#NA' } : {}),
    ...from.same('meter_id', 'currency'),
    charging_periods: periods && periodsUp(periods, notes),
    total_cost: cost === undefined ? undefined : { excl_vat: cost },
    ...from.same('status', 'last_updated'),
    ...from.restIsKept(sessionFields),
  });
}

function tokenUp(authId: string, { cdrToken, other }: Context, notes: Notes): CdrToken {
  if (cdrToken) return cdrToken;
  notes.say('auth_id', 'is of no known Token; it stands for its uid');
  return { country_code: other.country_code, party_id: other.party_id, uid: authId, type: 'OTHER', contract_id: authId };
}

interface PeriodOf211 extends Json {
  dimensions: { type: string }[];
}

/** FLAT is no volume: that an element with a FLAT price was active shows in the Tariff. */
function periodsUp(periods: readonly PeriodOf211[], notes: Notes): Json[] {
  return periods.map(({ dimensions, ...period }, i) => {
    const carried = dimensions.filter(({ type }) => type !== 'FLAT');
    if (carried.length < dimensions.length) notes.at('charging_periods').at(i).say('dimensions', 'OCPI 2.2.1 has no FLAT');
    return { ...period, dimensions: orNone(carried as unknown as Json[]) };
  });
}

export function cdrUp(cdr: Json, context: Context, notes: Notes): Json {
  const from = new Fields(cdr, notes);
  const { country_code, party_id } = context.owner;
  const tariffs = from.take('tariffs') as Json[] | undefined;
  return filled({
    country_code,
    party_id,
    ...from.same('id', 'start_date_time'),
    end_date_time: from.take('stop_date_time'),
    cdr_token: tokenUp(from.take('auth_id') as string, context, notes),
    ...from.same('auth_method'),
    cdr_location: cdrPlaceUp(from.take('location') as LocationOf211, notes.at('location')),
    ...from.same('meter_id', 'currency'),
    tariffs: tariffs?.map((tariff, i) => tariffUp(tariff, context.owner, notes.at('tariffs').at(i), true)),
    charging_periods: periodsUp(from.take('charging_periods') as PeriodOf211[], notes),
    total_cost: { excl_vat: from.take('total_cost') },
    ...from.same('total_energy', 'total_time', 'total_parking_time', 'remark', 'last_updated'),
    ...from.restIsKept(cdrFields),
  });
}

function cdrPlaceUp({ id, name, address, city, postal_code, country, coordinates, evses = [] }: LocationOf211, notes: Notes): Json {
  const [evse] = evses;
  const connector = evse?.connectors[0];
  if (evses.length !== 1 || evse?.connectors.length !== 1) notes.say('evses', 'is not one EVSE with one Connector; the first is taken');
  if (evse && evse.evse_id === undefined) notes.say('evses[0].evse_id', 'is not given; the uid stands for it');
  return filled({
    id, name, address, city, country, coordinates,
    postal_code: postal_code === '-' || postal_code === '' ? undefined : postal_code,
    evse_uid: evse?.uid ?? '#NA',
    evse_id: evse?.evse_id ?? evse?.uid ?? '#NA',
    connector_id: connector?.id ?? '#NA',
    connector_standard: connector?.standard ?? 'IEC_62196_T2',
    connector_format: connector?.format ?? 'SOCKET',
    connector_power_type: connector?.power_type ?? 'AC_1_PHASE',
  });
}
