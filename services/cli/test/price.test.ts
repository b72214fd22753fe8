import { afterEach, beforeEach, expect, test } from 'vitest';
import { Folder, jsonLines } from './command.ts';
import { byTheClock, cdr, periods, tariff, total, unrounded } from './examples.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

test('a CDR is priced exactly, with its lines as data', async () => {
  const [priced] = await folder.json(['price', folder.write('cdr.json', cdr)]);
  expect(priced).toEqual({
    id: 'C1',
    source: 'cdr.json:1',
    language: 'en',
    currency: 'CAD',
    total_cost: total,
    unrounded,
    lines: [
      {
        dimension: 'ENERGY',
        reservation: false,
        billed: '13000',
        unit: 'Wh',
        price: '0.24',
        vat: '5',
        cost: { excl_vat: '3.12', incl_vat: '3.276' },
      },
      {
        dimension: 'TIME',
        reservation: false,
        billed: '7200',
        unit: 's',
        price: '1.5',
        vat: '5',
        cost: { excl_vat: '3', incl_vat: '3.15' },
      },
    ],
    notes: [],
  });
});

const texts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, one: unknown) =>
    typeof one === 'number' ? String(one) : one,
  );
const { tariffs: _tariffs, ...withoutTariffs } = cdr;

test.each<[string, unknown]>([
  ['numbers as text', texts(cdr)],
  ['an envelope', { status_code: 1000, data: cdr, timestamp: '2026-01-01T00:00:00Z' }],
  ['an envelope with a list', { data: [cdr], status_code: 1000 }],
  ['a list', [cdr]],
  ['a page of the portal', { objects: [cdr], total: 1 }],
  [
    'one tariff and one element without their lists',
    { ...withoutTariffs, tariff: { ...tariff, elements: tariff.elements[0] } },
  ],
  ['periods and tariffs alone', { tariffs: [tariff], charging_periods: periods }],
  ['a CDR beside its tariff', { cdr: withoutTariffs, tariff }],
  [
    'local times with an offset',
    { ...cdr, start_date_time: '2026-11-15T10:00:00-07:00', end_date_time: '2026-11-15 20:00+01' },
  ],
  ['nulls for what is absent', { ...cdr, currency: null, cdr_location: null, total_cost: null }],
  ['names in small letters', JSON.parse(JSON.stringify(cdr).replaceAll('ENERGY', 'energy'))],
])('%s: read as meant', async (_what, given) => {
  const [priced] = await folder.json(['price', folder.write('cdr.json', given)]);
  expect(priced).toMatchObject({ currency: 'CAD', total_cost: total, unrounded });
});

test('a CDR without tariffs is priced by --tariff, a CDR with some too', async () => {
  folder.write('tariff.json', tariff);
  const free = { ...tariff, elements: [{ price_components: [{ type: 'FLAT', price: 0 }] }] };
  folder.write('bare.json', { charging_periods: periods, end_date_time: cdr.end_date_time });
  folder.write('other.json', { ...cdr, tariffs: [free] });
  const found = await folder.json(['price', 'bare.json', 'other.json', '--tariff', 'tariff.json']);
  expect(found.map((one) => one.total_cost)).toEqual([total, total]);
  const { status, err } = await folder.run(['price', 'bare.json']);
  expect(status).toBe(1);
  expect(err).toMatch(/^bare\.json:1: tariffs: .*--tariff/);
});

test('--tariff prices all periods where none names it, and only its own where some do', async () => {
  folder.write('tariff.json', tariff);
  const naming = (tariff_id: string) => {
    const [first, second] = periods;
    const charging_periods = [{ ...first, tariff_id }, second];
    return folder.write(`${tariff_id}.json`, { ...withoutTariffs, charging_periods });
  };
  const files = [naming('T9'), naming('t1')];
  const [other, own] = await folder.json(['price', ...files, '--tariff', 'tariff.json']);
  expect(other).toMatchObject({ total_cost: total, notes: [{ code: 'tariff-for-all-periods' }] });
  // 7 kWh and an hour; the second period has no tariff (CDR-06).
  expect(own).toMatchObject({ total_cost: { excl_vat: '3.18' } });
});

