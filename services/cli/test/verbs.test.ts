import { afterEach, beforeEach, expect, test } from 'vitest';
import { VERBS } from '../src/verbs.ts';
import { Folder, jsonLines } from './command.ts';
import { byTheClock, cdr, tariff, total } from './examples.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

test('an explanation says which part applied, as text and as a tree', async () => {
  const name = folder.write('cdr.json', { ...cdr, tariffs: [byTheClock], time_zone: 'UTC' });
  const { out, status } = await folder.run(['explain', name]);
  expect(status).toBe(0);
  expect(out).toContain('2026-11-15 17:00 to 19:00 (UTC):');
  expect(out).toContain('Charging time 2 h at 3 CAD per hour and 5 % tax (part 1 of the tariff)');
  const [tree] = await folder.json(['explain', name]);
  expect(tree).toMatchObject({ id: 'C1', time_zone: 'UTC', total: { excl_vat: '6' } });
  expect(tree!.periods).toHaveLength(2);
});

test('an explanation is said in French to who asks for it, what its tree says in words, too', async () => {
  const name = folder.write('cdr.json', { ...cdr, credit: true, tariffs: [byTheClock], time_zone: 'UTC' });
  const { out, status } = await folder.run(['explain', name, '--language', 'fr']);
  expect(status).toBe(0);
  expect(out.replaceAll('\u00a0', ' ')).toContain('Temps de recharge 2 h à 3 $ l’heure plus 5 % de taxes (partie 1 du tarif) : ');
  expect(out.replaceAll('\u00a0', ' ')).toContain('CDR de crédit : ce montant est remboursé');
  expect(out).not.toMatch(/\b(the|tax|pay|Credit)\b/);
  const [tree] = await folder.json(['explain', name, '--language', 'fr', '--time-zone', 'Pacific/Honolulu']);
  expect(tree).toMatchObject({ language: 'fr' });
  expect(JSON.stringify(tree)).toContain('"asks":"de 10\u00a0h à minuit","was":"7\u00a0h"');
  expect(await folder.run(['explain', name, '--language', 'de'])).toMatchObject({ status: 2 });
});

/** In British Columbia, as far as its coordinates tell, by a tariff with a field that OCPI does not have. */
const assumed = {
  ...cdr,
  start_date_time: '2026-11-15T16:00:00Z',
  charging_periods: [{ ...cdr.charging_periods[0]!, start_date_time: '2026-11-15T16:00:00Z' }, cdr.charging_periods[1]!],
  tariffs: [{ ...byTheClock, elements: byTheClock.elements.map((one) => ({ ...one, restrictions: { ...('restrictions' in one ? one.restrictions : {}), colour: 'red' } })) }],
  cdr_location: { id: 'L1', country: 'CAN', state: 'BC', coordinates: { latitude: '49.28273', longitude: '-123.12074' } },
};

test('where the zone is assumed and a field ignored, a French explanation says so in French', async () => {
  const { out } = await folder.run(['explain', folder.write('cdr.json', assumed), '--language', 'fr']);
  const said = out.replaceAll('\u00a0', ' ');
  expect(said).toContain('Le fuseau horaire est supposé : celui de CAN aux coordonnées 49.28273, -123.12074.');
  expect(said).toContain('Remarque : tariffs[0].elements[0].restrictions.colour: OCPI 2.2.1 n’a pas cette restriction; elle est ignorée.');
  expect(said).not.toMatch(/\b(the|zone|at|has|no|is)\b/);
});

