import { z } from 'zod';
import { CountryCode, DateTime, enumOf, object, PartyId, Role } from './fields.ts';

// OCPI 2.2.1 mod_hub_client_info.

export const ConnectionStatus = enumOf('ConnectionStatus', ['CONNECTED', 'OFFLINE', 'PLANNED', 'SUSPENDED']);
export type ConnectionStatus = z.infer<typeof ConnectionStatus>;

/** One per (country_code, party_id, role). HCI-02. */
export const ClientInfo = object('ClientInfo', {
  party_id: PartyId, country_code: CountryCode, role: Role, status: ConnectionStatus, last_updated: DateTime,
});
export type ClientInfo = z.infer<typeof ClientInfo>;
