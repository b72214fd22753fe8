import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { jsonText } from '#contracts';
import {
  type SessionEnded,
  sessionEnded,
  type SessionStarted,
  sessionStarted,
  type SessionUpdated,
  sessionUpdated,
} from '#contracts/sessions';
import { Erasing } from '#erasure';
import type { Session } from '#ocpi';
import { storeOwnSession } from './session-rows.ts';
import { isErasedSession, withoutToken } from './without-token.ts';

/** Keeps the lists of our own sessions. */
@Controller()
export class OwnFactsController {
  constructor(@Inject(Erasing) private readonly erasing: Erasing) {}

  @Hears(sessionStarted, sessionUpdated, sessionEnded)
  told({ sessionJson }: SessionStarted | SessionUpdated | SessionEnded, { tx }: Heard) {
    const text = jsonText(sessionJson);
    const session = JSON.parse(text) as Session;
    if (!isErasedSession(this.erasing.marks, session)) return storeOwnSession(tx, session, text);
    const erased = withoutToken(session);
    return storeOwnSession(tx, erased, JSON.stringify(erased));
  }
}
