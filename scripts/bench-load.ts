import { connect, type Socket } from 'node:net';

/** As many requests as come to be answered with so many connections, one under way on each; per second. */
export async function load(url: URL, seconds: number, connections: number, requestOf: () => string): Promise<number> {
  const untilMs = performance.now() + seconds * 1000;
  const fromMs = performance.now();
  const counts = await Promise.all(Array.from({ length: connections }, () => one(url, untilMs, requestOf)));
  return counts.reduce((all, count) => all + count, 0) / ((performance.now() - fromMs) / 1000);
}

/** The least that a client can do: nothing but the status and the length of an answer is read. */
function one(url: URL, untilMs: number, requestOf: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    let seen = '';
    const socket: Socket = connect(Number(url.port), url.hostname, () => socket.write(requestOf()));
    socket.setNoDelay();
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      const head = seen.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? 0);
      if (seen.length < head + 4 + length) return;
      if (!seen.startsWith('HTTP/1.1 200') || !seen.includes('"status_code":1000')) {
        socket.destroy();
        reject(new Error(`a request was answered with ${seen.slice(0, 1_000)}`));
        return;
      }
      seen = '';
      count += 1;
      if (performance.now() < untilMs) socket.write(requestOf());
      else {
        socket.destroy();
        resolve(count);
      }
    });
  });
}
