import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Answering, type Bus, connectBus } from '#bus';
import { authorize } from '#contracts/tokens-auth';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

const password = 'a-long-enough-secret';
let platform: TestPlatform;
let service: Running;
let bus: Bus;
let answering: Answering;
let isSilent = false;

beforeAll(async () => {
  platform = await testPlatform({ stations: ['EAST', 'WEST'].map((id) => ({ id, password })) });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'tokens-auth' });
  answering = await bus.answer(authorize, (cards) => cards.map(() => (isSilent
    ? { status: 'Invalid', authMethod: 'WHITELIST', why: 'silent', refusal: 'owner-silent' }
    : { status: 'Accepted', authMethod: 'WHITELIST', why: 'known' })));
  service = await start(platform.env);
});
afterAll(async () => {
  await service?.stop();
  await bus?.close();
  await platform?.drop();
});

async function tapAt(id: string): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;
  const socket = new WebSocket(`${service.urls!.ocpp}/${id}`, ['ocpp1.6'], { headers: { authorization } });
  await once(socket, 'open');
  socket.send(JSON.stringify([2, '1', 'Authorize', { idTag: '04A2B3C4' }]));
  const [data] = await once(socket, 'message');
  socket.close();
  return (JSON.parse(String(data)) as [number, string, { idTagInfo: { status: string } }])[2].idTagInfo.status;
}

test('a card whose owner has to be asked by now, and was silent, is not let in as it was before, while nobody can be asked', async () => {
  expect(await tapAt('EAST')).toBe('Accepted');
  isSilent = true;
  expect(await tapAt('WEST')).toBe('Invalid');
  await answering.stop();
  expect(await tapAt('WEST')).toBe('Invalid');
});
