import { authorization, exampleToken } from '#ocpi';
import { requests } from './bench-load.ts';
import { type BenchRow, half, round, within } from './bench-row.ts';
import { type BenchStage, memoryMb, onBenchStage } from './bench-stage.ts';

const TOKENS = 100_000;
const ASKED = 3_000;
const UNDER_WAY = 16;

/** What a partner waits for when it asks about one of our tokens in real time; and what tokens cost that nobody knows. */
export async function benchAuthorize(): Promise<BenchRow[]> {
  return onBenchStage(['tokens-auth'], async (stage) => {
    await fill(stage);
    await asked(stage, { count: 1_000, connections: UNDER_WAY, known: true }); // Not counted: compiled code, the database's cache.
    const rows: BenchRow[] = [];
    for (const known of [true, false]) {
      const what = known ? 'authorize of a token of ours' : 'authorize of a token that nobody knows';
      for (const connections of [1, UNDER_WAY]) {
        const ms = await asked(stage, { count: ASKED, connections, known });
        const how = connections === 1 ? 'one after the other' : `${connections} at a time`;
        rows.push(
          { what: `${what}, ${how}: half within`, figure: round(half(ms)), unit: 'ms' },
          { what: '  99 % within', figure: round(within(ms, 0.99)), unit: 'ms', ...(connections === 1 ? { wanted: '<= 10' } : {}) },
        );
      }
    }
    return [...rows, ...await strangers(stage)];
  });
}

/** Cards of ours, and where to ask for them: so many that they are no small table. */
async function fill({ db }: BenchStage): Promise<void> {
  const text = JSON.stringify({ ...exampleToken, country_code: 'CA', party_id: 'BCT', uid: '@@', type: 'RFID', valid: true });
  await db.query(
    `INSERT INTO tokens_auth.tokens (country_code, party_id, uid, type, own, last_updated, token, tag)
    SELECT 'CA', 'BCT', 'card' || n, 'RFID', true, now(), replace($1, '@@', 'CARD' || n), 'card' || n FROM generate_series(1, $2::int) n`,
    [text, TOKENS],
  );
  await db.query('VACUUM ANALYZE tokens_auth.tokens');
}

function authorize(uid: string, token: string): string {
  return `POST /ocpi/2.2.1/sender/tokens/${uid}/authorize HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization(token)}\r\nContent-Length: 0\r\n\r\n`;
}

let stranger = 0;

/** Milliseconds of each. */
async function asked(
  { ocpi, token }: BenchStage, { count, connections, known }: { count: number; connections: number; known: boolean },
): Promise<number[]> {
  const all: number[] = [];
  const wanted = known ? ['HTTP/1.1 200', '"allowed":"ALLOWED"'] : ['HTTP/1.1 404', '"status_code":2004'];
  const uid = () => (known ? `CARD${1 + (all.length * 7_919) % TOKENS}` : `NOBODY${(stranger += 1)}`);
  await requests(new URL(ocpi), count, connections, () => authorize(uid(), token), ({ text, ms }) => {
    if (wanted.some((one) => !text.includes(one))) throw new Error(`authorize was answered with ${text.slice(0, 1_000)}`);
    all.push(ms);
  });
  return all;
}

/** Tokens that nobody knows, of drivers and of platforms: each is answered by the rule, and none is kept. */
async function strangers(stage: BenchStage): Promise<BenchRow[]> {
  const { ocpi, gateway, others: [tokens] } = stage;
  const memory = () => memoryMb(gateway) + memoryMb(tokens!);
  // What the first of them take stays in the processes' heaps: what is kept of each would show in the others.
  await asked(stage, { count: TOKENS / 2, connections: UNDER_WAY, known: false });
  const beforeMb = memory();
  await asked(stage, { count: TOKENS / 2, connections: UNDER_WAY, known: false });
  const driversMb = memory();
  const answered = { 401: 0, 429: 0 };
  let n = 0;
  await requests(
    new URL(ocpi),
    TOKENS,
    UNDER_WAY,
    () =>
      authorize('CARD1', `stranger-${(n += 1)}`)
        .replace('/tokens/CARD1/authorize', '/locations')
        .replace('POST', 'GET'),
    ({ text }) => {
      const status = Number(text.slice(9, 12));
      if (status !== 401 && status !== 429) throw new Error(`a stranger was answered with ${text.slice(0, 1_000)}`);
      answered[status] += 1;
    },
  );
  return [
    {
      what: `authorize of ${TOKENS} tokens that nobody knows, all 404 with 2004: memory grown by the second half`,
      figure: round(driversMb - beforeMb),
      unit: 'MB',
      wanted: '<= 30',
    },
    { what: `${TOKENS} credentials tokens that nobody knows: 401`, figure: answered[401], unit: 'answers' },
    { what: '  429, without a look-up', figure: answered[429], unit: 'answers' },
    { what: '  memory grown by them', figure: round(memory() - driversMb), unit: 'MB', wanted: '<= 30' },
  ];
}
