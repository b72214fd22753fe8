import { expect, test } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { findTaken, keepTaken, noteResponse, type TakenCommand } from './command-rows.ts';
import { migrations } from './migrations.ts';

const command: TakenCommand = {
  orderId: '00000000-0000-8000-a000-000000000001', partnerId: 'p', command: 'START_SESSION', responseUrl: 'http://partner/result',
  correlationId: 'exchange', routing: {}, takenAt: '2026-11-30T11:00:00Z',
};
const accepted = { result: 'ACCEPTED', timeoutS: 30, message: '', by: 'CA*SCS' };
const rejected = { result: 'REJECTED', timeoutS: 0, message: 'Commands cannot be carried out now; try again later' };

test('CMD-01 a command that was accepted stays so where its twin found nobody: its result is still to be told', async () => {
  const { url, drop } = await freshDatabase();
  const db = await openDatabase({ url, schema: 'ocpi_gateway', migrations });
  await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ('p', 'Montreal', 'registered', '')`);
  const { orderId } = command;
  expect(await keepTaken(db, command), 'the first, of which nobody was asked yet').toEqual({ repeat: false });
  expect(await keepTaken(db, command), 'its twin').toEqual({ repeat: true, reply: undefined });
  expect(await noteResponse(db, orderId, accepted)).toEqual(accepted);
  expect(await noteResponse(db, orderId, rejected), 'what both are answered').toEqual(accepted);
  expect(await findTaken(db, orderId)).toMatchObject({ response: 'ACCEPTED', by: 'CA*SCS' });
  expect((await keepTaken(db, command)).reply).toEqual(accepted);

  const other = { ...command, orderId: '00000000-0000-8000-a000-000000000002' };
  await keepTaken(db, other);
  expect(await noteResponse(db, other.orderId, rejected)).toEqual(rejected);
  expect(await noteResponse(db, other.orderId, accepted), 'the other way round').toEqual(accepted);
  expect(await findTaken(db, other.orderId)).toMatchObject({ response: 'ACCEPTED' });
  await db.close();
  await drop();
});
