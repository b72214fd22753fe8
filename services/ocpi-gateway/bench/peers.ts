import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * Partners' platforms that take everything, each on a port of its own, in a process of their own. Tells its
 * parent the ports, and on a message how many pushes came and how old they were (ms, last_updated to arrival).
 */

const [count = '20'] = process.argv.slice(2);
let taken = 0;
let lagsMs: number[] = [];

const peers = Array.from({ length: Number(count) }, (_, n) => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => serve(n, request, Buffer.concat(chunks), response));
  });
  return new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
});
const ports = await Promise.all(peers);
process.send!({ ports });
process.on('message', () => {
  process.send!({ taken, lagsMs });
  taken = 0;
  lagsMs = [];
});
process.on('disconnect', () => process.exit(0));

function serve(n: number, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const base = `http://127.0.0.1:${ports[n]}`;
  if (request.url === '/versions') return answer(response, [{ version: '2.2.1', url: `${base}/2.2.1` }]);
  if (request.url === '/2.2.1') {
    return answer(response, {
      version: '2.2.1',
      endpoints: [
        { identifier: 'credentials', role: 'RECEIVER', url: `${base}/credentials` },
        { identifier: 'locations', role: 'RECEIVER', url: `${base}/locations` },
      ],
    });
  }
  taken += 1;
  if (request.method === 'PATCH') {
    const { last_updated } = JSON.parse(body.toString()) as { last_updated: string };
    lagsMs.push(Date.now() - Date.parse(last_updated));
  }
  return answer(response, undefined);
}

function answer(response: ServerResponse, data: unknown): void {
  const text = JSON.stringify({ data, status_code: 1000, timestamp: new Date().toISOString() });
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
