import { memoryEventStore } from '../src/index.ts';
import { conformance } from './conformance.ts';

conformance('memory', async () => {
  const store = memoryEventStore();
  return { store, close: () => store.close() };
});
