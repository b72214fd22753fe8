import { ask, tell } from '#bus';
import { BytesValueSchema, FieldMaskSchema, StringValueSchema } from '@bufbuild/protobuf/wkt';

/** Contracts for the tests: the text is "key:number". */
export const echo = ask({
  context: 'sessions',
  verb: 'echo',
  request: StringValueSchema,
  answer: StringValueSchema,
  check: (request) => (request.value === '' ? 'value is empty' : undefined),
});

export const grow = ask({
  context: 'sessions',
  verb: 'grow',
  request: StringValueSchema,
  answer: BytesValueSchema,
  check: () => undefined,
});

/** Answers with a list. */
export const list = ask({
  context: 'sessions',
  verb: 'list',
  request: StringValueSchema,
  answer: FieldMaskSchema,
  check: () => undefined,
});

/** Waits for somebody outside. */
export const outside = ask({
  context: 'sessions',
  verb: 'outside',
  alone: true,
  request: StringValueSchema,
  answer: StringValueSchema,
  check: () => undefined,
});

export const weigh = ask({
  context: 'sessions',
  verb: 'weigh',
  request: BytesValueSchema,
  answer: StringValueSchema,
  check: () => undefined,
});

export const command = ask({
  context: 'ocpp-gateway',
  verb: 'command',
  request: StringValueSchema,
  answer: StringValueSchema,
  to: (request) => request.value,
  check: () => undefined,
});

export const counted = tell({
  context: 'sessions',
  thing: 'number',
  happened: 'counted',
  fact: StringValueSchema,
  key: (fact) => keyOf(fact.value),
  check: (fact) => (fact.value.includes(':') ? undefined : 'value has no number'),
});

export const weighed = tell({
  context: 'sessions',
  thing: 'number',
  happened: 'weighed',
  fact: StringValueSchema,
  key: (fact) => keyOf(fact.value),
  check: () => undefined,
});

export function keyOf(value: string): string {
  return value.slice(0, value.indexOf(':'));
}

export function numberOf(value: string): number {
  return Number(value.slice(value.indexOf(':') + 1));
}
