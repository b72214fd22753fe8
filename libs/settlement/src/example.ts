import type { CdrToSettle } from './settled.ts';
import type { AgreementTerms } from './terms.ts';

/** An agreement and a CDR for tests of whoever settles. */

export const exampleTerms: AgreementTerms = {
  valid_from: '2022-02',
  time_zone: 'America/Vancouver',
  closing_days: 10,
  payment_days: 30,
  currencies: ['CAD'],
  fee_tax_place: 'payer',
  parties: [
    {
      country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS Inc.',
      address: ['3700 Willingdon Avenue', 'Burnaby BC V5G 3H2', 'Canada'],
      country: 'CAN', state: 'BC', postal_code: 'V5G 3H2',
      registrations: [{ tax: 'GST/HST', number: '123456789 RT0001' }],
    },
    {
      country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk Ltée',
      address: ['1250, boulevard René-Lévesque Ouest', 'Montréal QC H3B 4W8', 'Canada'],
      country: 'CAN', state: 'QC', postal_code: 'H3B 4W8',
      registrations: [
        { tax: 'GST/HST', number: '987654321 RT0001' },
        { tax: 'QST', number: '1234567890 TQ0001' },
      ],
    },
  ],
  fees: [
    {
      name: 'Roaming fee', cdrs_of: { country_code: 'CA', party_id: 'BCT' }, per: 'session',
      amount: '0.25', currency: 'CAD', paid_by: 'EMSP',
    },
  ],
};

export const exampleCdr: CdrToSettle = {
  id: 'S-1',
  session_id: 'S',
  start_date_time: '2022-02-01T17:00:00Z',
  last_updated: '2022-02-01T18:00:00Z',
  currency: 'CAD',
  total_cost: { excl_vat: 10, incl_vat: 10.5 },
  total_energy: 20,
  cdr_location: {
    id: 'BURNABY', name: 'Energy OASIS Burnaby', address: '3700 Willingdon Avenue', city: 'Burnaby',
    state: 'BC', country: 'CAN', coordinates: { latitude: '49.25120', longitude: '-123.00310' },
    evse_uid: 'E1', evse_id: 'CA*BCT*E1', connector_id: '1', connector_standard: 'IEC_62196_T1',
    connector_format: 'CABLE', connector_power_type: 'AC_1_PHASE',
  },
};
