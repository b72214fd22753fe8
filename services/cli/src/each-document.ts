import { type Document, documents, type Parse } from './documents.ts';
import { Progress } from './progress.ts';
import { refusalText } from './refusals.ts';
import type { Terminal } from './terminal.ts';
import { type ExitStatus, type Given, RefusedInput, WrongUsage } from './verb.ts';

/**
 * Every object of the files: `take` answers what is printed of it, a text for each thing that was done. An object for
 * which it throws is refused, and the others are worked on; WrongUsage is of all of them and passed on.
 */
export async function eachDocument(
  given: Given,
  terminal: Terminal,
  take: (one: Document) => readonly string[],
  parse?: Parse,
): Promise<ExitStatus> {
  const progress = new Progress(terminal, given);
  for (const file of given.files) {
    for await (const batch of documents(file, terminal.stdin, progress.read, parse)) {
      for (const one of batch) {
        try {
          if ('why' in one) throw new RefusedInput(one.why);
          for (const text of take(one)) {
            terminal.out.line(text);
            progress.done();
          }
        } catch (error) {
          if (error instanceof WrongUsage) throw error;
          progress.refused(one.at, refusalText(error));
        }
        await terminal.out.settle();
      }
      if (!terminal.out.open) return 0;
    }
  }
  await terminal.out.settle(true);
  progress.end();
  return progress.anyRefused ? 1 : 0;
}
