import type { Cdr, CdrLocation } from './cdrs.ts';
import type { Price } from './fields.ts';
import type { Connector, Evse, Location } from './locations.ts';

/**
 * The Credit CDR of a CDR: all of it, under the id `<id>-C`, with the original's id and only total_cost
 * negated; energy, times and sub-totals stay as they were. `at` is its last_updated. CDR-04.
 * A Credit CDR is never credited: throws.
 */
export function creditCdr(cdr: Cdr, at: string): Cdr {
  if (cdr.credit) throw new TypeError(`CDR ${cdr.id} is a Credit CDR and cannot be credited`);
  return {
    ...cdr,
    id: `${cdr.id}-C`,
    credit: true,
    credit_reference_id: cdr.id,
    total_cost: negated(cdr.total_cost),
    last_updated: at,
  };
}

function negated(price: Price): Price {
  const { excl_vat, incl_vat } = price;
  return {
    ...price,
    excl_vat: 0 - excl_vat, // Never -0.
    ...(incl_vat === undefined ? {} : { incl_vat: 0 - incl_vat }),
  };
}

/**
 * The place of a charge as a CDR seals it. Address and state are cut to what a CDR may hold, 45 and 20
 * characters (D18). Throws for an EVSE without evse_id: a CDR needs it (CDR-14).
 */
export function cdrLocation(location: Location, evse: Evse, connector: Connector): CdrLocation {
  if (evse.evse_id === undefined) throw new TypeError(`EVSE ${evse.uid} has no evse_id, which its CDRs need`);
  return {
    id: location.id,
    ...(location.name === undefined ? {} : { name: location.name }),
    address: cut(location.address, 45),
    city: location.city,
    ...(location.postal_code === undefined ? {} : { postal_code: location.postal_code }),
    ...(location.state === undefined ? {} : { state: cut(location.state, 20) }),
    country: location.country,
    coordinates: location.coordinates,
    evse_uid: evse.uid,
    evse_id: evse.evse_id,
    connector_id: connector.id,
    connector_standard: connector.standard,
    connector_format: connector.format,
    connector_power_type: connector.power_type,
  };
}

function cut(text: string, max: number): string {
  return [...text].slice(0, max).join('');
}