test.each<[string, string[], string[]]>([
  ['price', [], ['time_zone_source', 'why']],
  ['explain', [], ['asks', 'time_zone_source', 'was', 'why']],
  ['quote', ['--energy-kwh', '13', '--duration', '2h', '--time-zone', 'UTC', '--start', '2026-11-15T09:00Z'], ['sentence']],
])('of %s --json --language only what is said in words is in the language, and the language is named', async (verb, more, words) => {
  const name = verb === 'quote' ? folder.write('tariff.json', byTheClock) : folder.write('cdr.json', assumed);
  const tree = async (language: string) => (await folder.json([verb, name, ...more, '--language', language]))[0]!;
  const [english, french] = [await tree('en'), await tree('fr')];
  expect([english.language, french.language]).toEqual(['en', 'fr']);
  const differing = new Set<string>();
  const compare = (one: any, other: any, at: string) => {
    if (typeof one !== 'object' || one === null) return one === other ? undefined : void differing.add(at);
    expect(Object.keys(one)).toEqual(Object.keys(other));
    for (const key of Object.keys(one)) compare(one[key], other[key], Array.isArray(one) ? at : key);
  };
  compare(english, french, '');
  expect([...differing].sort()).toEqual(['language', ...words].sort());
  if (verb !== 'quote') expect(french).toMatchObject({ time_zone: 'America/Vancouver', time_zone_assumed: true });
});

test('a price is shown in French to who asks for it', async () => {
  const stated = { ...assumed, total_cost: { excl_vat: 1 } };
  const { out, err } = await folder.run(['price', folder.write('cdr.json', stated), '--language', 'fr']);
  const said = out.replaceAll('\u00a0', ' ');
  expect(said).toMatch(/À payer +4,50 CAD +4,73 CAD/);
  expect(said).toContain('Les heures locales sont celles de America/Vancouver (supposé : celui de CAN aux coordonnées 49.28273, -123.12074).');
  expect(said).toContain('Il dit lui-même 1 CAD : c’est un autre montant.');
  expect(said).not.toMatch(/\b(the|It|Local|tax|pay)\b/);
  expect(err).toContain('America/Vancouver is assumed (the zone of CAN at the coordinates 49.28273, -123.12074)');
});

test('an explanation as JSON spells its names as a price does, and the flags of a policy as they are asked for', async () => {
  const name = folder.write('cdr.json', { ...cdr, tariffs: [byTheClock], time_zone: 'UTC' });
  const { out } = await folder.run(['explain', name, '--json', '--policy', 'stepScope=none']);
  const { policy, ...tree } = JSON.parse(out) as { policy: object };
  expect(policy).toEqual({ stepScope: 'none' });
  expect(JSON.stringify(tree).match(/"[a-z]+[A-Z]\w*":/g)).toBeNull();
  expect(tree).toMatchObject({ tzdb_version: expect.any(String), periods: [{ local_start: '2026-11-15 17:00' }, {}] });
});

test('a quote says the price, the alternatives by start, and the cheapest', async () => {
  const name = folder.write('tariff.json', byTheClock);
  const asked = ['--energy-kwh', '13', '--duration', '2h', '--time-zone', 'America/Vancouver'];
  const start = ['--start', '2026-11-15T09:00:00-07:00'];
  const [quoted] = await folder.json(['quote', name, ...asked, ...start]);
  expect(quoted).toMatchObject({
    tariff_id: 'T2',
    start: '2026-11-15T16:00:00Z',
    end: '2026-11-15T18:00:00Z',
    energy_kwh: '13',
    total_cost: { excl_vat: '4.5', incl_vat: '4.73' },
    unrounded: { excl_vat: '4.5', incl_vat: '4.725' },
    cheapest: { start: '2026-11-16T07:00:00Z', total_cost: { excl_vat: '3', incl_vat: '3.15' } },
    time_zone: 'America/Vancouver',
  });
  expect(quoted!.alternatives).toHaveLength(48);
  const { out } = await folder.run(['quote', name, ...asked, ...start, '--language', 'fr']);
  expect(out).toContain('l’heure de recharge');
  expect(out).toContain('13 kWh, 2026-11-15 09:00 à 2026-11-15 11:00 (America/Vancouver)\u00a0:');
  expect(out).toMatch(/Temps de recharge +1 h +1,5 CAD\/h +5 % +1,50 CAD +1,575 CAD/);
  expect(out).toMatch(/À payer +4,50 CAD +4,73 CAD/);
  expect(out).toMatch(/Avant arrondi +4,50 CAD +4,725 CAD/);
  expect(out).toContain('À un autre moment\u00a0:');
  expect(out).toContain('Le moins cher\u00a0: 2026-11-16 00:00, 3,15 CAD.');
  const { out: english } = await folder.run(['quote', name, ...asked, ...start]);
  expect(english).toContain('2026-11-15 09:00 to 2026-11-15 11:00 (America/Vancouver)');
  expect(english).toContain('Cheapest: 2026-11-16 00:00, 3.15 CAD.');
});

