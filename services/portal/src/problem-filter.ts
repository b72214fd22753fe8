import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Log } from '#telemetry';

/** Nest's own errors (a path that no route has) in the portal's shape. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status >= 500) this.log.error('a request failed', { error });
    const [code, detail] = saidAbout(status);
    void reply.code(status).send({ error: { code, detail } });
  }
}

function saidAbout(status: number): [code: string, detail: string] {
  if (status === 404) return ['unknown-path', 'no such path or method; /openapi.json lists them'];
  if (status < 500) return ['invalid-request', 'the request cannot be read'];
  return ['internal', 'the portal failed; the error is in its log'];
}
