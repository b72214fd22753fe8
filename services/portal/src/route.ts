import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Driver } from './entities.ts';

export type Who = 'anyone' | 'driver' | 'operator';

/** An answer that is no JSON: a document to keep. */
export class FileAnswer {
  constructor(
    readonly type: string,
    readonly name: string,
    readonly content: Buffer | Readable,
  ) {}
}

/** What a handler is given: parsed by the route's schemas. */
export interface Asked<P, Q, B, D> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly driver: D;
  /** Of the header Idempotency-Key, on routes that take one. */
  readonly key: string | undefined;
  /** The caller's address. */
  readonly address: string;
  readonly reply: FastifyReply;
}

/** One row of the routing table, from which HTTP is served and the OpenAPI document is made. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `:name` for each of `params`. */
  readonly path: string;
  readonly who: Who;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly takesKey?: boolean;
  readonly status: number;
  /** A stream writes its own answer: `event: charge` with this in its data. */
  readonly streams?: boolean;
  readonly answer: z.ZodType;
  /** Types of the files that it answers with instead, when asked for. */
  readonly media?: readonly string[];
  handle(asked: Asked<never, never, never, never>): Promise<unknown>;
}

type Shape<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject, A extends z.ZodType, D> =
  Omit<Route, 'who' | 'status' | 'params' | 'query' | 'body' | 'answer' | 'handle'> & {
    readonly status?: number;
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly answer: A;
    handle(asked: Asked<z.output<P>, z.output<Q>, z.output<B>, D>): Promise<z.input<A> | FileAnswer | void>;
  };

const routeFor = <D>(who: Who) =>
  <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject, A extends z.ZodType>(
    shape: Shape<P, Q, B, A, D>,
  ): Route => ({ status: 200, ...shape, who }) as Route;

export const openRoute = routeFor<undefined>('anyone');
export const driverRoute = routeFor<Driver>('driver');
export const operatorRoute = routeFor<undefined>('operator');
