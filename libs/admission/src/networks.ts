import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

/** Who called, where so many proxies of ours stand before us that each write X-Forwarded-For; nobody else's word is taken. */
export function callerAddress({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>, proxies: number): string {
  const told = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map((one) => one.trim()).filter(Boolean);
  const way = [socket.remoteAddress ?? '', ...told.reverse()];
  return way[Math.min(proxies, way.length - 1)]!;
}

/** Whose network an address is in: of IPv6 its first 64 bits, which one subscriber has to himself. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || isIPv4(address) || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':');
}
