import { DatabaseFailure } from '#postgres';
import { NotRestored, restoreLedger } from '../../cdr-ledger/src/restore.ts';
import { bytesOf, PUBLIC_KEY_OPTION, publicKeysOf, summaryOf } from './ledger-verify.ts';
import { optionOf, RefusedInput, type Verb, WrongUsage } from './verb.ts';

export const ledgerRestore: Verb = {
  usage: 'EXPORT.jsonl [ACCOUNTS.jsonl] --database-url URL [options]',
  about: `Writes the export of a platform's CDR ledger, and with it that of its drivers' accounts where it keeps
some, into its empty database, all or nothing: the entries at the same places under the same ids,
what is private and not erased, the chains and the signed heads. Then the restore proves itself: what
lies in the database is verified as ledgers, and exported again, which must be the exports line for
line. Accounts that were exported before the CDRs are booked up to them. Restore before a platform first starts on the database; its
lists and statements are made from the log when it does. The URL of npm start's own database: npm start -- --database.`,
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
      'npx roamwatt ledger restore ledger.jsonl --database-url postgres://roamwatt:secret@127.0.0.1:5432/roamwatt',
      'the login owns the database',
    ],
    [
      'npx roamwatt ledger restore ledger.jsonl accounts.jsonl --database-url postgres://roamwatt:secret@127.0.0.1:5432/roamwatt',
      "with drivers' accounts",
    ],
  ],
  async run(given, terminal) {
    const { files } = given;
    const databaseUrl = optionOf(given, 'database-url');
    if (files.length === 0 || files.includes('-'))
      throw new WrongUsage('give the exports as files: they are read several times');
    if (databaseUrl === undefined || !URL.canParse(databaseUrl))
      throw new WrongUsage('--database-url: give the empty database, as postgres://user:password@host:port/database');
    const keys = publicKeysOf(given);
    const { status } = terminal;
    try {
      const verdicts = await restoreLedger({
        databaseUrl,
        exports: files.map((file) => () => bytesOf(file, terminal)),
        ...(keys && { keys }),
        onProgress: (doing, entries, of) =>
          status?.(
            `${doing} ${entries.toLocaleString('en')} of ${of.toLocaleString('en')} entries`,
          ),
      });
      status?.('');
      for (const [n, verdict] of verdicts.entries()) {
        const { ledger, entries, erased, heads, link, root } = verdict;
        const source = files[n]!;
        const said = { source, restored: true, ledger, entries, erased, heads, link, root };
        terminal.out.line(
          given.flags.has('json')
            ? JSON.stringify(said)
            : `${source}: restored, verified, and exported again as the same\n${summaryOf(verdict)}`,
        );
      }
      return 0;
    } catch (error) {
      if (error instanceof NotRestored)
        throw new RefusedInput(`${files.join(', ')}: not restored: ${error.message}`);
      if (error instanceof DatabaseFailure)
        throw new RefusedInput(`--database-url: the database cannot be used: ${error.message}`);
      throw error;
    }
  },
};
