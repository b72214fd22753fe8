import { Controller } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import {
  type SessionEnded,
  sessionEnded,
  type SessionStarted,
  sessionStarted,
  type SessionUpdated,
  sessionUpdated,
} from '#contracts/sessions';
import type { Session } from '#ocpi';
import { storeOwnSession } from './session-rows.ts';

/** Keeps the lists of our own sessions. */
@Controller()
export class OwnFactsController {
  @Hears(sessionStarted, sessionUpdated, sessionEnded)
  told({ sessionJson }: SessionStarted | SessionUpdated | SessionEnded, { tx }: Heard) {
    const text = new TextDecoder().decode(sessionJson);
    return storeOwnSession(tx, JSON.parse(text) as Session, text);
  }
}
