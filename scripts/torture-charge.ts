import { told, type Fact } from '#bus';
import { toJsonBytes } from '#contracts';
import { sessionEnded } from '#contracts/sessions';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, type Location, type Party } from '#ocpi';
import { exampleTerms } from '#settlement';

/** What was agreed on between the two, which makes fees of all three kinds, in two versions. */
const fee = exampleTerms.fees[0]!;
export const agreed = [
  {
    ...exampleTerms,
    closing_days: 2,
    fees: [
      ...exampleTerms.fees,
      { ...fee, name: 'Clearing', per: 'percent' as const, amount: '1.25', currency: '', paid_by: 'CPO' as const },
      { ...fee, name: 'Energy', cdrs_of: { country_code: 'CA', party_id: 'CPK' }, per: 'kwh' as const, amount: '0.0123' },
    ],
  },
  { ...exampleTerms, valid_from: '2022-04', time_zone: 'America/Toronto', closing_days: 5, fees: exampleTerms.fees.slice(0, 1) },
];

const places: readonly Partial<Location>[] = [{ state: 'BC' }, { state: 'QC' }, { state: 'NS' }];

export interface ToldCharge {
  readonly issuer: Party;
  readonly receiver: Party;
  readonly session: string;
  readonly energyWh: string;
  readonly place: number;
}

/** A session's end as `sessions` tells it; a third of them in a currency with three decimals. */
export function chargeEnded({ issuer, receiver, session, energyWh, place }: ToldCharge): Fact {
  const { country_code, party_id } = issuer;
  const own = { country_code, party_id };
  const owner = { country_code: receiver.country_code, party_id: receiver.party_id };
  const { charging_periods: _, ...ended } = exampleSession;
  const cdr_token = { ...exampleSession.cdr_token, ...owner };
  return told(sessionEnded, {
    sessionId: session,
    tokenParty: { countryCode: owner.country_code, partyId: owner.party_id },
    sessionJson: toJsonBytes({ ...ended, ...own, id: session, cdr_token }),
    locationJson: toJsonBytes({ ...exampleLocation, ...own, ...places[place] }),
    tariffJson: toJsonBytes({ ...exampleTariff, ...own, currency: place === 2 ? 'KWD' : 'CAD' }),
    tariffVersion: 1,
    tokenJson: toJsonBytes({ ...exampleToken, ...owner }),
    energyWh,
  });
}
