import type { Forgetting, Holder } from '#erasure';
import { idKey, sameId } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import type { DriverSettings } from './config.ts';

export interface ForgettingParts {
  readonly db: Database;
  readonly parties: OwnParties;
  readonly drivers: readonly DriverSettings[];
}

/** What the portal holds of a contract: its driver, log-ins and charges from the app. */
export function driversForgetting({ db, parties, drivers }: ForgettingParts): Forgetting {
  const emailsOf = async ({ party: theirs, contractId }: Holder): Promise<string[]> => {
    if (!parties.has(theirs)) return [];
    const { rows } = await db.query<{ email: string }>(
      'SELECT email FROM drivers WHERE lower(contract_id) = $1', [contractId.toLowerCase()]);
    return rows.map(({ email }) => email);
  };
  return {
    async look(holder) {
      const emails = await emailsOf(holder);
      const { rows } = await db.query<{ charges: number; reservations: number; logIns: number }>(
        `SELECT (SELECT count(*)::int FROM charges WHERE ${THEIR_CHARGES}) AS charges,
           (SELECT count(*)::int FROM reservations WHERE ${THEIR_CHARGES}) AS reservations,
           (SELECT count(*)::int FROM log_ins WHERE driver_email = ANY ($1)) AS "logIns"`,
        chargesOf(emails, holder),
      );
      const { charges, reservations, logIns } = rows[0]!;
      const named = parties.has(holder.party)
        ? drivers.filter(({ contract_id: contractId }) => sameId(contractId, holder.contractId)) : [];
      return {
        kept: { drivers: emails.length, 'log-ins': logIns, 'charges from the app': charges, reservations },
        hindrances: named.map(({ name }) => ({
          code: 'driver-in-settings',
          detail: `drivers: the settings still name ${name} with this contract: take the entry out, and start again`,
        })),
      };
    },
    tokenUids: async ({ tokenUids }) => tokenUids,
    async forget(holder) {
      const emails = await emailsOf(holder);
      await db.tx(async (tx) => {
        await tx.query(`DELETE FROM charges WHERE ${THEIR_CHARGES}`, chargesOf(emails, holder));
        await tx.query(`DELETE FROM reservations WHERE ${THEIR_CHARGES}`, chargesOf(emails, holder));
        await tx.query('DELETE FROM log_ins WHERE driver_email = ANY ($1)', [emails]);
        await tx.query('DELETE FROM drivers WHERE email = ANY ($1)', [emails]);
      });
      return undefined;
    },
  };
}

const THEIR_CHARGES = '(email = ANY ($1) OR lower(token_uid) = ANY ($2)) AND ordered_at <= $3';
const chargesOf = (emails: readonly string[], { tokenUids, at }: Holder) => [emails, tokenUids.map(idKey), at];
