import { type Cdr, creditCdr, exampleCdr, type Party } from '#ocpi';

/**
 * What no ledger may take: each with the refusal that names why. Every one carries `mark`, which must
 * be found nowhere afterwards.
 */
const bad: Readonly<Record<string, { readonly code: string; body(mark: string, by: Parties): string }>> = {
  'no JSON': { code: 'invalid-object', body: (mark) => `${mark} {{{` },
  'cut off': { code: 'invalid-object', body: (mark, by) => textOf(mark, by).slice(0, -20) },
  'more behind its end': { code: 'invalid-object', body: (mark, by) => `${textOf(mark, by)} ${mark}` },
  'of 300 kB': { code: 'invalid-object', body: (mark, by) => textOf(mark, by, { remark: 'x'.repeat(300_000) }) },
  'of 10 MB': { code: 'too-large', body: (mark, by) => textOf(mark, by, { remark: 'x'.repeat(10_000_000) }) },
  'NaN as a price': {
    code: 'invalid-object',
    body: (mark, by) => textOf(mark, by).replace(/("total_energy":)[\d.]+/, '$1NaN'),
  },
  'an endless number': {
    code: 'invalid-object',
    body: (mark, by) => textOf(mark, by).replace(/("total_energy":)[\d.]+/, '$11e999'),
  },
  'text for a number': { code: 'invalid-object', body: (mark, by) => textOf(mark, by, { total_energy: 'much' }) },
  'a list for an object': { code: 'invalid-object', body: (mark, by) => textOf(mark, by, { total_cost: [] }) },
  'nothing at all': { code: 'invalid-object', body: () => 'null' },
  'a list of CDRs': { code: 'invalid-object', body: (mark, by) => `[${textOf(mark, by)}]` },
  'no currency': { code: 'invalid-object', body: (mark, by) => textOf(mark, by, { currency: undefined }) },
  'no token': { code: 'invalid-object', body: (mark, by) => textOf(mark, by, { cdr_token: undefined }) },
  'a time that is none': {
    code: 'invalid-object',
    body: (mark, by) => textOf(mark, by, { last_updated: '2022-02-31T25:00:00Z' }),
  },
  'an id of 100 characters': { code: 'invalid-object', body: (mark, by) => textOf(`${mark}${'-'.repeat(100)}`, by) },
  'deep brackets': {
    code: 'invalid-object',
    body: (mark, by) => textOf(mark, by, { x: 0 }).replace('"x":0', `"x":${'['.repeat(50_000)}${']'.repeat(50_000)}`),
  },
  'a CDR of ours': {
    code: 'invalid-object',
    body: (mark, { receiver, issuer }) => textOf(mark, { issuer: receiver, receiver: issuer }),
  },
  'a credit of nothing': {
    code: 'credit-without-reference',
    body: (mark, by) => {
      const { credit_reference_id: _, ...credit } = creditCdr(cdrOf(mark, by), exampleCdr.last_updated);
      return JSON.stringify(credit);
    },
  },
};

export type BadInput = keyof typeof bad;

export const badInputs: readonly BadInput[] = Object.keys(bad);

interface Parties {
  readonly issuer: Party;
  readonly receiver: Party;
}

export function badInput(input: BadInput, mark: string, by: Parties): { code: string; bytes: Uint8Array } {
  const { code, body } = bad[input]!;
  return { code, bytes: Buffer.from(body(mark, by)) };
}

function cdrOf(mark: string, { issuer, receiver }: Parties): Cdr {
  const { uid, type, contract_id } = exampleCdr.cdr_token;
  const { country_code, party_id } = issuer;
  const cdr_token = { country_code: receiver.country_code, party_id: receiver.party_id, uid, type, contract_id };
  return { ...exampleCdr, country_code, party_id, id: mark, session_id: mark, cdr_token };
}

function textOf(mark: string, by: Parties, wrong: object = {}): string {
  return JSON.stringify({ ...cdrOf(mark, by), ...wrong });
}
