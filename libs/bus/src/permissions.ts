import type { Context } from './contract.ts';
import { streamName, token } from './subjects.ts';

/** With whom a service talks over NATS; `deploy/talks.json` has it of every service. */
export interface Talks {
  /** For which it answers. */
  readonly contexts: readonly Context[];
  /** Those of them that have a stream. */
  readonly tells: readonly Context[];
  /** `context.verb`; `context.verb.*` of asks to one holder, `*.verb` of what several contexts answer. */
  readonly asks: readonly string[];
  /** `context.thing.happened`. */
  readonly hears: readonly string[];
}

/** The subjects of a nats-server's user; its answers go to whoever asked (`allow_responses`). */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * What a service's user of NATS may send and hear on its platform: others' inboxes are closed to it, and so are the asks of
 * others and the streams of contexts that it hears nothing of. What users cannot keep apart: docs/adr/0027.
 */
export function permissionsOf(platform: string, service: string, { contexts, tells, asks, hears }: Talks): NatsPermissions {
  const subject = (context: string, rest: string) => `roamwatt.${token(platform)}.${context}.${rest}`;
  const heard = [...new Set([...tells, ...hears.map((fact) => fact.split('.')[0] as Context)])];
  return {
    publish: [
      ...asks.map((name) => {
        const [context, verb, holder] = name.split('.') as [string, string, string?];
        return subject(context, `ask.${verb}.v1${holder === undefined ? '' : `.${holder}`}`);
      }),
      ...heard.map((context) => subject(context, 'ask.tell-again.v1')),
      ...tells.flatMap((context) => [
        subject(context, '*.*.*.v1'),
        ...['CREATE', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${streamName(platform, context)}`),
      ]),
      ...heard.flatMap((context) => reading(streamName(platform, context))),
    ],
    subscribe: [
      `${inboxPrefix(platform, service)}.>`,
      ...contexts.map((context) => subject(context, 'ask.>')),
      ...hears.map((fact) => {
        const [context, thing, happened] = fact.split('.') as [string, string, string];
        return subject(context, `*.${thing}.${happened}.v1`);
      }),
    ],
  };
}

/** Where the answers to a service's asks go. */
export function inboxPrefix(platform: string, service: string): string {
  return `_INBOX_${token(platform)}_${token(service)}`;
}

function reading(stream: string): string[] {
  return [
    `STREAM.INFO.${stream}`, `STREAM.MSG.GET.${stream}`, `CONSUMER.CREATE.${stream}.>`,
    `CONSUMER.INFO.${stream}.*`, `CONSUMER.MSG.NEXT.${stream}.*`, `CONSUMER.DELETE.${stream}.*`,
  ].map((call) => `$JS.API.${call}`);
}
