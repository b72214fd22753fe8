import { portalVerb } from './portal-verb.ts';
import { table } from './table.ts';
import { WrongUsage } from './verb.ts';

interface Erasure {
  readonly erasure_id?: string;
  readonly state: 'dry-run' | 'going-on' | 'done';
  readonly held: readonly { readonly service: string; readonly what: string; readonly count: number }[];
  readonly hindrances: readonly { readonly service: string; readonly code: string; readonly detail: string }[];
  readonly awaited: readonly { readonly service: string; readonly waits_for?: string }[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const erase = portalVerb({
  usage: 'PARTY CONTRACT [--for-good] | ERASURE [options]',
  about: 'Says what is held of a contract in every service and what stands against forgetting it; with --for-good forgets it.\n'
    + 'PARTY is the token\'s owner, such as CA*CPK. ERASURE is the id that an erasure was given: says how far it is.',
  options: { 'for-good': { type: 'boolean', help: 'forget the contract; nobody can bring it back' } },
  examples: [
    ["npx roamwatt erase 'CA*CPK' CA-CPK-C00000001-J --url http://127.0.0.1:8080", 'what would be forgotten where'],
    ["npx roamwatt erase 'CA*CPK' CA-CPK-C00000001-J --for-good", 'forget it'],
    ['npx roamwatt erase 0b9bd2a2-5f0e-4f6b-9a0e-2f6f6a3a1c55', 'who has forgotten, and who is awaited for what'],
  ],
  async ask({ files, flags }, portal) {
    const [first = '', contract_id, ...more] = files;
    if (contract_id === undefined && UUID.test(first)) return portal.call<Erasure>('GET', `/v1/operator/erasures/${first}`);
    const [, country_code, party_id] = /^([A-Za-z]{2})\*([A-Za-z0-9]{3})$/.exec(first) ?? [];
    if (country_code === undefined || contract_id === undefined || more.length > 0) {
      throw new WrongUsage("give a party such as 'CA*CPK' and its contract's id, or the id of an erasure");
    }
    const body = { country_code, party_id, contract_id, dry_run: !flags.has('for-good') };
    return portal.call<Erasure>('POST', '/v1/operator/erasures', body);
  },
  text: ({ erasure_id, state, held, hindrances, awaited }) => [
    ...(held.length === 0 ? ['Nothing is held of it.'] : table([
      ['service', 'held', 'count'], ...held.map(({ service, what, count }) => [service, what, String(count)]),
    ], [false, false, true])),
    ...hindrances.map(({ service, code, detail }) => `${service}: ${code}: ${detail}`),
    ...awaited.map(({ service, waits_for }) => `awaited: ${service}${waits_for === undefined ? '' : `: ${waits_for}`}`),
    said[state](erasure_id),
  ].join('\n'),
});

const said: Readonly<Record<Erasure['state'], (id?: string) => string>> = {
  'dry-run': () => 'A dry run: nothing was changed. With --for-good it is forgotten.',
  'going-on': (id) => `The erasure ${id} goes on: npx roamwatt erase ${id} says how far it is.`,
  done: (id) => `The erasure ${id} is done.`,
};