test('a quote says what it could not know: a tariff by current, and nobody tells the current', async () => {
  const price_components = [{ type: 'ENERGY', price: 0.3 }];
  const file = folder.write('current.json', {
    id: 'A',
    currency: 'CAD',
    elements: [{ price_components, restrictions: { max_current: 32 } }],
  });
  const args = ['quote', file, '--energy-kwh', '10', '--duration', '1h', '--start', '2026-01-05T12:00:00Z'];
  expect((await folder.json(args))[0]!.notes).toEqual([{ code: 'level-unknown' }]);
  expect((await folder.run(args)).out).toContain('Note: the tariff asks for a current or a power that nobody told.');
  const { out } = await folder.run([...args, '--language', 'fr']);
  expect(out).toContain('Remarque\u00a0: le tarif dépend d’un courant ou d’une puissance que personne n’a dits.');
});

test.each([
  [{ id: 'SITE-9', time_zone: 'Europe/Berlin' }, 'no Location of --location is SITE-1: there is SITE-9'],
  [{ id: 'SITE-1' }, 'the Location SITE-1 of --location has no time_zone'],
])('where --location does not tell the zone of a CDR, it is said why: %j', async (location, why) => {
  const name = folder.write('cdr.json', { ...cdr, tariffs: [byTheClock], cdr_location: { id: 'SITE-1' } });
  const { status, err } = await folder.run(['price', name, '--location', folder.write('location.json', location)]);
  expect(status).toBe(1);
  expect(err).toContain(`cdr.json:1: time_zone: the tariff has local times, and ${why}. Give`);
});

test('a quote by local times without a zone is refused, and says what to give', async () => {
  const name = folder.write('tariff.json', [byTheClock, tariff]);
  const { status, out, err } = await folder.run([
    'quote',
    name,
    '--energy-kwh=13',
    '--duration=2h',
    '--json',
  ]);
  expect(status).toBe(1);
  expect(err).toMatch(/^tariff\.json:2: time_zone: .*--time-zone/);
  expect(jsonLines(out)).toMatchObject([{ source: 'tariff.json:2' }, { tariff_id: 'T1', total_cost: total }]);
});

test.each([
  ['a page of tariffs', { tariffs: [byTheClock], total: 1 }, '1[0]'],
  ['a tariff with its version', { tariff: byTheClock, version: 1 }, '1'],
])('%s, as the portal answers it, is read as meant', async (_what, answer, place) => {
  const name = folder.write('answer.json', answer);
  const [linted] = await folder.json(['lint', name]);
  expect(linted).toMatchObject({ id: 'T2', source: `answer.json:${place}` });
  const [priced] = await folder.json(['price', folder.write('cdr.json', { ...cdr, tariffs: [] }), '--tariff', name, '--time-zone', 'UTC']);
  expect(priced).toMatchObject({ total_cost: { excl_vat: '6' } });
});

test.each([
  ['price', 'a Tariff', byTheClock],
  ['explain', 'a CDR', cdr],
  ['lint', 'a CDR', cdr],
  ['quote', 'a Tariff', byTheClock],
])('%s --location with %s is refused: nothing of it would be known of a place', async (verb, kind, given) => {
  folder.write('place.json', given);
  const read = folder.write('read.json', ['price', 'explain'].includes(verb) ? cdr : byTheClock);
  const wish = verb === 'quote' ? ['--energy-kwh', '13', '--duration', '2h'] : [];
  const { status, err } = await folder.run([verb, read, ...wish, '--location', 'place.json']);
  expect(err).toContain(`place.json:1: this is ${kind}, and --location reads Locations.`);
  expect(status).toBe(1);
});

