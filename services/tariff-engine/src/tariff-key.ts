/** A tariff's name over all parties. OCPI compares ids without case: the stream's name is upper case. */
export interface TariffKey {
  readonly party: { readonly countryCode: string; readonly partyId: string };
  readonly tariffId: string;
}

export function streamOf({ party, tariffId }: TariffKey): string {
  return `tariff-${party.countryCode}*${party.partyId}*${tariffId}`.toUpperCase().replace('TARIFF-', 'tariff-');
}

/** What the streams of all tariffs of a party begin with. */
export function streamsOf(party: TariffKey['party']): string {
  return streamOf({ party, tariffId: '' });
}

export function keyOf(stream: string): TariffKey {
  const [countryCode = '', partyId = '', ...rest] = stream.slice('tariff-'.length).split('*');
  return { party: { countryCode, partyId }, tariffId: rest.join('*') };
}