test('by another tariff the periods are cut where its price changes, be it a new version of the same id', async () => {
  const cents = (price: number, restrictions?: object) => ({ price_components: [{ type: 'ENERGY', price, step_size: 1 }], ...(restrictions && { restrictions }) });
  const half = { ...tariff, elements: [cents(1, { max_kwh: 10 }), cents(2)] };
  const one = {
    ...withoutTariffs, end_date_time: '2026-11-15T19:00:00Z', total_cost: undefined,
    charging_periods: [{ start_date_time: '2026-11-15T18:00:00Z', tariff_id: tariff.id, dimensions: [{ type: 'ENERGY', volume: 15 }, { type: 'TIME', volume: 1 }] }],
  };
  const its = folder.write('its.json', { ...one, start_date_time: '2026-11-15T18:00:00Z', tariffs: [tariff] });
  const none = folder.write('none.json', { ...one, start_date_time: '2026-11-15T18:00:00Z' });
  const same = folder.write('same.json', { ...one, start_date_time: '2026-11-15T18:00:00Z', tariffs: [half] });
  const found = await folder.json(['price', its, none, same, '--tariff', folder.write('half.json', half)]);
  // What was metered by the tariff itself is priced as it was metered.
  expect(found.map(({ unrounded: { excl_vat }, notes }) => [excl_vat, notes.map(({ code }: { code: string }) => code)])).toEqual([
    ['20', ['periods-cut']], ['15', ['period-spans-price-change']], ['15', ['period-spans-price-change']],
  ]);
  // Be it written as partners of other versions do.
  const taxed = { ...half, tax_included: 'YES', elements: half.elements.map((one) => ({ ...one, price_components: one.price_components.map((each) => ({ ...each, vat: 25 })) })) };
  const metered = folder.write('metered.json', { ...one, start_date_time: '2026-11-15T18:00:00Z', tariffs: [taxed] });
  const [as230] = await folder.json(['price', metered, '--tariff', folder.write('taxed.json', taxed)]);
  expect(as230).toMatchObject({ unrounded: { excl_vat: '12', incl_vat: '15' }, notes: [{ code: 'period-spans-price-change' }] });
  const [another] = await folder.json(['price', none, '--tariff', folder.write('other.json', { ...half, id: 'OTHER' })]);
  expect(another).toMatchObject({ unrounded: { excl_vat: '20' }, notes: [{ code: 'tariff-for-all-periods' }, { code: 'periods-cut' }] });
});

test('of several tariffs of --tariff those of the CDR’s own ids price it, else the first that holds then, which is said', async () => {
  const free = { ...tariff, id: 'FREE', elements: [{ price_components: [{ type: 'FLAT', price: 0 }] }] };
  const past = { ...free, id: 'PAST', end_date_time: '2020-01-01T00:00:00Z' };
  const file = folder.write('several.json', [past, free, tariff]);
  const bare = folder.write('bare.json', withoutTariffs);
  const its = folder.write('its.json', { ...withoutTariffs, tariffs: [{ ...free, id: tariff.id.toLowerCase() }] });
  const [none, own] = await folder.json(['price', bare, its, '--tariff', file]);
  expect(none).toMatchObject({ total_cost: { excl_vat: '0' }, notes: [{ code: 'first-of-tariffs', why: expect.stringContaining('FREE (several.json:20)') }] });
  expect([own?.total_cost, own?.notes]).toEqual([total, []]);
});

test('a CDR that is refused for a broken tariff of --tariff names the file of the tariff', async () => {
  const broken = { ...tariff, id: 'T2', elements: [{ ...tariff.elements[0], restrictions: { start_time: '99' } }] };
  const by = (tariff_id: string) => ({ ...cdr, charging_periods: periods.map((one) => ({ ...one, tariff_id })) });
  const lines = (...all: object[]) => all.map((one) => JSON.stringify(one)).join('\n');
  const cdrs = folder.write('cdrs.jsonl', lines(by('T1'), by('T2')));
  const args = ['price', cdrs, '--json', '--tariff', folder.write('tariffs.jsonl', lines(tariff, broken))];
  const { out, err, status } = await folder.run(args);
  expect(jsonLines(out)).toMatchObject([{ source: 'cdrs.jsonl:1', total_cost: total }, { source: 'cdrs.jsonl:2' }]);
  expect(status).toBe(1);
  expect(err).toMatch(/^cdrs\.jsonl:2: tariffs\.jsonl:2: elements\[0\]\.restrictions\.start_time: a local time HH:MM expected/);
});

test('digits beyond what a double carries are kept', async () => {
  const text = JSON.stringify({
    ...cdr,
    charging_periods: [{ ...periods[0], dimensions: [{ type: 'ENERGY', volume: 1 }] }],
  })
    .replace('0.24', '0.12345678901234567891')
    .replace('"volume":1', '"volume":1e3');
  const [priced] = await folder.json(['price', folder.write('cdr.json', text)]);
  expect(priced!.unrounded.excl_vat).toBe('123.45678901234567891');
});