test('findings of lint have a code, a place and advice, and make the exit status 1', async () => {
  const minutes = { type: 'TIME', price: 0.25, vat: 5, step_size: 1 };
  const odd = { ...tariff, elements: [...tariff.elements, { price_components: [minutes] }] };
  folder.write('tariffs.json', [odd, { ...tariff, colour: 'red' }]);
  const { status, out } = await folder.run(['lint', 'tariffs.json', '--country', 'USA']);
  expect(status).toBe(1);
  expect(out).toContain('error unreachable-element at /elements/1');
  expect(out).toContain('element 0 always applies before it');
  expect(out).toContain('warning per-minute-price at /elements/1/price_components/0/price');
  expect(out).toContain('If 0.25 is meant for a minute, write 15.');
  const found = await folder.json(['lint', 'tariffs.json', '--country', 'USA']);
  expect(found[1]!.findings).toEqual([
    {
      code: 'unknown-field',
      severity: 'warning',
      path: '/colour',
      message: expect.stringContaining('colour'),
      advice: expect.any(String),
    },
  ]);
  expect((await folder.run(['lint', 'tariffs.json', '--fail-on', 'error'])).status).toBe(1);
  const sound = folder.write('sound.json', tariff);
  expect(await folder.run(['lint', sound, '--country', 'USA'])).toMatchObject({
    status: 0,
    out: 'sound.json:1  T1: fine\n',
  });
});

test('in Canada the meters of a Location decide about a price per kWh', async () => {
  const connectors = [{ tariff_ids: ['t1'] }];
  folder.write('location.json', {
    country: 'CAN',
    time_zone: 'America/Vancouver',
    evses: [
      { evse_id: 'CA*OAS*E1', meter_standing: 'approved', connectors },
      { evse_id: 'CA*OAS*E2', meter_standing: 'none', connectors },
      { evse_id: 'CA*OAS*E3', meter_standing: 'none', connectors: [{ tariff_ids: ['T9'] }] },
    ],
  });
  folder.write('tariff.json', tariff);
  const [found] = await folder.json(['lint', 'tariff.json', '--location', 'location.json']);
  const codes = (found!.findings as { code: string }[]).map(({ code }) => code);
  expect(codes).toEqual(['canada-kwh-without-approval', 'canada-time-price-after-2029']);
  expect(found!.findings[0].message).toContain('CA*OAS*E2 has neither');
  const [own] = await folder.json(['lint', 'tariff.json', '--meter', 'approved']);
  expect(own!.findings).toMatchObject([{ code: 'canada-time-price-after-2029' }]);
});

test.each(['CANADA', 'CN2', 'XX', '12'])('a country that is none is refused, for the rules of Canada would go unasked: %s', async (country) => {
  const name = folder.write('tariff.json', tariff);
  const { status, err } = await folder.run(['lint', name, '--country', country]);
  expect(status).toBe(2);
  expect(err).toContain(`--country: "${country}" is no code of ISO 3166-1; one like CAN or CA expected`);
});

test('a value that looks like an option is explained', async () => {
  const { status, err } = await folder.program(['quote', 'tariff.json', '--energy-kwh', '-3', '--duration', '2h']);
  expect(status).toBe(2);
  expect(err).toContain('--energy-kwh needs a value; one that begins with "-" is written --energy-kwh=-…');
});

test('a JSON number is never taken for text, however many digits it has, and one beyond all measure is said to be', async () => {
  const codes = async (price: string) => {
    const text = JSON.stringify({ ...tariff, elements: [{ price_components: [{ type: 'ENERGY', price: 0, step_size: 1 }] }] });
    folder.write('digits.json', text.replace('"price":0', `"price":${price}`));
    const [found] = await folder.json(['lint', 'digits.json', '--country', 'USA']);
    return (found!.findings as { code: string }[]).map(({ code }) => code);
  };
  expect(await codes('0.12345678901234567')).toEqual([]);
  expect(await codes('"0.35"')).toEqual(['number-as-text']);
  expect(await codes('1e400')).toEqual(['invalid-tariff']);
});

