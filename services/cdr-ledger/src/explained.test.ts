import { expect, test } from 'vitest';
import { creditCdr } from '#ocpi';
import type { SettledTax } from '#settlement';
import { cdr } from '../test/charge.ts';
import { explained } from './explained.ts';

const pricing = { timeZone: 'America/Vancouver', tzdb: '2026f', unrounded: { exclVat: '2.94' } };

test('a price is explained in the time of its place', () => {
  const { text, repriced, explanation } = explained({ cdr, pricing, findings: [] });
  expect(text).toContain('2022-02-01 09:00');
  expect(text).toContain('3.09 CAD');
  expect(repriced).toEqual({ exclVat: '2.94', inclVat: '3.09' });
  expect(explanation).toMatchObject({
    currency: 'CAD',
    timeZone: 'America/Vancouver',
    total: { excl_vat: '2.94' },
  });
});

test('the one VAT of a price is told as the taxes of its place, in Quebec as two', () => {
  const inQuebec = (vat: number) => ({
    ...cdr,
    cdr_location: { ...cdr.cdr_location, state: 'QC' },
    tariffs: cdr.tariffs!.map((one) => ({
      ...one,
      elements: one.elements.map(({ price_components }) => ({ price_components: price_components.map((each) => ({ ...each, vat })) })),
    })),
  });
  const { text } = explained({ cdr: inQuebec(14.975), pricing, findings: [] });
  expect(text).toContain('and 5 % GST and 9.975 % QST (part 1 of the tariff)');
  expect(text).not.toContain('14.975');
  expect(explained({ cdr: inQuebec(5), pricing, findings: [] }).text).toContain('and 5 % tax (part 1');
  // As they were noted with it, whatever the data of taxes is by now.
  const noted = (...taxes: SettledTax[]) => explained({ cdr: inQuebec(14.975), pricing, findings: [], taxed: { taxes, remarks: [] } }).text;
  const tax = (code: string, rate: string) => ({ code, rate, base: '2.94', amount: '0.22' });
  expect(noted(tax('VAT', '14.975'))).toContain('and 14.975 % tax (part 1');
  expect(noted(tax('GST', '6'), tax('QST', '8.975'))).toContain('and 6 % GST and 8.975 % QST (part 1');
  expect(noted()).toContain('and 5 % GST and 9.975 % QST (part 1');
});

test('a Credit CDR is explained by what it pays back', () => {
  const { text, repriced } = explained({
    cdr: creditCdr(cdr, '2022-02-03T00:00:00Z'),
    pricing,
    findings: [],
  });
  expect(text).toMatch(/^Paid back, of CDR 20220201-ABCDEFGHIJKL-1:/);
  expect(repriced).toEqual({ exclVat: '-2.94', inclVat: '-3.09' });
});

test('a CDR that cannot be priced says so, and what was found', () => {
  const findings = [{ code: 'not-priceable' as const, detail: 'tariffs: at least one expected' }];
  const { text, repriced } = explained({
    cdr: { ...cdr, tariffs: [] },
    pricing: undefined,
    findings,
  });
  expect(text).toMatch(
    /^It cannot be priced: tariffs: .*\nFound: tariffs: at least one expected \(not-priceable\)\.\n$/,
  );
  expect(repriced).toBeUndefined();
});

test('a driver who reads French is told all of it in French: taxes, what is paid back, what was found', () => {
  const inQuebec = {
    ...cdr,
    cdr_location: { ...cdr.cdr_location, state: 'QC' },
    tariffs: cdr.tariffs!.map((one) => ({
      ...one,
      elements: one.elements.map(({ price_components }) => ({ price_components: price_components.map((each) => ({ ...each, vat: 14.975 })) })),
    })),
  };
  const findings = [{ code: 'price-differs' as const, detail: 'total_cost is 3 CAD excl. VAT, expected 2.94: 0.06 CAD too much' }];
  const { text } = explained({ cdr: creditCdr(inQuebec, '2022-02-03T00:00:00Z'), pricing, findings }, 'fr');
  const said = text.replaceAll('\u00a0', ' ');
  expect(said).toMatch(/^Remboursement du CDR 20220201-ABCDEFGHIJKL-1 :\n/);
  expect(said).toContain(' plus 5 % de TPS et 9,975 % de TVQ (partie 1 du tarif) : ');
  expect(said).toMatch(/À payer : 2,94 \$, taxes comprises 3,38 \$/);
  expect(said).toMatch(/\nConstat : le montant facturé n’est pas celui que donne le tarif : 3,00 \$ avant taxes au lieu de 2,94 \$ \(price-differs\)\.\n$/);
  const none = explained({ cdr: { ...cdr, tariffs: [] }, pricing: undefined, findings: [] }, 'fr');
  expect(none.text.replaceAll('\u00a0', ' ')).toBe('Le prix ne peut pas être calculé : tariffs n’est pas valable.\n');
});

test('a price with more digits than JSON has is explained as one that cannot be priced, and not an error', () => {
  const tariffs = cdr.tariffs!.map((one) => ({ ...one, elements: [{ price_components: [{ type: 'ENERGY' as const, price: 123_456_789_012.345, vat: 123_456_789_012.345, step_size: 1 }] }] }));
  const { text, explanation, repriced } = explained({ cdr: { ...cdr, tariffs }, pricing, findings: [] });
  expect(text).toMatch(/^It cannot be priced: its price has more digits than a CDR can say/);
  expect([explanation, repriced]).toEqual([{ notPriceable: expect.any(String) }, undefined]);
  expect(explained({ cdr: { ...cdr, tariffs }, pricing, findings: [] }, 'fr').text.replaceAll('\u00a0', ' '))
    .toBe('Le prix ne peut pas être calculé : tariffs n’est pas valable.\n');
});
