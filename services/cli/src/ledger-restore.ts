import { DatabaseFailure } from '#postgres';
import { NotRestored, restoreLedger } from '../../cdr-ledger/src/restore.ts';
import { bytesOf, PUBLIC_KEY_OPTION, publicKeysOf, summaryOf } from './ledger-verify.ts';
import { optionOf, RefusedInput, type Verb, WrongUsage } from './verb.ts';

export const ledgerRestore: Verb = {
  usage: 'EXPORT.jsonl --database-url URL [options]',
  about: `Writes an export into the empty ledger of a platform's database, all or nothing: the entries at the
same places under the same ids, what is private and not erased, the chain and the signed heads. Then
the restore proves itself: what lies in the database is verified as a ledger, and exported again,
which must be the export line for line. Restore before a platform first starts on the database; its
lists and statements are made from the log when it does.`,
  options: {
    'database-url': {
      type: 'string',
      value: 'URL',
      help: "the platform's database, by a login that may create tables",
    },
    'public-key': PUBLIC_KEY_OPTION,
    json: { type: 'boolean', help: 'one line of JSON' },
  },
  examples: [
    [
      'npx roamwatt ledger restore ledger.jsonl --database-url postgres://…/roamwatt',
      'the login owns the database',
    ],
  ],
  async run(given, terminal) {
    const [file, ...others] = given.files;
    const databaseUrl = optionOf(given, 'database-url');
    if (file === undefined || others.length > 0 || file === '-')
      throw new WrongUsage('give one file: it is read several times');
    if (databaseUrl === undefined || !URL.canParse(databaseUrl))
      throw new WrongUsage('--database-url: postgres://user:password@host:port/database');
    const keys = publicKeysOf(given);
    const { status } = terminal;
    try {
      const verdict = await restoreLedger({
        databaseUrl,
        read: () => bytesOf(file, terminal),
        ...(keys && { keys }),
        onProgress: (doing, entries, of) =>
          status?.(
            `${doing} ${entries.toLocaleString('en')} of ${of.toLocaleString('en')} entries`,
          ),
      });
      status?.('');
      const { ledger, entries, erased, heads, link, root } = verdict;
      const said = { source: file, restored: true, ledger, entries, erased, heads, link, root };
      terminal.out.line(
        given.flags.has('json')
          ? JSON.stringify(said)
          : `${file}: restored, verified, and exported again as the same\n${summaryOf(verdict)}`,
      );
      return 0;
    } catch (error) {
      if (error instanceof NotRestored)
        throw new RefusedInput(`${file}: not restored: ${error.message}`);
      if (error instanceof DatabaseFailure)
        throw new RefusedInput(`--database-url: the database cannot be used: ${error.message}`);
      throw error;
    }
  },
};
