import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 16 MiB and some 0.2 s of one core: OWASP's weight for little memory. */
const COST = { N: 2 ** 14, r: 8, p: 5 };
const HASH_BYTES = 32;

/** `scrypt$N$r$p$salt$hash`, salt and hash in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const { N, r, p } = COST;
  const hash = await derived(password, salt, COST);
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Takes the same time whatever is wrong; where no driver has the e-mail, give `undefined`. */
export async function passwordFits(password: string, stored: string | undefined): Promise<boolean> {
  const { cost, salt, hash } = weighedBy(stored);
  return timingSafeEqual(await derived(password, salt, cost), hash) && stored !== undefined;
}

/** What a password is weighed with; the same weight where there is nothing stored. */
export function weighedBy(stored: string | undefined): { readonly cost: typeof COST; readonly salt: Buffer; readonly hash: Buffer } {
  const [, N, r, p, salt = '', hash = ''] = (stored ?? NOBODYS).split('$');
  return { cost: { N: Number(N), r: Number(r), p: Number(p) }, salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') };
}

/** Of the same cost as a real one; no password is known to fit, and none would be taken. */
const NOBODYS = ['scrypt', COST.N, COST.r, COST.p,
  randomBytes(16).toString('base64url'), randomBytes(HASH_BYTES).toString('base64url')].join('$');

async function derived(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  if (underWay === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else underWay += 1;
  try {
    return await new Promise((resolve, reject) => {
      scrypt(password.normalize('NFC'), salt, HASH_BYTES, { ...cost, maxmem: 64 << 20 },
        (error, key) => (error ? reject(error) : resolve(key)));
    });
  } finally {
    // Whoever waits takes over this turn.
    const next = waiting.shift();
    if (next) next();
    else underWay -= 1;
  }
}

/**
 * Of the four threads of the process. Connections to PostgreSQL are authenticated by the others, and partners' names looked up:
 * behind a hundred drivers of a first start those took longer than anybody waits for a connection.
 */
const AT_ONCE = 2;
let underWay = 0;
const waiting: (() => void)[] = [];
