import { z } from 'zod';
import { type Rate, rateSetting } from '#admission';
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
  /** Proxies before this service that write X-Forwarded-For; 0: the caller's address is the socket's. */
  proxies: z.int().min(0).max(10).default(0),
  /** Handshakes with a wrong password, or none, by the address that they come from … */
  wrong_password_limit: rateSetting(20, 1_000),
  /** … and of these those for one station. */
  station_wrong_password_limit: rateSetting(0.1, 10),
});

export interface Config {
  readonly stations: readonly z.output<typeof station>[];
  readonly heartbeatS: number;
  readonly callTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly proxies: number;
  readonly guesses: { readonly network: Rate; readonly each: Rate };
  readonly host: string;
  readonly port: number;
}

export function configOf(settings: Settings): Config {
  const given = settings.section('ocpp', ocpp);
  const { heartbeat_s, call_timeout_ms, ping_interval_ms, proxies } = given;
  return {
    stations: stationsOf(settings),
    heartbeatS: heartbeat_s,
    callTimeoutMs: call_timeout_ms,
    pingIntervalMs: ping_interval_ms,
    proxies,
    guesses: { network: given.wrong_password_limit, each: given.station_wrong_password_limit },
    host: settings.variable('HOST', '127.0.0.1'),
    port: settings.port('OCPP_PORT'),
  };
}

export function stationsOf(settings: Settings): Config['stations'] {
  return settings.list('stations', station);
}
