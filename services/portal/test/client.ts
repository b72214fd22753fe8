/** A caller of the portal, such as an app or a script. */
export class Client {
  constructor(private readonly url: string, private readonly headers: Readonly<Record<string, string>> = {}) {}

  with(headers: Record<string, string>): Client {
    return new Client(this.url, { ...this.headers, ...headers });
  }

  /** The same caller at another portal. */
  moved(url: string): Client {
    return new Client(url, this.headers);
  }

  async signedIn(email: string, password: string): Promise<Client> {
    const { body } = await this.post('/v1/sign-in', { email, password });
    return this.with({ authorization: `Bearer ${(body as { token: string }).token}` });
  }

  get(path: string) {
    return this.send('GET', path);
  }

  post(path: string, body?: unknown) {
    return this.send('POST', path, body === undefined ? undefined : JSON.stringify(body));
  }

  /** `body` as it goes over the wire. */
  async send(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text.startsWith('{') ? JSON.parse(text) as Body : text as never };
  }

  /** Server-sent events as they come, until the stream ends or the caller breaks. */
  async* events<T>(path: string): AsyncGenerator<T> {
    const leaving = new AbortController();
    const answer = await fetch(this.url + path, { headers: this.headers, signal: leaving.signal });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    let text = '';
    try {
      for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += part;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const data = /^event: charge\ndata: (.*)$/.exec(text.slice(0, end))?.[1];
          text = text.slice(end + 2);
          if (data !== undefined) yield JSON.parse(data) as T;
        }
      }
    } finally {
      leaving.abort();
    }
  }
}

/** What came back: tests look into many shapes. */
export type Body = Record<string, any>;
