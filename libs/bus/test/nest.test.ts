import 'reflect-metadata';
import {
  Answers,
  type Asked,
  type Bus,
  Hears,
  HearsMany,
  type Heard,
  type Outcome,
  outbox,
  serve,
  type Told,
} from '#bus';
import { Rejected } from '#decider';
import type { StringValue, StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counted, echo, keyOf, numberOf, weighed } from './contracts.ts';
import { faults, heardRows } from './heard.ts';
import { eventually, freshPlace, type Place, tellAll } from './place.ts';

class Greeting {
  readonly word = 'hello';
}

@Controller()
class Echoes {
  constructor(@Inject(Greeting) private readonly greeting: Greeting) {}

  @Answers(echo)
  async echo(requests: StringValue[], asked: Asked): Promise<Outcome<typeof StringValueSchema>[]> {
    if (requests.some(({ value }) => value === 'bug')) throw new Error('a bug in the handler');
    if (requests.some(({ value }) => value === 'closed')) {
      throw new Rejected('closed-today', 'come back tomorrow');
    }
    return requests.map(({ value }, index) => ({
      value: `${this.greeting.word} ${value} ${asked.commandIds[index]}`,
    }));
  }

  @Get('/greeting')
  word(): string {
    return this.greeting.word;
  }
}

@Controller()
class Counts {
  failures = 1;

  @Hears(counted, weighed)
  async heard(fact: StringValue, heard: Heard): Promise<void> {
    await heard.tx.query('INSERT INTO heard (key, number) VALUES ($1, $2)', [
      keyOf(fact.value),
      numberOf(fact.value),
    ]);
    if (numberOf(fact.value) === 3 && this.failures-- > 0) {
      throw new Error('a bug that a second try survives');
    }
  }
}

@Module({ controllers: [Echoes, Counts], providers: [Greeting] })
class Service {}

let place: Place;
let bus: Bus;
beforeEach(async () => {
  place = await freshPlace();
  bus = await place.join('sessions');
});
afterEach(() => place.close());

test('a controller answers asks and hears facts; its errors are seen as they are', async () => {
  const db = await place.open('sessions');
  const box = outbox('sessions', db);
  const serving = await serve({ module: Service, bus, db, tells: [box], pauseMs: 10 });
  const asker = await place.join('portal');
  expect(await asker.ask(echo, { value: 'world' }, { commandId: 'c1' })).toMatchObject({
    value: 'hello world c1',
  });
  await expect(asker.ask(echo, { value: 'closed' })).rejects.toMatchObject({
    code: 'closed-today',
    detail: 'come back tomorrow',
  });
  await expect(asker.ask(echo, { value: 'bug' })).rejects.toMatchObject({ code: 'internal' });
  expect(place.logged.join('\n')).toContain('a bug in the handler');

  await tellAll(db, box, ['a:1', 'a:2', 'a:3', 'a:4']);
  const rows = await eventually(
    () => heardRows(db),
    (seen) => seen.length >= 4,
  );
  expect(faults(rows, new Map([['a', 4]]))).toEqual([]);
  await serving.close();
  await expect(asker.ask(echo, { value: 'world' })).rejects.toMatchObject({ reason: 'offline' });
});

test('a service that also serves HTTP answers on both', async () => {
  const serving = await serve({
    module: Service,
    bus,
    db: await place.open('sessions'),
    http: { adapter: new FastifyAdapter(), port: 0 },
  });
  expect(await (await fetch(`${serving.url}/greeting`)).text()).toBe('hello');
  const asker = await place.join('portal');
  expect(await asker.ask(echo, { value: 'world' })).toMatchObject({ value: 'hello world ' });
  await serving.close();
  await expect(fetch(`${serving.url}/greeting`)).rejects.toThrow();
});

test('a handler without a contract does not start, nor do two of one contract', async () => {
  @Controller()
  class Bare {
    @MessagePattern('anything')
    anything() {}
  }
  @Module({ controllers: [Bare] })
  class BareService {}
  await expect(serve({ module: BareService, bus })).rejects.toThrow('without @Answers');

  @Controller()
  class Elsewhere {
    @EventPattern('anything', Transport.TCP)
    anything(_: unknown) {}

    @HearsMany(counted)
    many(_: Told<typeof StringValueSchema>[]) {}

    @Hears(counted)
    one() {}
  }
  @Module({ controllers: [Elsewhere] })
  class Twice {}
  await expect(serve({ module: Twice, bus, db: await place.open('sessions') })).rejects.toThrow(
    'two handlers of sessions.tell.number.counted.v1',
  );
});
