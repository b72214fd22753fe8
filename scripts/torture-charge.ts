import { told, type Fact } from '#bus';
import { toJsonBytes } from '#contracts';
import { sessionEnded } from '#contracts/sessions';
import { tokenChanged } from '#contracts/tokens-auth';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, type Location, type Party, type Token } from '#ocpi';
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

/** What drivers pay for it: both ledgers keep accounts of the drivers of their own party. */
export const retail = {
  default_plan: 'plus',
  limits: { CAD: '250' },
  plans: [
    {
      id: 'plus',
      name: 'Plus',
      versions: [{ from: '2022-01-01T08:00:00Z', kind: 'mark-up', per_session: { CAD: '0.50' }, percent: '5' }],
    },
  ],
};

/** The one driver of a party, who has all its charges. */
export function driverOf({ country_code, party_id }: Party): Token {
  return { ...exampleToken, country_code, party_id };
}

/** That its tokens-auth has issued the driver's token. */
export function tokenIssued(party: Party): Fact {
  const { uid, type, last_updated: lastUpdated } = driverOf(party);
  return told(tokenChanged, {
    own: true,
    party: { countryCode: party.country_code, partyId: party.party_id },
    uid,
    type,
    lastUpdated,
    tokenJson: toJsonBytes(driverOf(party)),
  });
}

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
  const { uid, contract_id } = driverOf(receiver);
  const cdr_token = { ...exampleSession.cdr_token, ...owner, uid, contract_id };
  return told(sessionEnded, {
    sessionId: session,
    tokenParty: { countryCode: owner.country_code, partyId: owner.party_id },
    sessionJson: toJsonBytes({ ...ended, ...own, id: session, cdr_token }),
    locationJson: toJsonBytes({ ...exampleLocation, ...own, ...places[place] }),
    tariffJson: toJsonBytes({ ...exampleTariff, ...own, currency: place === 2 ? 'KWD' : 'CAD' }),
    tariffVersion: 1,
    tokenJson: toJsonBytes(driverOf(receiver)),
    energyWh,
  });
}
