import { expect, test } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../src/migrations.ts';
import { dropTokensBefore, tokenHolders } from '../src/partners/partner-rows.ts';

const token = (text: string) => Buffer.from(text);

test('CRE-07: a link in mid-rotation when a release before is upgraded keeps the newer token, whichever its rows came first', async () => {
  const { url, drop } = await freshDatabase();
  const schema = 'ocpi_gateway';
  const before = await openDatabase({
    url, schema, migrations: migrations.slice(0, migrations.findIndex(({ name }) => name === 'ocpi-gateway-tokens-in-order')),
  });
  await before.query(`INSERT INTO partners (partner_id, name, state) VALUES ('P', 'P', 'registered'), ('Q', 'Q', 'registered')`);
  // PostgreSQL puts a row where there is room: the newer token may well come first.
  for (const [hash, partner, kind] of [['P new', 'P', 'current'], ['P', 'P', 'old'], ['Q', 'Q', 'old'], ['Q new', 'Q', 'current']] as const)
    await before.query('INSERT INTO partner_tokens (hash, partner_id, kind) VALUES ($1, $2, $3)', [token(hash), partner, kind]);
  await before.close();

  const upgraded = await openDatabase({ url, schema, migrations });
  const good = async () => {
    const holders = await tokenHolders(upgraded, ['P', 'P new', 'Q', 'Q new'].map(token));
    return Object.fromEntries(holders.map(({ hash, othersLinger }) => [hash.toString(), othersLinger]));
  };
  expect(await good()).toEqual({ P: false, 'P new': true, Q: false, 'Q new': true });
  for (const partner of ['P', 'Q']) await dropTokensBefore(upgraded, partner, token(partner));
  expect(Object.keys(await good())).toHaveLength(4);
  for (const partner of ['P', 'Q']) await dropTokensBefore(upgraded, partner, token(`${partner} new`));
  expect(await good()).toEqual({ 'P new': false, 'Q new': false });
  await upgraded.close();
  await drop();
});
