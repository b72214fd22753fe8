import type { FastifyReply } from 'fastify';
import { type Bus, type Watching } from '#bus';
import { fromJsonBytes } from '#contracts';
import {
  orderChanged, partnerSessionChanged, sessionEnded, sessionStarted, sessionUpdated,
} from '#contracts/sessions';
import type { Session } from '#ocpi';
import type { Log } from '#telemetry';
import type { Charges } from './charges.ts';
import { type ChargeView, isFinal } from './charge.ts';
import type { Driver } from './entities.ts';
import { Problem, problemOf } from './problem.ts';
import { News } from './news.ts';

const MOST_OF_A_DRIVER = 5;
const MOST = 2_000;
/** News may be here before the service behind can be asked for it: looked for again after these. */
const LOOK_AGAIN_MS = [50, 200, 1_000];
const PING_MS = 10_000;
const MOST_UNREAD_BYTES = 256_000;

/** Charges as they happen. What passes by on the bus only says when to look: what is shown was asked for. */
export class Live {
  private readonly streams = new Map<string, Set<AbortController>>();
  private readonly running = new Set<Promise<void>>();
  private readonly news = new News();
  private readonly closing = new AbortController();
  private watchings: Watching[] = [];

  private constructor(private readonly charges: Charges, private readonly log: Log) {}

  static async watching(bus: Bus, charges: Charges): Promise<Live> {
    const live = new Live(charges, bus.log);
    const session = ({ sessionJson }: { sessionJson: Uint8Array }) => {
      if (live.news.anyoneWaits) live.news.of(fromJsonBytes<Session>(sessionJson).cdr_token.uid);
    };
    live.watchings = await Promise.all([
      bus.watch(orderChanged, ({ order }) => live.news.of(order?.tokenUid ?? '')),
      bus.watch(sessionStarted, session),
      bus.watch(sessionUpdated, session),
      bus.watch(sessionEnded, session),
      bus.watch(partnerSessionChanged, session),
    ]);
    return live;
  }

  /** Server-sent events: the charge at once and at each change, until it is final or the driver leaves. */
  async stream(driver: Driver, chargeId: string, reply: FastifyReply): Promise<void> {
    const first = await this.charges.find(driver, chargeId);
    const mine = this.streams.get(driver.email) ?? new Set();
    if (mine.size >= MOST_OF_A_DRIVER || this.running.size >= MOST || this.closing.signal.aborted) {
      const detail = `at most ${MOST_OF_A_DRIVER} streams at once; close one`;
      throw new Problem(429, 'too-many-streams', detail, { 'retry-after': '5' });
    }
    const leaving = new AbortController();
    mine.add(leaving);
    this.streams.set(driver.email, mine);
    reply.hijack();
    reply.raw.on('close', () => leaving.abort());
    const signal = AbortSignal.any([leaving.signal, this.closing.signal]);
    const run = this.follow({ driver, chargeId, reply, signal }, first)
      .finally(() => {
        this.running.delete(run);
        mine.delete(leaving);
        if (mine.size === 0) this.streams.delete(driver.email);
        reply.raw.end();
      })
      .catch((error: unknown) => this.log.error('a stream broke', { error }));
    this.running.add(run);
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const watching of this.watchings) watching.stop();
    await Promise.all(this.running);
  }

  private async follow({ driver, chargeId, reply, signal }: Following, first: ChargeView): Promise<void> {
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const waiter = this.news.waiter(driver.tokens.map(({ uid }) => uid));
    try {
      let view = first;
      let shown = '';
      for (let looks = 0; !signal.aborted && raw.writableLength < MOST_UNREAD_BYTES;) {
        const text = JSON.stringify(view);
        looks = text === shown ? looks + 1 : 0;
        if (text !== shown) raw.write(`event: charge\ndata: ${text}\n\n`);
        shown = text;
        if (isFinal(view.state)) return;
        const woken = await waiter.wait(LOOK_AGAIN_MS[looks] ?? PING_MS, signal);
        if (woken) looks = 0;
        else if (looks >= LOOK_AGAIN_MS.length) raw.write(': ping\n\n');
        if (!signal.aborted) view = await this.look(driver, chargeId, view);
      }
    } finally {
      waiter.leave();
    }
  }

  /** The charge as it is; as it was while the services behind do not answer. */
  private async look(driver: Driver, chargeId: string, last: ChargeView): Promise<ChargeView> {
    try {
      return await this.charges.find(driver, chargeId);
    } catch (error) {
      const problem = problemOf(error);
      if (problem && problem.status >= 500) return last;
      throw error;
    }
  }
}

interface Following {
  readonly driver: Driver;
  readonly chargeId: string;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}
