import { createHmac } from 'node:crypto';
import { idKey, type Party, partyText, type Session } from '#ocpi';

/** Sessions as a smart charging service provider has them. CHP-05. */

export const STEERED = 'steered ';

/** Beside the one that goes to the owner of the token, which may be behind the same hub. */
export function steeredKey(to: Party, sessionId: string): string {
  return `${STEERED}${partyText(to)} ${idKey(sessionId)}`;
}

/** For whom a Session is that does not go to the owner of its token. */
export function steererIn(objectKey: string): Party | undefined {
  const [, country_code, party_id] = /^steered ([A-Z]{2})\*([A-Z0-9]{1,3}) /i.exec(objectKey) ?? [];
  return country_code && party_id ? { country_code, party_id } : undefined;
}

/** What stands for something in the eyes of one party, and tells nobody anything. */
export function alias(key: Buffer, to: Party, ...of: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify([idKey(partyText(to)), ...of])).digest('hex').slice(0, 32);
}

/**
 * What has to be there to limit a charge. Its driver is nobody: instead of token and contract there is a name of this one
 * charge, made up for this one provider; what the charge costs and what it was authorised by are not its business.
 */
export function steeredView(
  session: Session, name: string, id = session.id,
): Session {
  const { cdr_token: { country_code, party_id, type }, charging_periods: periods } = session;
  const shown = Object.fromEntries(SHOWN.map((field) => [field, session[field]])) as Pick<Session, (typeof SHOWN)[number]>;
  return {
    ...shown, id,
    cdr_token: { country_code, party_id, uid: name, type, contract_id: name },
    ...(periods ? { charging_periods: periods.map(({ start_date_time, dimensions }) => ({ start_date_time, dimensions })) } : {}),
  };
}

/** By name: what operators add of their own may say who drives. */
const SHOWN = [
  'country_code', 'party_id', 'start_date_time', 'end_date_time', 'kwh', 'auth_method', 'location_id', 'evse_uid', 'connector_id', 'currency',
  'status', 'last_updated',
] as const satisfies readonly (keyof Session)[];
