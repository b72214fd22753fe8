import fc from 'fast-check';

/** The same cases in every run, so that a run tells of the change and not of its luck; others by SEED=… */
process.env['SEED'] ??= '20220201';
fc.configureGlobal({ seed: Number(process.env['SEED']) });
