import { connect, type Socket } from 'node:net';
import { origin, type Side } from './side.ts';

/** A connection to a gateway that says what no HTTP client would. */
export class RawHttp {
  text = '';
  closed = false;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (text: string) => void (this.text += text));
    // Whoever is cut off while it writes hears EPIPE or ECONNRESET.
    socket.on('error', () => {});
    socket.on('close', () => void (this.closed = true));
  }

  static async open(side: Side): Promise<RawHttp> {
    const { hostname, port } = new URL(origin(side));
    const socket = connect(Number(port), hostname);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawHttp(socket);
  }

  write(text: string): boolean {
    return this.socket.write(text);
  }

  /** Writes `bytes` zeros or spaces, and stops when there is an answer; how many were written. */
  async pour(bytes: number, piece: string): Promise<number> {
    let written = 0;
    while (written < bytes && this.text === '' && !this.closed) {
      const more = this.write(piece);
      written += piece.length;
      if (!more)
        await new Promise<void>(
          (resolve) =>
            void (
              this.socket.once('drain', resolve),
              this.socket.once('close', () => resolve()),
              setTimeout(resolve, 100)
            ),
        );
    }
    return written;
  }

  /** The status line's number, and what the envelope says. */
  get answer(): { http: number; status_code?: number; status_message?: string } {
    const [head = '', body = ''] = this.text.split('\r\n\r\n');
    return { http: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), ...(body.startsWith('{') ? JSON.parse(body) as object : {}) };
  }

  close(): void {
    this.socket.destroy();
  }
}
