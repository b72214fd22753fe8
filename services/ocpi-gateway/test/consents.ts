import { agreementOf, setAgreement } from '#contracts/agreements';
import { exampleSession, type Session } from '#ocpi';
import { openDatabase } from '#postgres';
import { exampleTerms, localMonth } from '#settlement';
import { zone } from '#time';
import type { HandPartner } from './hand-partner.ts';
import type { Side } from './side.ts';

// A driver of Carbon Plunk's, who consents, and what a smart charging service provider asks.

export const contract = 'CA-CPK-C00000002-H';
export const provider = ['SENDER chargingprofiles', 'RECEIVER sessions'];

export const consent = { token_party: { country_code: 'CA', party_id: 'CPK' }, contract_ids: [contract], consent: 'the driver, in the app' };
export const agree = (side: Side, own: number, partyId: string, ...granted: object[]) => side.neighbours.bus.ask(setAgreement, {
  partner: { countryCode: 'CA', partyId },
  agreement: agreementOf({
    ...exampleTerms, fees: [], valid_from: localMonth(Date.now(), zone(exampleTerms.time_zone)), grants: { smart_charging: granted },
    parties: [exampleTerms.parties[own]!, { ...exampleTerms.parties[1]!, party_id: partyId, name: 'A provider' }],
  }),
});

let spoken = 0;
const { end_date_time: _end, charging_periods: _periods, ...begun } = exampleSession;
/** Of the driver, at Montreal's. */
export function session(id: string, more: object = {}): Session {
  spoken += 1;
  return {
    ...begun, party_id: 'MTL', id, status: 'ACTIVE', start_date_time: new Date().toISOString(), authorization_reference: 'REF',
    cdr_token: { country_code: 'CA', party_id: 'CPK', uid: '04A2B3C4D5E680', type: 'RFID', contract_id: contract },
    last_updated: new Date(Date.now() + spoken).toISOString(), ...more,
  };
}
export const pushedTo = (partner: HandPartner) => partner.seen.filter(({ what }) => what.startsWith('PUT /sessions/'));

export const profile = (limit: number, more: object = {}) =>
  ({ charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }], ...more });
export const at = (path: string) => `/ocpi/2.2.1/receiver/chargingprofiles/${path}`;
export const answered = async (asked: Promise<{ data?: unknown }>) => ((await asked).data as { result: string } | undefined)?.result;

/** So many rows of the gateway's. */
export async function count(rows: string, side: Side): Promise<number> {
  const db = await openDatabase({ url: side.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  try {
    return (await db.query(`SELECT FROM ${rows}`)).rowCount;
  } finally {
    await db.close();
  }
}
