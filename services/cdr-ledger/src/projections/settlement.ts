import { idKey, partyText } from '#ocpi';
import { type Statement, textArray, type Tx } from '#postgres';
import { settledCdr } from '#settlement';
import type { AgreementNoted } from '../agreement.ts';
import type { Follower } from '../follow.ts';
import { type LedgerEvent, readEvent } from '../ledger-event.ts';
import type { PublicCdr } from '../private-part.ts';
import { meantCdr } from '../received-cdr.ts';

/**
 * What partners settle: each CDR and Credit CDR between us and another party, rounded and with its
 * taxes, when it was acknowledged, and the agreements.
 */
export const settlement: Follower = {
  name: 'settlement',
  async apply(tx, events) {
    const read = events.map((event) => readEvent(event));
    await insert(tx, read.flatMap(rowOf));
    await acknowledge(tx, read.filter((event) => event.type === 'CdrAcknowledged'));
    for (const event of read) if (event.type === 'AgreementNoted') await agree(tx, event);
  },
  tables: ['settled', 'agreements'],
};

function rowOf(event: LedgerEvent) {
  switch (event.type) {
    case 'CdrIssued':
    case 'CdrCredited':
      return settledRow(event);
    case 'CdrReceived':
      // Whoever receives says when: the issuer hears it with the acknowledgement.
      return settledRow({ ...event, cdr: meantCdr(event) }, event.receivedAt);
    default:
      return [];
  }
}

interface Entry {
  readonly cdr: PublicCdr;
  readonly tokenParty: { readonly country_code: string; readonly party_id: string };
}

function settledRow({ cdr, tokenParty }: Entry, acknowledgedAt?: string) {
  const issuer = partyText(cdr);
  const receiver = partyText(tokenParty);
  // Nobody settles with itself.
  if (issuer === receiver) return [];
  const line = settledCdr(cdr);
  return [{
    issuer,
    receiver,
    cdr_key: idKey(cdr.id),
    credit: line.credit,
    credit_key: line.credit ? idKey(line.credit_reference_id ?? '') : undefined,
    last_updated: line.last_updated,
    acknowledged_at: acknowledgedAt,
    currency: line.currency,
    energy_kwh: line.energy_kwh,
    excl_tax: line.excl_tax,
    incl_tax: line.incl_tax,
    location_id: line.location.id,
    location_name: line.location.name,
    taxes: line.taxes,
    line_json: JSON.stringify({ ...line, issuer }),
  }];
}

const INSERT: Statement = {
  name: 'settled_insert',
  text: `INSERT INTO settled (issuer, receiver, cdr_key, credit, credit_key, last_updated, acknowledged_at,
           currency, energy_kwh, excl_tax, incl_tax, location_id, location_name, taxes, line_json)
         SELECT issuer, receiver, cdr_key, credit::boolean, credit_key, last_updated::timestamptz,
           acknowledged_at::timestamptz, currency, energy_kwh::numeric, excl_tax::numeric, incl_tax::numeric,
           location_id, location_name, taxes::jsonb, line_json
         FROM unnest(${Array.from({ length: 15 }, (_, n) => `$${n + 1}::text[]`).join(', ')})
           AS r (issuer, receiver, cdr_key, credit, credit_key, last_updated, acknowledged_at, currency, energy_kwh,
             excl_tax, incl_tax, location_id, location_name, taxes, line_json)`,
};

type Row = ReturnType<typeof settledRow>[number];

async function insert(tx: Tx, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const texts = (of: (row: Row) => string | undefined) => textArray(rows.map(of));
  await tx.query(INSERT, [
    texts(({ issuer }) => issuer),
    texts(({ receiver }) => receiver),
    texts(({ cdr_key }) => cdr_key),
    texts(({ credit }) => String(credit)),
    texts(({ credit_key }) => credit_key),
    texts(({ last_updated }) => last_updated),
    texts(({ acknowledged_at }) => acknowledged_at),
    texts(({ currency }) => currency),
    texts(({ energy_kwh }) => energy_kwh),
    texts(({ excl_tax }) => excl_tax),
    texts(({ incl_tax }) => incl_tax),
    texts(({ location_id }) => location_id),
    texts(({ location_name }) => location_name),
    texts(({ taxes }) => JSON.stringify(taxes)),
    texts(({ line_json }) => line_json),
  ]);
}

const ACKNOWLEDGE: Statement = {
  name: 'settled_acknowledge',
  text: `UPDATE settled s SET acknowledged_at = a.at
         FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS a (issuer, cdr_key, at)
         WHERE s.issuer = a.issuer AND s.cdr_key = a.cdr_key AND s.acknowledged_at IS NULL`,
};

async function acknowledge(
  tx: Tx,
  events: readonly Extract<LedgerEvent, { type: 'CdrAcknowledged' }>[],
): Promise<void> {
  if (events.length === 0) return;
  await tx.query(ACKNOWLEDGE, [
    events.map(({ ledger }) => ledger),
    events.map(({ cdrId }) => idKey(cdrId)),
    events.map(({ at }) => at),
  ]);
}

async function agree(tx: Tx, { ledger, partner, version, terms }: AgreementNoted): Promise<void> {
  await tx.query(
    `INSERT INTO agreements (own, partner, valid_from, version, terms) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (own, partner, valid_from) DO UPDATE SET version = excluded.version, terms = excluded.terms
     WHERE agreements.version < excluded.version`,
    [ledger, partyText(partner), terms.valid_from, version, JSON.stringify(terms)],
  );
}
