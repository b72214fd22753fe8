import { afterEach, beforeEach, expect, test } from 'vitest';
import { Folder } from './command.ts';
import { cdr, tariff, total } from './examples.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const cdrOf230 = (tax_included: string, prices: readonly number[]) => ({
  ...cdr,
  total_cost: { before_taxes: 6.12, taxes: [{ name: 'GST', amount: 0.306 }] },
  tariffs: [
    {
      ...tariff,
      tax_included,
      min_price: { before_taxes: 1, after_taxes: 1.05 },
      elements: [{ price_components: tariff.elements[0]!.price_components.map((one, i) => ({ ...one, price: prices[i] })) }],
    },
  ],
});

test.each([
  ['NO', [0.24, 1.5], total],
  ['YES', [0.252, 1.575], total],
  ['N/A', [0.24, 1.5], { excl_vat: '6.12', incl_vat: '6.12' }],
])('a CDR of OCPI 2.3.0 is priced by its own tax_included (%s)', async (included, prices, total_cost) => {
  const [priced] = await folder.json(['price', folder.write('cdr.json', cdrOf230(included, prices))]);
  expect(priced).toMatchObject({ total_cost, stated: { excl_vat: '6.12', incl_vat: '6.426' } });
  expect(priced!.total_cost).toEqual(total_cost);
});

test('a price of 2.3.0 whose tax comes out without an end costs with tax what it says', async () => {
  const [priced] = await folder.json(['price', folder.write('cdr.json', cdrOf230('YES', [0.35, 0]))]);
  expect(priced).toMatchObject({
    total_cost: { excl_vat: '4.33', incl_vat: '4.55' },
    notes: [{ code: 'taxes-of-2.3.0', path: 'tariffs[0].tax_included' }],
  });
});

test('a tariff of 2.3.0 that does not say YES, NO or N/A is refused', async () => {
  const { err, status } = await folder.run(['price', folder.write('cdr.json', cdrOf230('MAYBE', [1, 1]))]);
  expect(status).toBe(1);
  expect(err).toContain('tariffs[0].tax_included: YES, NO or N/A expected (OCPI 2.3.0 mod_tariffs)');
});

test('the total_cost of OCPI 2.1.1, one number without VAT, is compared with ours', async () => {
  const found = await folder.json(['price', folder.write('cdrs.json', [6.12, '6.12', 5].map((total_cost) => ({ ...cdr, total_cost })))]);
  expect(found.map(({ stated, stated_agrees }) => [stated, stated_agrees])).toEqual([
    [{ excl_vat: '6.12' }, true],
    [{ excl_vat: '6.12' }, true],
    [{ excl_vat: '5' }, false],
  ]);
});