test('a step_size is text in each spelling that a number has', async () => {
  const priced = (step_size: unknown) => ({
    ...cdr,
    tariffs: [{ ...tariff, elements: [{ price_components: [{ type: 'ENERGY', price: 0.24, step_size }] }] }],
  });
  const [number, text] = await folder.json(['price', folder.write('cdrs.json', [priced(1e4), priced('1e4')])]);
  expect(text!.lines).toEqual(number!.lines);
  expect(text).toMatchObject({ lines: [{ billed: '20000' }] });
});

test('PRC-14: the names of a reservation are read in small letters, too', async () => {
  const reserved = { price_components: [{ type: 'FLAT', price: 2 }], restrictions: { reservation: 'reservation' } };
  const given = { ...cdr, tariffs: [{ ...tariff, elements: [reserved, ...tariff.elements] }] };
  const [priced] = await folder.json(['price', folder.write('cdr.json', given)]);
  expect(priced).toMatchObject({ total_cost: total });
});

const clocked = { ...cdr, tariffs: [byTheClock] };
const place = (cdr_location: object) => ({ ...clocked, cdr_location });
const vancouver = {
  country: 'CAN',
  state: 'BC',
  coordinates: { latitude: '49.28273', longitude: '-123.12074' },
};

test.each<[string, object, string[], string, RegExp]>([
  ['--time-zone', clocked, ['--time-zone', 'America/Vancouver'], '4.5', /^--time-zone$/],
  ['its own field', { ...clocked, time_zone: 'America/Vancouver' }, [], '4.5', /its own/],
  ['its location’s', place({ time_zone: 'America/Vancouver' }), [], '4.5', /of its location/],
  ['its province', place({ ...vancouver, coordinates: null }), [], '4.5', /assumed: .*BC/],
  ['its coordinates', place(vancouver), [], '4.5', /assumed: .*coordinates/],
  ['the only zones of its country', place({ country: 'NLD' }), [], '6', /same time|only zone/],
])('the zone of local times is told with its reason: %s', async (...given) => {
  const [, of, more, excl, reason] = given;
  const [priced] = await folder.json(['price', folder.write('cdr.json', of), ...more]);
  // 10:00 at UTC-7, the law of British Columbia since 2026, is 17:00Z: all of it is dear there.
  expect(priced!.time_zone_source).toMatch(reason);
  expect(priced!.total_cost.excl_vat).toBe(excl === '4.5' ? '6' : excl);
});

test('an assumed zone is said on stderr, and an unknown one is asked for', async () => {
  folder.write('there.json', place(vancouver));
  expect((await folder.run(['price', 'there.json'])).err).toContain('America/Vancouver is assumed');
  folder.write('nowhere.json', place({ country: 'CAN' }));
  const { status, err, out } = await folder.run(['price', 'nowhere.json']);
  expect([status, out]).toEqual([1, '']);
  expect(err).toMatch(/^nowhere\.json:1: time_zone: .*--time-zone America\/Vancouver/);
});

test('a Location of --location gives its zone to the CDRs that name it', async () => {
  folder.write('locations.json', {
    data: [
      { id: 'L1', time_zone: 'Europe/Berlin' },
      { id: 'L2', time_zone: 'UTC' },
    ],
  });
  folder.write('cdr.json', place({ id: 'l1' }));
  const [priced] = await folder.json(['price', 'cdr.json', '--location', 'locations.json']);
  expect(priced).toMatchObject({ time_zone: 'Europe/Berlin', time_zone_source: '--location' });
});

test('CDR-04: what the CDR says itself is compared; the total of a Credit CDR is negative, and nothing else of it', async () => {
  const stated = { excl_vat: 6.12, incl_vat: 6.43 };
  folder.write('cdrs.json', [
    { ...cdr, total_cost: stated },
    { ...cdr, total_cost: { excl_vat: -6.12, incl_vat: -6.43 }, credit: true },
    { ...cdr, total_cost: { excl_vat: 6.13 } },
  ]);
  const found = await folder.json(['price', 'cdrs.json']);
  expect(found.map((one) => one.stated_agrees)).toEqual([true, true, false]);
  expect(found[1]).toMatchObject({ total_cost: { excl_vat: '-6.12', incl_vat: '-6.43' }, lines: found[0]!.lines });
  expect((await folder.run(['price', 'cdrs.json'])).out).toMatch(/Taken back +-6\.12 CAD +-6\.43 CAD/);
  expect((await folder.run(['explain', 'cdrs.json'])).out).toContain('A Credit CDR: this is taken back');
  expect((await folder.run(['price', 'cdrs.json'])).out).toContain('It says itself 6.13 CAD');
});

