import { type CdrToken, ConnectorType, EnvironmentalImpactCategory, ImageCategory, known, Role, sameParty, type Tariff, TokenType } from '#ocpi';
import { filled, type Json, NotCarried, Notes } from './converted.ts';
import { priceDown, priceUp, tariffDown, tariffUp, type TariffOf230 } from './prices-230.ts';

// What is new in 2.3.0 stays on an object as fields that 2.2.1 does not know; only what 2.2.1 would misread is changed.

const costs = [
  'total_cost', 'total_fixed_cost', 'total_energy_cost', 'total_time_cost', 'total_parking_cost', 'total_reservation_cost',
] as const;

type Each = (value: never, notes: Notes) => unknown;

/** The object with some of its fields made anew; undefined takes one away. */
function changed(object: Json, notes: Notes, changes: Readonly<Record<string, Each>>): Json {
  const made = Object.entries(changes).flatMap(([field, change]) =>
    (object[field] === undefined || object[field] === null ? [] : [[field, change(object[field] as never, notes.at(field))]]));
  return filled({ ...object, ...Object.fromEntries(made) });
}

/** Each item of a list made anew; those that come out undefined are left out. */
function each(change: (item: never, notes: Notes) => unknown): Each {
  return (items: readonly unknown[], notes) => items.flatMap((item, i) => change(item as never, notes.at(i)) ?? []);
}

const everyCost = (change: Each) => Object.fromEntries(costs.map((cost) => [cost, change]));

export function chargeDown(object: Json): Json {
  return changed(object, new Notes(), {
    ...everyCost(priceDown as Each), tariffs: each((tariff: Tariff) => tariffDown(tariff, true)),
  });
}

export function chargeUp(object: Json, notes: Notes): Json {
  return changed(object, notes, {
    ...everyCost(priceUp as Each),
    tariffs: each((tariff: TariffOf230, own) => tariffObjectUp(tariff, own)),
    cdr_token: (token: CdrToken, own) => typedUp(token as unknown as Json, own),
    cdr_location: (place: Json, own) => ({ ...place, connector_standard: standIn(place.connector_standard as string, own) }),
  });
}

/** A CDR of a connector that 2.2.1 has no name for is still to be paid. */
const standIns: Readonly<Record<string, string>> = { MCS: 'IEC_62196_T2_COMBO', SAE_J3400: 'TESLA_S' };

function standIn(standard: string, notes: Notes): string {
  if (known(ConnectorType, [standard]).length > 0) return standard;
  const stands = standIns[standard] ?? 'IEC_62196_T2';
  notes.say('connector_standard', `OCPI 2.2.1 has no ${standard}; ${stands} stands for it`);
  return stands;
}

export function tariffObjectUp(tariff: TariffOf230, notes: Notes): Json {
  return changed(tariffUp(tariff, notes), notes, { energy_mix: energyMixUp });
}

/** A Token, or what names one: EMAID and other types of later versions are OTHER. */
export function typedUp(token: Json, notes: Notes): Json {
  return changed(token, notes, { type: (type: string) => typeUp(type, notes) });
}

export function typeUp(type: string, notes = new Notes()): string {
  if (known(TokenType, [type]).length > 0) return type;
  notes.say('type', `OCPI 2.2.1 has no ${type}; OTHER is taken`);
  return 'OTHER';
}

export function withTokenUp(object: Json, notes: Notes): Json {
  return changed(object, notes, { token: typedUp as Each });
}

const imagesUp = each(({ category, ...image }: { category: string }, notes) => {
  if (known(ImageCategory, [category]).length > 0) return { category, ...image };
  notes.say('category', `OCPI 2.2.1 has no ${category}; the image is left out`);
  return undefined;
});

const logoUp = (business: Json, notes: Notes) => changed(business, notes, {
  logo: (logo: never, own) => (imagesUp([logo] as never, own) as unknown[])[0],
});

const energyMixUp: Each = (mix: Json, notes) => changed(mix, notes, {
  environ_impact: each((impact: { category: string }, own) => {
    if (known(EnvironmentalImpactCategory, [impact.category]).length > 0) return impact;
    own.say('category', `OCPI 2.2.1 has no ${impact.category}; it is left out`);
    return undefined;
  }),
});

export function connectorUp(connector: Json, notes: Notes): Json | undefined {
  const { standard } = connector as { standard?: string };
  if (standard === undefined || known(ConnectorType, [standard]).length > 0) return connector;
  notes.say('standard', `OCPI 2.2.1 has no ${standard}; the Connector is left out`);
  return undefined;
}

export function evseUp(evse: Json, notes: Notes): Json | undefined {
  const value = changed(evse, notes, { connectors: each(connectorUp), images: imagesUp });
  if (!Array.isArray(value.connectors) || value.connectors.length > 0) return value;
  notes.say('connectors', 'OCPI 2.2.1 knows none of them; the EVSE is left out');
  return undefined;
}

export function locationUp(location: Json, notes: Notes): Json {
  return changed(location, notes, {
    evses: each(evseUp), images: imagesUp, energy_mix: energyMixUp, operator: logoUp, suboperator: logoUp, owner: logoUp,
    publish_allowed_to: each(typedUp),
  });
}

interface RoleOf extends Json {
  role: string;
  country_code: string;
  party_id: string;
}

/** A Hub is no role in 2.3.0: its party stands beside the roles. */
export function credentialsDown({ roles, ...others }: Json): Json {
  const all = roles as RoleOf[];
  const hub = all.find(({ role }) => role === 'HUB');
  const left = all.filter(({ role }) => role !== 'HUB');
  if (!hub) return { ...others, roles };
  return {
    ...others, hub_party_id: `${hub.country_code}${hub.party_id}`, roles: left.length > 0 ? left : [{ ...hub, role: 'OTHER' }],
  };
}

/** The party of a hub becomes the role that 2.2.1 has for it; beside it are the parties that are reached through it. */
export function credentialsUp({ roles, hub_party_id: hubId, ...others }: Json, notes: Notes): Json {
  const all = roles as RoleOf[];
  const carried = all.filter(({ role }, i) => {
    const isKnown = known(Role, [role]).length > 0;
    if (!isKnown) notes.at('roles').at(i).say('role', `OCPI 2.2.1 has no ${role}; it is left out`);
    return isKnown;
  });
  const [, country_code = '', party_id = ''] = /^([A-Za-z]{2})([A-Za-z0-9]{1,3})$/.exec(String(hubId ?? '')) ?? [];
  if (party_id === '') {
    if (carried.length === 0) throw new NotCarried('invalid', 'roles: none is a role of OCPI 2.2.1');
    return { ...others, roles: carried };
  }
  const isHubs = (one: RoleOf) => sameParty(one, { country_code, party_id });
  const business_details = all.find(isHubs)?.business_details ?? { name: `${country_code}*${party_id}` };
  const behind = carried.filter((one) => !(isHubs(one) && one.role === 'OTHER'));
  return { ...others, roles: [...behind, { role: 'HUB', business_details, party_id, country_code }] };
}
