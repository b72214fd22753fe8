import { connect, type Socket } from 'node:net';

export interface Answered {
  /** The head and the body as they came. */
  readonly text: string;
  readonly ms: number;
}

/** Throws where an answer is none that is wanted; most want a success. */
type Take = (answered: Answered) => void;

const success: Take = ({ text }) => {
  if (!text.startsWith('HTTP/1.1 200') || !text.includes('"status_code":1000'))
    throw new Error(`a request was answered with ${text.slice(0, 1_000)}`);
};

/** As many requests as come to be answered with so many connections, one under way on each; per second. */
export async function load(url: URL, seconds: number, connections: number, requestOf: () => string, take = success): Promise<number> {
  const untilMs = performance.now() + seconds * 1000;
  const fromMs = performance.now();
  const counts = await Promise.all(Array.from({ length: connections }, () => one(url, () => performance.now() < untilMs, requestOf, take)));
  return counts.reduce((all, count) => all + count, 0) / ((performance.now() - fromMs) / 1000);
}

/** So many requests, with so many connections, one under way on each. */
export async function requests(url: URL, count: number, connections: number, requestOf: () => string, take = success): Promise<void> {
  let left = count - connections;
  await Promise.all(Array.from({ length: connections }, () => one(url, () => (left -= 1) >= 0, requestOf, take)));
}

/** The least that a client can do: nothing but the status and the length of an answer is read. */
function one(url: URL, goesOn: () => boolean, requestOf: () => string, take: Take): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    let seen = '';
    let fromMs = 0;
    const ask = () => {
      fromMs = performance.now();
      socket.write(requestOf());
    };
    const socket: Socket = connect(Number(url.port), url.hostname, ask);
    socket.setNoDelay();
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      const head = seen.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? 0);
      if (seen.length < head + 4 + length) return;
      try {
        take({ text: seen, ms: performance.now() - fromMs });
      } catch (error) {
        socket.destroy();
        reject(error as Error);
        return;
      }
      seen = '';
      count += 1;
      if (goesOn()) ask();
      else {
        socket.destroy();
        resolve(count);
      }
    });
  });
}
