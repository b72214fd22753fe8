import { readFileSync } from 'node:fs';
import { InvalidKey, type PublicKey, type Signer, signerFromPem, signerFromSeed } from '#chain';
import type { EventStore } from '#event-store';
import type { Database } from '#postgres';
import { BadSettings, type OwnParties, type Settings } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, zone } from '#time';
import { Csv } from './cdr-csv.ts';
import type { LedgerSettings } from './config.ts';
import { Exporting } from './exporting.ts';
import type { Following } from './follow.ts';
import { type DailySigning, signDaily } from './heads.ts';
import { type LedgerKind, ledgersOf } from './ledgers.ts';
import { Projections } from './projections.ts';
import { Proofs } from './proofs.ts';

export interface ProvingParts {
  readonly db: Database;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly timeZone: string;
  readonly signing: Signing;
  readonly log: Log;
  /** Whose days are signed. */
  readonly kinds: readonly LedgerKind[];
  /** The followers of the log, among them the chain and the list of CDRs. */
  readonly chain: Following;
  readonly list: Following;
  readonly others: readonly Following[];
}

export interface Signing {
  readonly signer: Signer;
  /** All that sign or have signed, the present one first. */
  readonly keys: readonly PublicKey[];
  /** Seals the cursors of exports. */
  readonly cursorKey: Uint8Array;
}

/** What proves and exports the ledger, and signs its days until it is stopped. */
export interface Proving {
  readonly proofs: Proofs;
  readonly exporting: Exporting;
  readonly csv: Csv;
  readonly projections: Projections;
  readonly signing: DailySigning;
}

export function prove(parts: ProvingParts): Proving {
  const { db, store, clock, parties, timeZone, log, chain, list, others } = parts;
  const { signer, keys, cursorKey } = parts.signing;
  return {
    proofs: new Proofs({ db, store, parties, keys, chain, list }),
    exporting: new Exporting({ db, clock, parties, timeZone, signer, keys, chain, cursorKey }),
    csv: new Csv({ db, list }),
    projections: new Projections(store, [chain, list, ...others], log),
    signing: signEach(ledgersOf(parties, parts.kinds), (ledger) =>
      signDaily({ db, clock, ledger, zone: zone(timeZone), signer, chain, log }),
    ),
  };
}

function signEach(ledgers: readonly string[], sign: (ledger: string) => DailySigning): DailySigning {
  const signings = ledgers.map(sign);
  return {
    async stop() {
      await Promise.all(signings.map((signing) => signing.stop()));
    },
  };
}

/**
 * The key that signs: of the file that the settings name, else one made of the platform's secret,
 * so that it lies where that lies, is the same in every replica, and never in the database.
 * Throws BadSettings.
 */
export function signingOf(settings: Settings, ledger: LedgerSettings): Signing {
  const { signing_key_file: file, former_public_keys: former } = ledger;
  const signer =
    file === undefined ? signerFromSeed(settings.key('ledger heads')) : signerOfFile(file, settings);
  const others = former.filter((key) => key !== signer.publicKey);
  return { signer, keys: [signer.publicKey, ...others], cursorKey: settings.key('ledger export') };
}

function signerOfFile(file: string, settings: Settings): Signer {
  try {
    return signerFromPem(readFileSync(file, 'utf8'));
  } catch (error) {
    const why = error instanceof InvalidKey ? error.message : `cannot be read: ${(error as Error).message}`;
    throw new BadSettings(`${settings.file}: ledger.signing_key_file: ${file} ${why}`);
  }
}
