import type { Verb } from './verb.ts';

export interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

/** All verbs, of one word or two. A verb is loaded when it is called: none slows another down. */
export const VERBS: Readonly<Record<string, Entry>> = {
  price: {
    summary: 'price CDRs and Sessions by their tariffs, exactly',
    load: async () => (await import('./price.ts')).price,
  },
  explain: {
    summary: 'say how a price came about, step by step',
    load: async () => (await import('./explain.ts')).explain,
  },
  lint: {
    summary: 'find what is wrong with tariffs before drivers do',
    load: async () => (await import('./lint.ts')).lint,
  },
  quote: {
    summary: 'say what a charge would cost, and when it would cost less',
    load: async () => (await import('./quote.ts')).quote,
  },
  conformance: {
    summary: 'try any OCPI 2.2.1 platform by the rules of the protocol',
    load: async () => (await import('./conformance.ts')).conformance,
  },
  'ledger verify': {
    summary: 'verify an export of a CDR ledger, with no database',
    load: async () => (await import('./ledger-verify.ts')).ledgerVerify,
  },
  'ledger restore': {
    summary: 'write an export into an empty ledger, and prove that it is the same',
    load: async () => (await import('./ledger-restore.ts')).ledgerRestore,
  },
  'partner list': {
    summary: 'show the partners of a running platform, and what waits to be sent to them',
    load: async () => (await import('./partner.ts')).partnerList,
  },
  'partner letters': {
    summary: 'show what a partner refused, with the reason and the body',
    load: async () => (await import('./partner-letters.ts')).partnerLetters,
  },
  'partner replay': {
    summary: 'send what a partner refused again',
    load: async () => (await import('./partner-letters.ts')).partnerReplay,
  },
  'partner invite': {
    summary: 'make a TOKEN_A for a partner who will register',
    load: async () => (await import('./partner-links.ts')).partnerInvite,
  },
  'partner register': {
    summary: 'register with a partner who gave us a TOKEN_A',
    load: async () => (await import('./partner-links.ts')).partnerRegister,
  },
  'partner approve': {
    summary: 'say for whom a link is meant, and let it begin',
    load: async () => (await import('./partner-links.ts')).partnerApprove,
  },
  'partner pull': {
    summary: "read a partner's lists now",
    load: async () => (await import('./partner-pulls.ts')).partnerPull,
  },
  'partner differences': {
    summary: "show what was found to be otherwise in a partner's lists",
    load: async () => (await import('./partner-pulls.ts')).partnerDifferences,
  },
  'partner quirks': {
    summary: 'show what a partner does otherwise than OCPI has it, and choose how it is spoken to',
    load: async () => (await import('./partner-quirks.ts')).partnerQuirks,
  },
  'partner renew': {
    summary: 'give both sides of a link new tokens',
    load: async () => (await import('./partner-links.ts')).partnerRenew,
  },
  'partner end': {
    summary: 'end a link at once',
    load: async () => (await import('./partner-links.ts')).partnerEnd,
  },
  'session close': {
    summary: 'end a charge of a running platform whose station will not say that it stopped',
    load: async () => (await import('./session-close.ts')).sessionClose,
  },
  erase: {
    summary: 'forget a contract in every service of a running platform',
    load: async () => (await import('./erase.ts')).erase,
  },
};
