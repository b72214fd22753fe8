import type { Token } from '#ocpi';
import { idTagOf } from '#ocpp';
import { instant } from '#time';
import type { Authorization, OrderedStart, Start, Station } from './station-events.ts';

/** Cards that an order from afar has named. */

/** A charge that begins later than this is none that was ordered: somebody came and tapped the card. */
const ORDER_HOLDS_MS = 3_600_000;
/** CMD-06: for so long after a command its owner is not asked about the card at this station. */
const COMMAND_COVERS_MS = 15 * 60_000;

/** The start that was ordered for this card, at this connector or at any, and may begin at that instant. */
export function orderedStart(
  station: Station, { connectorId, idTag, startedAt }: Pick<Start, 'idTag' | 'startedAt'> & { readonly connectorId?: number },
): OrderedStart | undefined {
  const since = instant(startedAt) - ORDER_HOLDS_MS;
  return station.ordered.findLast((order) =>
    sameTag(order.idTag, idTag) && instant(order.at) >= since
    && (connectorId === undefined || order.connectorId === connectorId));
}

/** CMD-06: a card that a command named lately at this station, at whatever connector. */
export function commandedCard(
  station: Station, { idTag, startedAt }: Pick<Start, 'idTag' | 'startedAt'>,
): OrderedStart | undefined {
  const since = instant(startedAt) - COMMAND_COVERS_MS;
  return station.commanded.findLast((order) => sameTag(order.idTag, idTag) && instant(order.at) >= since);
}

/**
 * CMD-06: one more charge by the card of a command whose owner would have to be asked, and may not be:
 * the command's authorization counts. By a card, that is; nobody holds an app to a reader.
 */
export function coveredStart(station: Station, start: Pick<Start, 'idTag' | 'startedAt'>): Authorization | undefined {
  const order = commandedCard(station, start);
  if (!order) return undefined;
  const { type, whitelist } = JSON.parse(order.token) as Partial<Token>;
  const isCard = type === 'RFID' || type === 'OTHER';
  return isCard && (whitelist === 'NEVER' || whitelist === 'ALLOWED_OFFLINE') ? byCommand(order) : undefined;
}

export function byCommand({ token, reference }: OrderedStart): Authorization {
  return { status: 'Accepted', authMethod: 'COMMAND', token, reference };
}

/** What the station may call the card's group, for another card of it to end the charge. */
export function groupOf({ status, token }: Pick<Authorization, 'status' | 'token'>): { readonly group?: string } {
  if (status !== 'Accepted' || !token?.includes('"group_id"')) return {};
  const { group_id: group } = JSON.parse(token) as Partial<Token>;
  return group === undefined ? {} : { group: idTagOf(group) };
}

/** S16-03: an idTag compares without case. */
function sameTag(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