test.each<[string, object, string]>([
  ['a Location', { id: 'L1', coordinates: {}, evses: [] }, 'this is a Location, and lint reads Tariffs. Give it with --location'],
  ['a Session', { id: 'S1', location_id: 'L1', kwh: 1 }, 'this is a Session, and lint reads Tariffs'],
  ['a CDR without tariffs', { charging_periods: [], tariffs: [] }, 'this is a CDR without tariffs, and lint reads Tariffs'],
  ['a Token', { uid: '1', contract_id: 'C' }, 'this is a Token, and lint reads Tariffs'],
])('lint says what it was given: %s', async (_, given, says) => {
  const { status, out, err } = await folder.run(['lint', folder.write('given.json', given)]);
  expect(`${status} ${out}`).toBe('1 ');
  expect(err).toContain(`given.json:1: ${says}`);
});

test('the tariffs inside CDRs are looked at too', async () => {
  const broken = { ...tariff, elements: [] };
  folder.write(
    'cdrs.jsonl',
    [cdr, { ...cdr, tariffs: [tariff, broken] }].map((one) => JSON.stringify(one)).join('\n'),
  );
  const found = await folder.json(['lint', 'cdrs.jsonl']);
  expect(found.map((one) => one.source)).toEqual([
    'cdrs.jsonl:1 /tariffs/0',
    'cdrs.jsonl:2 /tariffs/0',
    'cdrs.jsonl:2 /tariffs/1',
  ]);
  expect(found[2]!.findings[0]).toMatchObject({ code: 'empty-list', path: '/elements' });
});

test.each(Object.keys(VERBS))('%s --help has examples and the exit status', async (verb) => {
  const { status, out } = await folder.run([...verb.split(' '), '--help']);
  expect(status).toBe(0);
  expect(out).toContain(`npx roamwatt ${verb}`);
  expect(out).toMatch(/\nExamples\n {2}\S/);
  expect(out).toMatch(/Exit status\n {2}0 {2}fine\n {2}1 .*\n {2}2 /);
});

test('--help says of each verb with --url that it asks the portal', async () => {
  const [about] = (await folder.run(['--help'])).out.split('\n\n');
  const asking = [];
  for (const verb of Object.keys(VERBS)) {
    const [group = ''] = verb.split(' ');
    if ((await folder.run([...verb.split(' '), '--help'])).out.includes('--url URL ')) asking.push(group);
  }
  for (const group of asking) expect(about).toMatch(new RegExp(`platform; .*\`${group}\`.* ask the portal`));
  expect(asking).toContain('session');
});

test.each(['prize --json', '--json', 'partner lst --json', 'partner --nonsense --json', 'price a.json --tarif b.json --json'])(
  'a command that was used wrongly says so to programs, too: %s',
  async (line) => {
    const { status, out, err } = await folder.run(line.split(' '));
    expect(status).toBe(2);
    const [refused, ...more] = jsonLines(out);
    expect(more).toEqual([]);
    expect(err).toContain(refused!.refused);
  },
);

test.each(['price', 'partner list'])('npx roamwatt help %s is its help', async (verb) => {
  const help = await folder.run(['help', ...verb.split(' ')]);
  expect(help).toEqual(await folder.run([...verb.split(' '), '--help']));
  expect(help).toMatchObject({ status: 0, out: expect.stringContaining(`npx roamwatt ${verb} `) });
});

test.each<[string, string, object, string]>([
  ['price', 'a Tariff', byTheClock, 'this is a Tariff, and CDRs and Sessions are priced. Give it with --tariff, beside them.'],
  ['explain', 'a Location', { id: 'L', evses: [], coordinates: {} }, 'this is a Location, and CDRs and Sessions are priced. Give it with --location, beside them.'],
  ['quote', 'a CDR', cdr, 'this is a CDR, and quote reads Tariffs. Give the Tariffs themselves.'],
])('%s that is given %s says what it is and what to do', async (verb, _kind, given, says) => {
  const wish = verb === 'quote' ? ['--energy-kwh', '13', '--duration', '2h'] : [];
  const { status, err } = await folder.run([verb, folder.write('given.json', given), ...wish]);
  expect(err).toContain(`given.json:1: ${says}`);
  expect(status).toBe(1);
});