test('a total that is stated with the four decimals of OCPI is no other one than the exact price', async () => {
  const hourly = { ...tariff, elements: [{ price_components: [{ type: 'ENERGY', price: 0.0123457, step_size: 1 }] }] };
  const stating = (excl_vat: number) => ({ ...cdr, tariffs: [hourly], total_cost: { excl_vat } });
  folder.write('cdrs.json', [0.1605, 0.161, 0.16, 0.16050000001, 0.1604, 0.162, 0.2].map(stating));
  const found = await folder.json(['price', 'cdrs.json']);
  expect(found[0]).toMatchObject({ unrounded: { excl_vat: '0.1604941' } });
  expect(found.map((one) => one.stated_agrees)).toEqual([true, false, true, true, false, false, false]);
});

test('PRC-05: where no component has a vat, a stated incl_vat agrees that is the excl_vat, and no other', async () => {
  const untaxed = { ...tariff, elements: [{ price_components: [{ type: 'ENERGY', price: 0.25, step_size: 1 }] }] };
  const stating = (incl_vat: number) => ({ ...cdr, tariffs: [untaxed], total_cost: { excl_vat: 3.25, incl_vat } });
  folder.write('cdrs.json', [stating(3.25), stating(3.41)]);
  const found = await folder.json(['price', 'cdrs.json']);
  expect(found.map((one) => [one.total_cost, one.stated_agrees])).toEqual([
    [{ excl_vat: '3.25' }, true],
    [{ excl_vat: '3.25' }, false],
  ]);
});

test('an element without price_components is refused by name, and not free', async () => {
  const [element] = tariff.elements;
  const by = (...elements: object[]) => ({ ...cdr, tariffs: [{ ...tariff, elements }] });
  const misspelt = { price_component: element!.price_components };
  folder.write('cdrs.json', [by(misspelt), by(element!, { ...element, price_components: [] }), by(element!)]);
  const { out, status } = await folder.run(['price', 'cdrs.json', '--json']);
  expect(jsonLines(out)).toMatchObject([
    { refused: expect.stringMatching(/^tariffs\[0\]\.elements\[0\]\.price_components: it has none/) as string },
    { refused: expect.stringMatching(/^tariffs\[0\]\.elements\[1\]\.price_components: it has none/) as string },
    { total_cost: total },
  ]);
  expect(status).toBe(1);
});

test('a CDR whose id is a number is named by it', async () => {
  folder.write('cdr.json', { ...cdr, id: 12345 });
  expect(await folder.json(['price', 'cdr.json'])).toMatchObject([{ id: '12345', total_cost: total }]);
});

test('what has no meaning for the price is told', async () => {
  const elements = [{ ...tariff.elements[0], restrictions: { min_kw: 11 } }];
  folder.write('cdr.json', { ...cdr, tariffs: [{ ...tariff, elements }] });
  const [priced] = await folder.json(['price', 'cdr.json']);
  expect(priced!.notes).toEqual([
    {
      code: 'ignored',
      path: 'tariffs[0].elements[0].restrictions.min_kw',
      why: 'OCPI 2.2.1 has no such restriction; it is ignored',
    },
  ]);
});

test('policies and the outcome of a reservation may be chosen', async () => {
  const reserved = {
    ...cdr,
    tariffs: [
      {
        ...tariff,
        elements: [
          {
            price_components: [{ type: 'FLAT', price: 4 }],
            restrictions: { reservation: 'RESERVATION_EXPIRES' },
          },
          {
            price_components: [{ type: 'FLAT', price: 1 }],
            restrictions: { reservation: 'RESERVATION' },
          },
        ],
      },
    ],
    charging_periods: [
      {
        start_date_time: cdr.start_date_time,
        dimensions: [{ type: 'RESERVATION_TIME', volume: 2 }],
      },
    ],
  };
  folder.write('cdr.json', reserved);
  const cost = async (...more: string[]) =>
    (await folder.json(['price', 'cdr.json', ...more]))[0]!.total_cost.excl_vat as string;
  expect(await cost()).toBe('4');
  expect(await cost('--reservation', 'used')).toBe('1');
  expect(await cost('--policy', 'reservationOutcome=used')).toBe('1');
});

