import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { idKey } from '#ocpi';
import type { Database, Statement } from '#postgres';
import { contractKeyOf, type Holder, type Subject } from './holder.ts';

/** One text that only the row of its key opens. */
export interface Sealed {
  readonly key: string;
  /** Nonce, tag and cipher text, base64. */
  readonly box: string;
}

export interface HolderKey {
  readonly id: string;
  readonly secret: Buffer;
}

const KEYS_KEPT = 10_000;
/** A key is looked up again after so long: it may have been erased by another process. */
const KNOWN_FOR_MS = 1_000;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const FIND: Statement = {
  name: 'holder_keys_find',
  text: 'SELECT key_id AS id, holder, secret FROM holder_keys WHERE holder = ANY ($1)',
};
const OPEN: Statement = {
  name: 'holder_keys_open',
  text: 'SELECT key_id AS id, secret FROM holder_keys WHERE key_id = ANY ($1::uuid[])',
};

/**
 * The keys under which the log's personal fields are sealed, one for each contract and token, in
 * rows that can be deleted.
 */
export class HolderKeys {
  private readonly toSeal = new Map<string, { readonly key: HolderKey; readonly atMs: number }>();
  /** By id; undefined: erased. */
  private readonly toOpen = new Map<string, Buffer | undefined>();

  constructor(private readonly db: Database) {}

  /** Of each, in order; one that is made is on disk before this resolves. */
  async of(subjects: readonly Subject[]): Promise<HolderKey[]> {
    const nowMs = performance.now();
    const names = subjects.map(nameOf);
    const stale = new Map(subjects.flatMap((subject, n) => {
      const known = this.toSeal.get(names[n]!);
      return known && nowMs - known.atMs < KNOWN_FOR_MS ? [] : [[names[n]!, subject] as const];
    }));
    if (stale.size > 0) await this.look(stale, nowMs);
    return names.map((name) => this.toSeal.get(name)!.key);
  }

  private async look(subjects: ReadonlyMap<string, Subject>, nowMs: number): Promise<void> {
    const names = [...subjects.keys()];
    const note = async () => {
      const { rows } = await this.db.query<HolderKey & { holder: string }>(FIND, [names]);
      for (const { holder, id, secret } of rows) keep(this.toSeal, holder, { key: { id, secret }, atMs: nowMs });
      const found = new Set(rows.map(({ holder }) => holder));
      return names.filter((name) => !found.has(name));
    };
    for (let missing = await note(); missing.length > 0; missing = await note()) {
      const made = missing.map((name) => subjects.get(name)!);
      await this.db.query(
        `INSERT INTO holder_keys (key_id, holder, contract_key, token_key, secret)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[])
         ON CONFLICT (holder) DO NOTHING`,
        [
          made.map(() => randomUUID()), missing, made.map(contractOf), made.map(({ uid = '' }) => idKey(uid)),
          made.map(() => randomBytes(32)),
        ],
      );
    }
  }

  /** Secrets by id; those of erased holders are not there. */
  async secrets(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer | undefined>> {
    const missing = [...new Set(ids)].filter((id) => !this.toOpen.has(id));
    const secrets = new Map(ids.map((id) => [id, this.toOpen.get(id)]));
    if (missing.length > 0) {
      const { rows } = await this.db.query<HolderKey>(OPEN, [missing]);
      for (const { id, secret } of rows) secrets.set(id, secret);
      for (const id of missing) keep(this.toOpen, id, secrets.get(id));
    }
    return secrets;
  }

  /** What lies under a contract's keys, by token; with those of tokens alone that are given or found. */
  async under(holder: Holder, aliases: (uid: string) => readonly string[]): Promise<{ ids: string[]; tokenKeys: string[] }> {
    const contract = contractKeyOf(holder.party, holder.contractId);
    const { rows: own } = await this.db.query<{ token_key: string }>(
      'SELECT DISTINCT token_key FROM holder_keys WHERE contract_key = $1', [contract]);
    const uids = [...holder.tokenUids.map(idKey), ...own.map((row) => row.token_key)];
    const tokenKeys = [...new Set(uids.flatMap((uid) => [uid, ...aliases(uid).map(idKey)]))].filter((uid) => uid !== '');
    const { rows } = await this.db.query<{ id: string }>(
      `SELECT key_id AS id FROM holder_keys
       WHERE contract_key = $1 OR (contract_key = '' AND token_key = ANY ($2))`,
      [contract, tokenKeys],
    );
    return { ids: rows.map(({ id }) => id), tokenKeys };
  }

  async destroy(ids: readonly string[]): Promise<void> {
    await this.db.query('DELETE FROM holder_keys WHERE key_id = ANY ($1::uuid[])', [ids]);
    this.forget();
  }

  /** Keys that were erased elsewhere are in no memory either. */
  forget(): void {
    this.toSeal.clear();
    this.toOpen.clear();
  }
}

export function seal({ id, secret }: HolderKey, text: string, place: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(Buffer.from(place));
  const box = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return { key: id, box: Buffer.concat([nonce, cipher.getAuthTag(), box]).toString('base64') };
}

export function unseal(secret: Buffer, { box }: Sealed, place: string): string {
  const bytes = Buffer.from(box, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString('utf8');
}

function contractOf({ party, contractId }: Subject): string {
  return party && contractId !== undefined ? contractKeyOf(party, contractId) : '';
}

function nameOf(subject: Subject): string {
  return `${contractOf(subject)} ${idKey(subject.uid ?? '')}`;
}

function keep<Value>(kept: Map<string, Value>, key: string, value: Value): void {
  kept.delete(key);
  kept.set(key, value);
  if (kept.size > KEYS_KEPT) kept.delete(kept.keys().next().value!);
}