test.each([
  ['partner', 2],
  ['ledger', 2],
  ['partner --help', 0],
  ['ledger help', 0],
] as const)('roamwatt %s shows the verbs of that name', async (line, ends) => {
  const { status, out, err } = await folder.run(line.split(' '));
  const [group] = line.split(' ');
  expect([status, err]).toEqual([ends, '']);
  for (const verb of Object.keys(VERBS)) expect(out.includes(`  ${verb} `)).toBe(verb.startsWith(`${group} `));
});

test.each<[string[], RegExp]>([
  [['prize'], /unknown verb "prize"; did you mean "price"\?/],
  [['partner', 'lst'], /unknown verb "partner lst"; did you mean "partner list"\?\nVerbs: partner list, partner letters/],
  [['partner', 'list', 'CA*CPK'], /takes nothing but options, not "CA\*CPK"/],
  [['price'], /name the files/],
  [['price', 'a.json', '--tarif', 'b.json'], /unknown option --tarif; did you mean --tariff\?/],
  [['price', 'a.json', '--time-zone', 'Burnaby'], /"Burnaby" is no IANA time zone/],
  [['price', 'a.json', '--policy', 'stepScope=often'], /one of session, component, none/],
  [['quote', 'a.json', '--duration', '2h'], /two of --energy-kwh, --duration and --power-kw/],
  [['quote', 'a.json', '--energy-kwh', '5', '--duration', 'long'], /"long" is no duration/],
  [['quote', 'a.json', '--energy-kwh', 'twenty', '--duration', '2h'], /--energy-kwh: "twenty" is no amount/],
  [['quote', 'a.json', '--power-kw', '-3', '--duration', '2h'], /--power-kw/],
  [['price', 'a.json', '--time-zone', 'america/toronto'], /did you mean America\/Toronto\?/],
  [['quote', 'tariff.json', '--energy-kwh', '5', '--power-kw', '0'], /quote: --power-kw: more than 0 kW expected/],
  [['quote', 'tariff.json', '--energy-kwh', '5', '--duration', '40d'], /quote: --duration: more than nothing and at most 31 days/],
  [['quote', 'tariff.json', '--energy-kwh', '5', '--duration', '1h', '--within', '400d', '--every', '1s'], /--every: at most 10000/],
  [['lint', 'a.json', '--meter', 'maybe'], /--meter: one of approved/],
])('wrong usage is named, says where to look, and ends with 2: %s', async (args, named) => {
  folder.write('tariff.json', tariff);
  const { status, out, err } = await folder.run(args);
  expect([status, out]).toEqual([2, '']);
  expect(err).toMatch(named);
  expect(err).toContain('--help');
});

test.each([
  ['price', 'none.json', 1, { source: 'none.json', refused: 'there is no such file. Check its path.' }],
  ['explain', '.', 1, { source: '.', refused: 'this is a folder. Name the files in it.' }],
  ['lint', 'location.json', 1, { source: 'location.json:1', refused: expect.stringContaining('lint reads Tariffs') as string }],
  ['quote none.json --energy-kwh 1', '--duration 1h', 1, { source: 'none.json', refused: 'there is no such file. Check its path.' }],
  ['quote', 'tariff.json', 2, { refused: 'two of --energy-kwh, --duration and --power-kw are needed' }],
  ['price location.json --tariff', 'none.json', 1, { refused: 'none.json: there is no such file. Check its path.' }],
  ['price location.json --time-zone', 'Nowhere', 2, { refused: expect.stringContaining('--time-zone') as string }],
])('%s %s --json says on stdout what is refused', async (verb, rest, status, refused) => {
  folder.write('location.json', { id: 'L', country: 'CAN', evses: [], coordinates: {} });
  const run = await folder.run([...verb.split(' '), ...rest.split(' '), '--json']);
  expect(jsonLines(run.out)).toEqual([refused]);
  expect(run.status).toBe(status);
});

test('a file that is not there is refused by name, and the others are read', async () => {
  folder.write('cdr.json', cdr);
  const { status, out, err } = await folder.run(['price', 'none.json', 'cdr.json', '--json']);
  expect(status).toBe(1);
  expect(jsonLines(out)).toMatchObject([{ source: 'none.json' }, { total_cost: total }]);
  expect(err).toContain('none.json: there is no such file. Check its path.');
});
