import { connectBus } from '#bus';
import { echo } from './contracts.ts';

/*
 * One that answers with all that it was told until then, as a process of its own, for a test that stops it:
 * node sleeper.ts '{ natsUrl, platform }'
 */
const { natsUrl = '', platform = '' } = JSON.parse(process.argv[2] ?? '{}') as Record<string, string>;

const bus = await connectBus({ natsUrl, platform, service: 'sessions' });
const told: string[] = [];
await bus.answer(echo, (requests) => requests.map(({ value }) => {
  if (value !== 'what?') told.push(value);
  return { value: told.join(' ') };
}));
console.log('answering');
