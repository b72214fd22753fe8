import type { FrameProblemName } from './frame.ts';

/** What a connection tells its owner's log and metrics. Nothing here needs an answer. */
export type ConnectionNotice =
  | {
      readonly notice: 'frame-unreadable';
      readonly problem: FrameProblemName | 'binary';
      readonly detail: string;
    }
  | {
      readonly notice: 'call-refused';
      readonly action: string;
      readonly code: string;
      readonly description: string;
    }
  | { readonly notice: 'call-repeated-while-open'; readonly action: string; readonly id: string }
  | {
      readonly notice: 'payload-repaired';
      readonly action: string;
      readonly repairs: readonly string[];
    }
  | { readonly notice: 'own-answer-invalid'; readonly action: string; readonly description: string }
  | { readonly notice: 'handler-failed'; readonly action: string; readonly error: unknown }
  /** Late, repeated, or to nothing we asked: dropped (J-26). */
  | { readonly notice: 'answer-dropped'; readonly id: string }
  | { readonly notice: 'answer-invalid'; readonly action: string; readonly description: string }
  | { readonly notice: 'socket-error'; readonly error: Error };
