/** Why a service cannot start, in a sentence: what is around it is not as it needs it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

const PORT_VARIABLES: Readonly<Record<string, string>> = {
  'ocpi-gateway': 'OCPI_PORT',
  'ocpp-gateway': 'OCPP_PORT',
  portal: 'PORTAL_PORT',
};

interface Failure {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly syscall?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly cause?: unknown;
}

/** An error of a listener, as what to do about it; any other error as it is. */
export function listening(service: string, error: unknown): unknown {
  const { code, syscall, address, port } = (error ?? {}) as Failure;
  if (syscall !== 'listen') return error;
  const variable = PORT_VARIABLES[service] ?? 'the port';
  const at = `port ${String(port)} of ${String(address)}`;
  if (code === 'EADDRINUSE') return new CannotStart(`${service}: ${at} is in use by another program: set ${variable} to another port.`);
  if (code === 'EACCES') return new CannotStart(`${service}: ${at} is not for this account: set ${variable} to a port from 1024 on.`);
  if (code === 'EADDRNOTAVAIL') return new CannotStart(`${service}: this machine has no address ${String(address)}: set HOST.`);
  return error;
}

const NOT_REACHED = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH/;
/** SQLSTATE: wrong password or no such login, no such database, starting up. */
const TURNED_AWAY = /^(?:28\w{3}|3D000|57P03)$/;

/** An error of a connection, with the server's address and the variable that names it; any other as it is. */
export function reaching(server: string, variable: string, url: string): (error: unknown) => never {
  return (error) => {
    const reasons = causes(error);
    const found = reasons.find(({ code, message }) =>
      NOT_REACHED.test(String(code ?? '')) || TURNED_AWAY.test(String(code ?? '')) || NOT_REACHED.test(String(message ?? '')));
    if (!found) throw error;
    const why = String(found.message || found.code).split('\n')[0];
    throw new CannotStart(`${server} at ${addressesIn(url)} cannot be used: ${why}. ${variable} says where it is.`);
  };
}

/** The error and all that it came from; of several attempts, each. */
function causes(error: unknown): Failure[] {
  if (typeof error !== 'object' || error === null) return [];
  const { cause, errors } = error as Failure & { errors?: unknown };
  return [error, ...causes(cause), ...(Array.isArray(errors) ? errors.flatMap(causes) : [])];
}

/** Without the credentials. */
export function addressesIn(url: string): string {
  return url.split(',').map((each) => (URL.canParse(each) ? new URL(each).host : 'an address that is no URL')).join(', ');
}