test('without --json there is a table for people', async () => {
  const { out, status } = await folder.run(['price', folder.write('cdr.json', cdr)]);
  expect(status).toBe(0);
  expect(out).toMatch(/Energy +13 kWh +0\.24 CAD\/kWh +5 % +3\.12 CAD +3\.276 CAD/);
  expect(out).toMatch(/To pay +6\.12 CAD +6\.43 CAD/);
});

test('a currency is read by ISO 4217: small letters have its digits, what is none is refused by name', async () => {
  const period = { start_date_time: '2024-01-10T12:00:00Z', dimensions: [{ type: 'ENERGY', volume: 1.5 }] };
  const priced = (currency: unknown, ofTariff?: unknown) => ({
    ...(currency === undefined ? {} : { currency }),
    tariffs: [
      {
        ...(ofTariff === undefined ? {} : { currency: ofTariff }),
        elements: [{ price_components: [{ type: 'ENERGY', price: 25.4 }] }],
      },
    ],
    charging_periods: [period],
  });
  const lines = [priced('jpy'), priced(undefined, ' kwd '), priced(undefined), priced(5), priced('dollars')];
  const file = folder.write('cdrs.jsonl', lines.map((one) => JSON.stringify(one)).join('\n'));
  const { out, err } = await folder.run(['price', file, '--json']);
  const [yen, dinar, unknown] = out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, any>);
  expect(yen).toMatchObject({ currency: 'JPY', total_cost: { excl_vat: '38' }, notes: [] });
  expect(dinar).toMatchObject({ currency: 'KWD', total_cost: { excl_vat: '38.1' }, notes: [] });
  expect(unknown).toMatchObject({ total_cost: { excl_vat: '38.1' }, notes: [{ code: 'currency-unknown' }] });
  expect(unknown).not.toHaveProperty('currency');
  for (const line of [4, 5]) expect(err).toContain(`cdrs.jsonl:${line}: currency: three letters expected, such as CAD (ISO 4217`);
  for (const verb of ['price', 'explain']) {
    const { out: text } = await folder.run([verb, folder.write('none.json', priced(undefined))]);
    expect(text).toContain('38.10');
    expect(text).toContain('the currency is unknown; two decimals are assumed');
    expect(text).not.toContain('undefined');
  }
});

test('PRC-12: a table names the bound of the side that it bounds, and an hour of a reservation as such', async () => {
  const bounded = {
    ...cdr,
    tariffs: [
      {
        id: 'T',
        currency: 'CAD',
        min_price: { excl_vat: 1, incl_vat: 9 },
        elements: [
          {
            price_components: [
              { type: 'TIME', price: 2, vat: 5 },
              { type: 'FLAT', price: 1, vat: 5 },
            ],
            restrictions: { reservation: 'RESERVATION' },
          },
          { price_components: [{ type: 'ENERGY', price: 0.5, vat: 5 }] },
        ],
      },
    ],
    charging_periods: [
      { start_date_time: '2024-01-10T12:00:00Z', dimensions: [{ type: 'RESERVATION_TIME', volume: 0.5 }] },
      { start_date_time: '2024-01-10T12:30:00Z', dimensions: [{ type: 'ENERGY', volume: 4 }] },
    ],
    start_date_time: '2024-01-10T12:00:00Z',
    end_date_time: '2024-01-10T13:00:00Z',
  };
  const { out } = await folder.run(['price', folder.write('cdr.json', bounded)]);
  expect(out).toMatch(/Reservation time +30 min +2 CAD\/h +5 % +1\.00 CAD/);
  expect(out).toMatch(/Reservation fee +once/);
  expect(out).toMatch(/\n +Least price of the tariff +\+4\.80 CAD\n +To pay +4\.00 CAD +9\.00 CAD/);
});

test('LOC-10 a time zone that there is not keeps no CDR from being priced where no local time matters', async () => {
  const location = folder.write('location.json', { id: 'SITE', time_zone: 'PST', country: 'CAN', coordinates: { latitude: '49.25', longitude: '-123.00' } });
  const there = (of: object) => folder.write('there.json', { ...cdr, cdr_location: { id: 'SITE' }, ...of });
  const [priced] = await folder.json(['price', there({}), '--location', location]);
  expect(priced).toMatchObject({ total_cost: total });
  const { status, err } = await folder.run(['price', there({ tariffs: [byTheClock] }), '--location', location]);
  expect(status).toBe(1);
  expect(err).toMatch(/time_zone: "PST", .*--time-zone/);
});
