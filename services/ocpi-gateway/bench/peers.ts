import { type AddressInfo, createServer, type Socket } from 'node:net';

/*
 * Partners' platforms that take everything, each on a port of its own, in a process of their own, and read no more of HTTP
 * than they must: theirs are other machines. Tells its parent the ports, and on a message how many pushes came and how
 * old they were (ms, last_updated to arrival).
 */

const [count = '20'] = process.argv.slice(2);
let taken = 0;
let lagsMs: number[] = [];
let accepted: string | undefined;

const peers = Array.from({ length: Number(count) }, () => {
  const server = createServer((socket) => serve((server.address() as AddressInfo).port, socket));
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

const LENGTH = 'content-length: ';
const UPDATED = '"last_updated":"';

/** Requests on one connection, one after the other. */
function serve(port: number, socket: Socket): void {
  let text = '';
  socket.setNoDelay().setEncoding('latin1').on('error', () => socket.destroy()).on('data', (chunk: string) => {
    text += chunk;
    for (;;) {
      const end = text.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      const at = text.indexOf(LENGTH);
      const bodyEnd = end + (at < 0 || at > end ? 0 : Number.parseInt(text.slice(at + LENGTH.length, at + LENGTH.length + 9), 10));
      if (text.length < bodyEnd) return;
      const [method = '', path = ''] = text.slice(0, text.indexOf('\r\n')).split(' ');
      socket.write(take(port, method, path, text.slice(end, bodyEnd)));
      text = text.slice(bodyEnd);
    }
  });
}

function take(port: number, method: string, path: string, body: string): string {
  const base = `http://127.0.0.1:${port}`;
  if (path === '/versions') return answer([{ version: '2.2.1', url: `${base}/2.2.1` }]);
  if (path === '/2.2.1') {
    return answer({
      version: '2.2.1',
      endpoints: [
        { identifier: 'credentials', role: 'RECEIVER', url: `${base}/credentials` },
        { identifier: 'locations', role: 'RECEIVER', url: `${base}/locations` },
      ],
    });
  }
  taken += 1;
  if (method === 'PATCH') {
    const at = body.indexOf(UPDATED) + UPDATED.length;
    lagsMs.push(Date.now() - Date.parse(body.slice(at, body.indexOf('"', at))));
  }
  return (accepted ??= answer(undefined));
}

function answer(data: unknown): string {
  const text = JSON.stringify({ data, status_code: 1000, timestamp: new Date().toISOString() });
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}


