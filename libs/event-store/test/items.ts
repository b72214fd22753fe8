import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { AppendItem, AppendOutcome, EventStore, NewEvent } from '../src/index.ts';

export function event(change: Partial<NewEvent> = {}): NewEvent {
  return { id: randomUUID(), type: 'MeterRead', data: '{"energyWh":1200}', ...change };
}

export function item(stream: string, expected: number, ...events: NewEvent[]): AppendItem {
  return { stream, expected, events };
}

export function newStream(label = 'session'): string {
  return `${label}-${randomUUID()}`;
}

export async function appendOne(store: EventStore, append: AppendItem): Promise<AppendOutcome> {
  return (await store.append([append]))[0] as AppendOutcome;
}

export function position(answer: AppendOutcome): bigint {
  return answer.outcome === 'appended' ? answer.position : expect.fail(`not appended: version is ${answer.version}`);
}
