/**
 * What the promise gives, or a rejection as soon as the signal aborts: a request sent into a lost
 * connection is not waited for once the connection is back.
 */
export function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Aborted());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

class Aborted extends Error {
  override readonly name = 'Aborted';
}
