import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeAccount, getAccount, listAccounts } from '#contracts/accounts';
import { verifyLedger } from '#contracts/cdr-ledger';
import { balanceOf, cdrOf, creditOf, newDriver, pushCdr, standingOf } from './drivers.ts';
import { plunk as party, plus, type RetailPlatform, retailPlatform } from './retail-platform.ts';

// An operator changes in the settings what drivers may owe.

let plunk: RetailPlatform;
beforeAll(async () => {
  plunk = await retailPlatform();
});
afterAll(() => plunk?.stop());

test('a limit that the settings change holds for every account, but those for which an operator ordered another', async () => {
  const [broke, trusted, other] = [
    await newDriver(plunk, 'BROKE'), await newDriver(plunk, 'TRUSTED'), await newDriver(plunk, 'OTHER'),
  ];
  await plunk.bus.ask(changeAccount, { contractId: trusted.contractId, limits: [{ currency: 'CAD', amount: '500' }] });
  await pushCdr(plunk, cdrOf(broke.token, 'BR-1', { total_cost: { excl_vat: 30, incl_vat: 31.5 } }));
  await expect.poll(() => creditOf(plunk, broke.contractId)).toEqual([true]);

  const restart = (limits: object) => plunk.restart(undefined, { party, retail: { ...plus, limits }, ledger: {} });
  const limitOf = async (contractId: string) =>
    (await plunk.bus.ask(getAccount, { contractId })).account!.balances.map((one) => [one.currency, one.creditLimit]);
  await restart({ CAD: '60', EUR: '40' });
  await expect.poll(() => limitOf(broke.contractId)).toEqual([['CAD', '60'], ['EUR', '40']]);
  await expect.poll(() => limitOf(other.contractId)).toEqual([['CAD', '60'], ['EUR', '40']]);
  await expect.poll(() => limitOf(trusted.contractId)).toEqual([['CAD', '500'], ['EUR', '40']]);
  // Who was at the old limit charges again.
  await expect.poll(() => creditOf(plunk, broke.contractId)).toEqual([true, false]);
  expect(await balanceOf(plunk, broke.contractId)).toMatchObject({ left: '26.4' });

  const entries = (await plunk.accountEntries()).length;
  await restart({ CAD: '60', EUR: '40' });
  await newDriver(plunk, 'NEXT');
  expect((await plunk.accountEntries()).length, 'the same settings again add nothing').toBe(entries + 1);
  await restart({ EUR: '40' });
  await expect.poll(() => limitOf(broke.contractId)).toEqual([['CAD', undefined], ['EUR', '40']]);
  await expect.poll(() => limitOf(trusted.contractId)).toEqual([['CAD', '500'], ['EUR', '40']]);
  expect((await standingOf(plunk, broke.contractId)).exhausted).toBe(false);
  expect((await plunk.bus.ask(listAccounts, {})).accounts).toHaveLength(4);
  const { chains } = await plunk.bus.ask(verifyLedger, {});
  expect(chains.every(({ intact }) => intact)).toBe(true);
});
