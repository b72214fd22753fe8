/**
 * What Energy OASIS and Carbon Plunk agreed on for their settlement; both set the same. Their
 * addresses and registration numbers are made up.
 */
export const demoAgreement = {
  valid_from: '2022-02',
  time_zone: 'America/Vancouver',
  closing_days: 10,
  payment_days: 30,
  currencies: ['CAD'],
  fee_tax_place: 'payer',
  parties: [
    {
      country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS',
      address: ['3700 Willingdon Avenue', 'Burnaby BC  V5G 3H2', 'Canada'],
      country: 'CAN', state: 'BC', postal_code: 'V5G 3H2',
      registrations: [{ tax: 'GST/HST', number: '700000001 RT0001' }],
    },
    {
      country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk',
      address: ['100 Water Street', 'Vancouver BC  V6B 1A1', 'Canada'],
      country: 'CAN', state: 'BC', postal_code: 'V6B 1A1',
      registrations: [{ tax: 'GST/HST', number: '700000002 RT0001' }],
    },
  ],
  fees: [
    {
      name: 'Roaming fee', cdrs_of: { country_code: 'CA', party_id: 'BCT' }, per: 'session', amount: '0.25',
      currency: 'CAD', paid_by: 'EMSP',
    },
  ],
};
