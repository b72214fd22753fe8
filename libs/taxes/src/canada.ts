/**
 * What is charged on a taxable supply in each province and territory of Canada, by the local day.
 * Data only. Retail sales taxes that are no value-added taxes (PST of British Columbia and
 * Saskatchewan, RST of Manitoba) are not in it.
 *
 * Rates and days: Canada Revenue Agency, "GST/HST calculator (and rates)" and "Changes to the
 * Harmonized Sales Tax"; the changes of 2016 and 2025: New Harmonized Value-added Tax System Regulations
 * (SOR/2010-117), parts 3.3 to 3.5 and 3.8, on laws-lois.justice.gc.ca: for New Brunswick (3.3) and Newfoundland and
 * Labrador (3.4) put in by SOR/2016-119, 8 % becoming 10 % for what is due after June 2016; Revenu Québec for the QST. History starts on 2013-04-01, when British
 * Columbia left the HST and Prince Edward Island joined it; in Quebec with the QST of 2013-01-01.
 */

export type Jurisdiction =
  | 'CA-AB' | 'CA-BC' | 'CA-MB' | 'CA-NB' | 'CA-NL' | 'CA-NS' | 'CA-NT'
  | 'CA-NU' | 'CA-ON' | 'CA-PE' | 'CA-QC' | 'CA-SK' | 'CA-YT';

export interface Province {
  readonly name: string;
  /** Other spellings of a Location's `state`, in plain capitals. */
  readonly alsoCalled: readonly string[];
  /** First letters of its postal codes. */
  readonly postal: string;
  /** Whose midnight a rate begins at; where there are several, that of most people. */
  readonly timeZone: string;
  readonly taxes: readonly DatedTax[];
}

export interface DatedTax {
  readonly code: 'GST' | 'HST' | 'QST';
  /** Percent, decimal text. */
  readonly rate: string;
  /** The first local day. */
  readonly from: string;
  /** The first day after it; absent while it goes on. */
  readonly to?: string;
}

const START = '2013-04-01';

const gst: DatedTax = { code: 'GST', rate: '5', from: START };

function hst(rate: string, from = START, to?: string): DatedTax {
  return { code: 'HST', rate, from, ...(to === undefined ? {} : { to }) };
}

export const CANADA: Readonly<Record<Jurisdiction, Province>> = {
  'CA-AB': {
    name: 'Alberta', alsoCalled: ['ALTA'], postal: 'T', timeZone: 'America/Edmonton', taxes: [gst],
  },
  'CA-BC': {
    name: 'British Columbia', alsoCalled: ['COLOMBIE-BRITANNIQUE'], postal: 'V',
    timeZone: 'America/Vancouver', taxes: [gst],
  },
  'CA-MB': {
    name: 'Manitoba', alsoCalled: ['MAN'], postal: 'R', timeZone: 'America/Winnipeg', taxes: [gst],
  },
  'CA-NB': {
    name: 'New Brunswick', alsoCalled: ['NOUVEAU-BRUNSWICK'], postal: 'E',
    timeZone: 'America/Moncton', taxes: [hst('13', START, '2016-07-01'), hst('15', '2016-07-01')],
  },
  'CA-NL': {
    name: 'Newfoundland and Labrador',
    alsoCalled: ['NEWFOUNDLAND', 'LABRADOR', 'TERRE-NEUVE-ET-LABRADOR', 'NF'], postal: 'A',
    timeZone: 'America/St_Johns', taxes: [hst('13', START, '2016-07-01'), hst('15', '2016-07-01')],
  },
  'CA-NS': {
    name: 'Nova Scotia', alsoCalled: ['NOUVELLE-ECOSSE'], postal: 'B', timeZone: 'America/Halifax',
    taxes: [hst('15', START, '2025-04-01'), hst('14', '2025-04-01')],
  },
  'CA-NT': {
    name: 'Northwest Territories', alsoCalled: ['NWT', 'TERRITOIRES DU NORD-OUEST'], postal: 'X',
    timeZone: 'America/Yellowknife', taxes: [gst],
  },
  'CA-NU': {
    name: 'Nunavut', alsoCalled: [], postal: '', timeZone: 'America/Iqaluit', taxes: [gst],
  },
  'CA-ON': {
    name: 'Ontario', alsoCalled: ['ONT'], postal: 'KLMNP', timeZone: 'America/Toronto',
    taxes: [hst('13')],
  },
  'CA-PE': {
    name: 'Prince Edward Island', alsoCalled: ['PEI', 'ILE-DU-PRINCE-EDOUARD'], postal: 'C',
    timeZone: 'America/Halifax', taxes: [hst('14', START, '2016-10-01'), hst('15', '2016-10-01')],
  },
  'CA-QC': {
    name: 'Quebec', alsoCalled: ['PQ', 'QUE'], postal: 'GHJ', timeZone: 'America/Toronto',
    // On the same amount as the GST, not on top of it.
    taxes: [{ ...gst, from: '2013-01-01' }, { code: 'QST', rate: '9.975', from: '2013-01-01' }],
  },
  'CA-SK': {
    name: 'Saskatchewan', alsoCalled: ['SASK'], postal: 'S', timeZone: 'America/Regina',
    taxes: [gst],
  },
  'CA-YT': {
    name: 'Yukon', alsoCalled: ['YUKON TERRITORY', 'YK'], postal: 'Y',
    timeZone: 'America/Whitehorse', taxes: [gst],
  },
};
