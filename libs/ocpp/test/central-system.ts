import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OcppConnection, OcppUpgrade } from '#ocpp';
import type { Admission, Closed, ConnectionLimits, ConnectionNotice, ReceivedCall } from '#ocpp';

/** A real listener with nothing behind it: what a gateway is made of, for tests. */
export interface CentralSystem {
  readonly url: string;
  readonly received: ReceivedCall[];
  readonly notices: ConnectionNotice[];
  readonly frames: { direction: 'in' | 'out'; text: string }[];
  readonly closed: Closed[];
  /** The connection of a station, as soon as there is one. */
  connection(station: string): Promise<OcppConnection>;
  stop(): Promise<void>;
}

export interface CentralSystemOptions {
  readonly handle: (call: ReceivedCall) => Promise<object>;
  readonly admit?: (identity: string, password: Buffer | undefined) => Admission;
  readonly limits?: Partial<ConnectionLimits>;
}

export async function centralSystem(options: CentralSystemOptions): Promise<CentralSystem> {
  const connections = new Map<string, OcppConnection>();
  const waiting = new Map<string, ((connection: OcppConnection) => void)[]>();
  const central = {
    received: [] as ReceivedCall[],
    notices: [] as ConnectionNotice[],
    closed: [] as Closed[],
  };
  const frames: CentralSystem['frames'] = [];
  const upgrade = new OcppUpgrade({
    admit: async ({ identity, credentials }) =>
      options.admit?.(identity, credentials?.password) ?? { status: 101, enabled: ['ocpp1.6'] },
    connected: (ws, { identity, version }) => {
      const connection = new OcppConnection(ws, {
        station: identity,
        version,
        handle: (call) => {
          central.received.push(call);
          return options.handle(call);
        },
        onNotice: (notice) => central.notices.push(notice),
        onFrame: (direction, text) => frames.push({ direction, text }),
        onClosed: (closed) => {
          central.closed.push(closed);
          if (connections.get(identity) === connection) connections.delete(identity);
        },
        ...(options.limits && { limits: options.limits }),
      });
      connections.set(identity, connection);
      for (const resolve of waiting.get(identity)?.splice(0) ?? []) resolve(connection);
    },
  });
  const server = createServer((_, response) => void response.writeHead(426).end());
  server.on('upgrade', upgrade.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...central,
    frames,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ocpp`,
    connection: (station) =>
      new Promise((resolve) => {
        const there = connections.get(station);
        if (there?.open) return resolve(there);
        const list = waiting.get(station) ?? [];
        list.push(resolve);
        waiting.set(station, list);
      }),
    stop: async () => {
      for (const connection of connections.values()) connection.terminate();
      await closeServer(server);
    },
  };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
