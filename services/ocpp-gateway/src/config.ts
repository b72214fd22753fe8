import { z } from 'zod';
import type { Settings } from '#settings';

const station = z.strictObject({
  id: z.string().regex(/^[^:\u0000-\u001f]{1,48}$/, 'up to 48 characters without a colon (J-03)'),
  password: z.string().min(8).max(64),
  /** Readers of some makes say a card's uid with its bytes from the last to the first. */
  card_uid: z.enum(['in-order', 'reversed']).default('in-order'),
});

const ocpp = z.strictObject({
  /** Seconds of platform time. */
  heartbeat_s: z.int().positive().default(300),
  /** Real time; mobile round trips are long. */
  call_timeout_ms: z.int().positive().default(30_000),
  ping_interval_ms: z.int().nonnegative().default(30_000),
});

export interface Config {
  readonly stations: readonly z.output<typeof station>[];
  readonly heartbeatS: number;
  readonly callTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly host: string;
  readonly port: number;
}

export function configOf(settings: Settings): Config {
  const { heartbeat_s, call_timeout_ms, ping_interval_ms } = settings.section('ocpp', ocpp);
  return {
    stations: settings.list('stations', station),
    heartbeatS: heartbeat_s,
    callTimeoutMs: call_timeout_ms,
    pingIntervalMs: ping_interval_ms,
    host: settings.variable('HOST', '127.0.0.1'),
    port: settings.port('OCPP_PORT'),
  };
}
