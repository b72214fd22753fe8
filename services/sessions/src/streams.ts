import { idKey } from '#ocpi';

// OCPI compares ids without case, so streams are named in one case.
export const sessionStream = (sessionId: string): string => `session-${idKey(sessionId)}`;
export const commandStream = (orderId: string): string => `command-${orderId}`;
export const orderStream = (orderId: string): string => `order-${idKey(orderId)}`;
export const reservationStream = (number: string): string => `reservation-${number}`;

/** The id that a stream is named for. */
export const idOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1);
