import type { Party as BusParty } from '#contracts/party';
import type { Tx } from '#postgres';

/** Partners' parties that cannot be reached any more: a mirror of what the ocpi-gateway told last. */
export async function noteLink(tx: Tx, { countryCode, partyId }: BusParty, linked: boolean): Promise<void> {
  await tx.query(
    linked
      ? 'DELETE FROM parties_without_link WHERE country_code = $1 AND party_id = $2'
      : 'INSERT INTO parties_without_link (country_code, party_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [countryCode.toUpperCase(), partyId.toUpperCase()],
  );
}
