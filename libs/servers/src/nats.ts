import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { claim } from './claim.ts';
import { natsServerBinary } from './nats-binary.ts';
import { givenServer, launch, type Server } from './server.ts';
import { tail, until } from './waiting.ts';

export interface NatsOptions {
  /** Holds the JetStream store, the password, the configuration and the log. */
  readonly dir: string;
  /** Default: a free one, chosen by the server. */
  readonly port?: number;
  /** JetStream's `sync_interval`, such as "always"; default: the server's own (2 minutes). */
  readonly syncInterval?: string;
  /** Beside the one that may do everything. */
  readonly users?: readonly NatsUser[];
  /** More lines for the server's configuration file. */
  readonly config?: string;
}

/** What it may publish and subscribe to, and nothing else; its answers go to whoever asked. */
export interface NatsUser {
  readonly name: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export interface NatsServer extends Server {
  /** With the name and the password of one of `users`. */
  urlOf(user: string): string;
}

const USER = 'roamwatt';

/** The server at `url` when one is given, else a private one. */
export async function natsFor(url: string | undefined, options: NatsOptions): Promise<Server> {
  return url ? givenServer(url, 4222) : startNats(options);
}

/**
 * Starts a private nats-server (2.12 or newer) with JetStream on 127.0.0.1. The store lies in
 * `dir/jetstream`: stop, put an older copy there, start with the same port, and clients see a
 * server that lost its tail. Throws when the folder is in use, or with the log's tail.
 */
export async function startNats(options: NatsOptions): Promise<NatsServer> {
  const dir = resolve(options.dir);
  const command = await natsServerBinary();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const claimed = await claim(dir);
  try {
    const config = join(dir, 'nats.conf');
    const password = keptPassword(dir);
    writeFileSync(config, configuration(options, dir, password), { mode: 0o600 });
    const log = join(dir, 'nats.log');
    const server = await launch({ command, args: ['-c', config], cwd: dir, log });
    claimed.servedBy(server.pid);
    const port = await until(
      () => (server.ended() ? 0 : portOf(dir, server.pid)),
      60_000,
      () => `nats-server is not ready after 60 s:\n${tail(log)}`,
    );
    if (port === 0)
      throw new Error(`nats-server did not start (${server.ended()}); see ${log}:\n${tail(log)}`);
    const urlOf = (user: string) => `nats://${user}:${passwordOf(user, password)}@127.0.0.1:${port}`;
    const url = `nats://${USER}:${password}@127.0.0.1:${port}`;
    const data = join(dir, 'jetstream');
    return { url, urlOf, pid: server.pid, port, log, data, stop: () => server.stop().then(claimed.release) };
  } catch (error) {
    claimed.release();
    throw error;
  }
}

function configuration(options: NatsOptions, dir: string, password: string): string {
  const sync =
    options.syncInterval === undefined ? '' : `  sync_interval: ${options.syncInterval}\n`;
  return `listen: "127.0.0.1:${options.port ?? -1}"
server_name: "roamwatt-${randomBytes(4).toString('hex')}"
ports_file_dir: ${JSON.stringify(dir)}
max_payload: 1MB
authorization {
  users: [
    { user: ${USER}, password: ${JSON.stringify(password)} }
${(options.users ?? []).map((user) => `    ${userText(user, JSON.stringify(passwordOf(user.name, password)))}\n`).join('')}  ]
}
jetstream {
  store_dir: ${JSON.stringify(dir)}
${sync}}
${options.config ?? ''}
`;
}

/**
 * A page of a large list is an answer in parts; nobody waits for an answer longer than a minute by default. The server keeps
 * each ask for so long, and goes through all of them once a second.
 */
const RESPONSES = { max: 10_000, expires: '2m' };

/** A line of the server's configuration; `password` as it stands there: quoted, or `$VARIABLE`. */
export function userText({ name, publish, subscribe }: NatsUser, password: string): string {
  const permissions = { publish: { allow: publish }, subscribe: { allow: subscribe }, allow_responses: RESPONSES };
  return `{ user: ${JSON.stringify(name)}, password: ${password}, permissions: ${JSON.stringify(permissions)} }`;
}

/** Made of the server's own, so that none has to be kept. */
function passwordOf(user: string, password: string): string {
  return createHmac('sha256', password).update(user).digest('hex');
}

function keptPassword(dir: string): string {
  const file = join(dir, 'password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** The port out of the file that the server writes when it listens. */
function portOf(dir: string, pid: number): number | undefined {
  try {
    const ports = JSON.parse(readFileSync(join(dir, `nats-server_${pid}.ports`), 'utf8')) as {
      nats: string[];
    };
    return Number(new URL(ports.nats[0] ?? '').port);
  } catch {
    return undefined;
  }
}
