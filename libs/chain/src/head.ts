import { isSignedBy, type PublicKey, type Signer } from './keys.ts';

/**
 * A signed head: what a ledger was at the end of a day. Whoever keeps one can prove later that
 * nothing under it was changed, and a receipt is proven by the way from its entry to the root.
 */
export interface Head {
  /** `CA*BCT` */
  readonly ledger: string;
  /** The last day that it closes, in the ledger's time zone: `2022-02-01`. */
  readonly day: string;
  /** The first one: an earlier day than `day` when nobody signed in between. */
  readonly since: string;
  /** IANA, and the release of the tz database that said when the day ended. */
  readonly timeZone: string;
  readonly tzdb: string;
  readonly entries: number;
  /** The chain's link after the last of them, and the Merkle root over all of them; hex. */
  readonly link: string;
  readonly root: string;
  /** When it was signed, RFC 3339. */
  readonly at: string;
  readonly key: PublicKey;
}

/** What is kept and sent: the exact text and its signature. */
export interface Signed {
  readonly text: string;
  readonly signature: string;
}

/** What an export ends with. `sum` covers all that the chain does not: see `export-format.ts`. */
export interface ExportEnd {
  readonly ledger: string;
  readonly entries: number;
  readonly link: string;
  readonly root: string;
  readonly sum: string;
  readonly at: string;
  readonly key: PublicKey;
}

const HEAD_FIRST = 'roamwatt ledger head v1';
const END_FIRST = 'roamwatt ledger export v1';

const HASH = '([0-9a-f]{64})';
const INSTANT = '(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z)';
const DAY = '(\\d{4}-\\d\\d-\\d\\d)';
const LEDGER = '([A-Z]{2}\\*[A-Z0-9]{3}(?:/accounts)?)';
const ENTRIES = '(0|[1-9]\\d{0,9})';
const KEY = '([A-Za-z0-9_-]{43})';

const HEAD = form(HEAD_FIRST, {
  ledger: LEDGER,
  day: DAY,
  since: DAY,
  zone: '([A-Za-z0-9_+/-]+)',
  tzdb: '(\\d{4}[a-z]+)',
  entries: ENTRIES,
  link: HASH,
  root: HASH,
  at: INSTANT,
  key: KEY,
});

const END = form(END_FIRST, {
  ledger: LEDGER,
  entries: ENTRIES,
  link: HASH,
  root: HASH,
  sum: HASH,
  at: INSTANT,
  key: KEY,
});

function form(first: string, lines: Readonly<Record<string, string>>): RegExp {
  const said = Object.entries(lines).map(([name, pattern]) => `${name} ${pattern}\n`);
  return new RegExp(`^${first}\n${said.join('')}$`);
}

export function signHead(head: Omit<Head, 'key'>, signer: Signer): Signed {
  const { ledger, day, since, timeZone, tzdb, entries, link, root, at } = head;
  const said = { ledger, day, since, zone: timeZone, tzdb, entries, link, root, at };
  return signed(HEAD_FIRST, said, signer);
}

export function signEnd(end: Omit<ExportEnd, 'key'>, signer: Signer): Signed {
  const { ledger, entries, link, root, sum, at } = end;
  return signed(END_FIRST, { ledger, entries, link, root, sum, at }, signer);
}

function signed(first: string, said: Readonly<Record<string, string | number>>, signer: Signer): Signed {
  const lines = Object.entries({ ...said, key: signer.publicKey });
  const text = [first, ...lines.map(([name, value]) => `${name} ${value}`), ''].join('\n');
  return { text, signature: signer.sign(text) };
}

/** The head in its text; undefined for any other text. The signature is not looked at. */
export function readHead(text: string): Head | undefined {
  const found = HEAD.exec(text);
  if (!found) return undefined;
  const [, ledger = '', day = '', since = '', timeZone = '', tzdb = '', entries, link = '', root = '', at = '', key = ''] =
    found;
  return { ledger, day, since, timeZone, tzdb, entries: Number(entries), link, root, at, key };
}

export function readEnd(text: string): ExportEnd | undefined {
  const found = END.exec(text);
  if (!found) return undefined;
  const [, ledger = '', entries, link = '', root = '', sum = '', at = '', key = ''] = found;
  return { ledger, entries: Number(entries), link, root, sum, at, key };
}

/** What is wrong with who signed, or undefined when one of the trusted keys did. */
export function wrongSignature(
  { text, signature }: Signed,
  key: PublicKey,
  trusted: readonly PublicKey[],
): string | undefined {
  if (!trusted.includes(key)) return `is signed by the key ${key}, which is not known`;
  return isSignedBy(key, text, signature) ? undefined : `is not signed by the key ${key} that it names`;
}
