import { expect, test } from 'vitest';
import { pageAnswer } from '#contracts/page';
import { getAccount } from '#contracts/accounts';
import { listTokens } from '#contracts/tokens-auth';
import { token as blake } from './charge.ts';
import { retailPlatform } from './retail-platform.ts';

test('an operator who begins to keep accounts has one for each driver whose tokens were issued before, however late tokens-auth answers', async () => {
  const plunk = await retailPlatform();
  const issued = ['A', 'B', 'C', 'D', 'E'].map((name) => ({
    ...blake,
    uid: `OLD-${name}`,
    contract_id: `CA-CPK-OLD-${name}`,
  }));
  const accountOf = (contractId: string) => plunk.bus.ask(getAccount, { contractId }).catch(() => undefined);
  try {
    // Told before the accounts were: what is told again does nothing.
    await plunk.issue(issued[0]!);
    await expect.poll(() => accountOf(issued[0]!.contract_id)).toBeDefined();
    expect(await accountOf(issued[1]!.contract_id)).toBeUndefined();
    const entries = (await plunk.accountEntries()).length;
    // Two a page, begun behind where the one before it ended.
    await plunk.bus.answer(listTokens, (requests) =>
      requests.map(({ page }) => {
        const from = Number(page!.after?.position ?? 0n);
        const rows = issued
          .slice(from, from + 2)
          .map((one, index) => ({ text: JSON.stringify(one), position: BigInt(from + index + 1) }));
        return pageAnswer({ rows, total: issued.length, more: from + 2 < issued.length });
      }),
    );
    for (const { contract_id } of issued) {
      await expect
        .poll(() => accountOf(contract_id))
        .toMatchObject({ account: { contractId: contract_id, planId: 'plus' } });
    }
    expect((await plunk.accountEntries()).length - entries).toBe(4);
  } finally {
    await plunk.stop();
  }
});
