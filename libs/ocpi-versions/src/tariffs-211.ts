import { instantMs, type Party, sameParty, type Tariff, type TariffElement, type TariffRestrictions } from '#ocpi';
import { Fields, filled, type Json, NotCarried, Notes } from './converted.ts';
import { energyMixDown, energyMixUp } from './locations-211.ts';
import { tariffFields } from './ocpi-221.ts';

/**
 * A Tariff, or what a PATCH of it says. One whose elements mean something else without what 2.1.1 cannot
 * say is not sent at all: a wrong price is worse than none.
 */
export function tariffDown(tariff: Partial<Tariff>, owner: Party, notes: Notes): Json {
  const from = new Fields(tariff, notes);
  const party = from.same('country_code', 'party_id') as Partial<Party>;
  if (party.country_code !== undefined && party.party_id !== undefined && !sameParty(party as Party, owner)) {
    const why = `${party.country_code}*${party.party_id}: the Tariff goes as one of ${owner.country_code}*${owner.party_id}`;
    for (const field of ['country_code', 'party_id']) notes.say(field, why);
  }
  const elements = from.take('elements');
  const energyMix = from.take('energy_mix');
  for (const bound of ['min_price', 'max_price'] as const)
    if (from.take(bound)) notes.say(bound, `OCPI 2.1.1 has none: drivers see no ${bound === 'min_price' ? 'least' : 'most'} that a charge costs, and are billed by it`);
  const value = filled({
    ...from.same('id', 'currency', 'tariff_alt_text', 'tariff_alt_url'),
    elements: elements && elementsDown(elements, notes),
    energy_mix: energyMix && energyMixDown(energyMix),
    ...from.same('last_updated'),
  });
  from.restIsLost();
  return value;
}

/** 2.1.1 has no type, no start_date_time and no end_date_time: a Tariff that it hears of holds now, for every driver of its own. */
export function refuseNotHolding({ type, start_date_time: start, end_date_time: end }: Partial<Tariff>, now: string): void {
  const at = instantMs(now)!;
  const why =
    type !== undefined && type !== 'REGULAR'
      ? `type: ${type} is for ${type === 'AD_HOC_PAYMENT' ? 'none who comes by contract' : 'drivers with that profile'}, OCPI 2.1.1 would have it for all`
      : start !== undefined && instantMs(start)! > at
        ? 'start_date_time: the Tariff is not yet valid, OCPI 2.1.1 would have it valid at once'
        : end !== undefined && instantMs(end)! <= at
          ? 'end_date_time: the Tariff is no longer valid, OCPI 2.1.1 would have it valid still'
          : undefined;
  if (why !== undefined) throw new NotCarried('unpublished', why);
}

function elementsDown(elements: readonly TariffElement[], notes: Notes): Json[] {
  const carried = elements.flatMap<Json>((element, i) => elementDown(element, notes.at('elements').at(i)) ?? []);
  if (carried.length > 0) return carried;
  throw new NotCarried('cannot-be-said', 'elements: all are for reservations, which OCPI 2.1.1 has no prices for');
}

function elementDown({ price_components, restrictions, ...others }: TariffElement, notes: Notes): Json | undefined {
  if (restrictions?.reservation !== undefined) {
    notes.say('restrictions', 'OCPI 2.1.1 has no prices for reservations; the element is not sent');
    return undefined;
  }
  const from = new Fields<TariffRestrictions>(restrictions ?? {}, notes.at('restrictions'));
  const current =
    restrictions?.min_current !== undefined
      ? 'min_current'
      : restrictions?.max_current !== undefined
        ? 'max_current'
        : undefined;
  if (current)
    throw new NotCarried(
      'cannot-be-said',
      `restrictions.${current}: OCPI 2.1.1 has none; without it the element would hold where it must not`,
    );
  const kept = from.same(
    'start_time',
    'end_time',
    'start_date',
    'end_date',
    'min_kwh',
    'max_kwh',
    'min_power',
    'max_power',
    'min_duration',
    'max_duration',
    'day_of_week',
  );
  from.restIsLost();
  const components = price_components.map((component, i) => {
    const fields = new Fields(component, notes.at('price_components').at(i));
    const value = fields.same('type', 'price', 'step_size');
    fields.restIsLost();
    return value;
  });
  return { ...others, price_components: components, ...(restrictions ? { restrictions: kept } : {}) };
}

/** A Tariff of 2.1.1, or what a PATCH of it says. Its prices are excl. VAT, as ours are; no VAT is named. */
export function tariffUp(tariff: Json, { country_code, party_id }: Party, notes: Notes, whole: boolean): Json {
  const from = new Fields(tariff, notes);
  const energyMix = from.take('energy_mix') as Json | undefined;
  return filled({
    ...(whole ? { country_code, party_id } : {}),
    ...from.same('id', 'currency', 'tariff_alt_text', 'tariff_alt_url', 'elements'),
    energy_mix: energyMix && energyMixUp(energyMix),
    ...from.same('last_updated'),
    ...from.restIsKept(tariffFields),
  });
}
