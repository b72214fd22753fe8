import type { Token } from '#ocpi';
import { idTagOf } from '#ocpp';
import { instant } from '#time';
import type { Authorization, OrderedStart, Start, Station } from './station-events.ts';

/** Cards that an order from afar has named. */

/** A charge that begins later than this is none that was ordered: somebody came and tapped the card. */
const ORDER_HOLDS_MS = 3_600_000;
/** Of a station with very many connectors, within that time. */
const ORDERS_KEPT = 256;
/** A clock that is no further behind is believed: docs/adr/0025. */
const CLOCK_BEHIND_MS = 3_600_000;
/** CMD-06: for so long after a command its owner is not asked about the card at this station. */
const COMMAND_COVERS_MS = 15 * 60_000;

/**
 * The start that was ordered for this card, at this connector or at any, and may begin at that instant. What a card began
 * long before it was ordered, the station had kept.
 */
export function orderedStart(
  station: Station, { connectorId, idTag, startedAt }: Pick<Start, 'idTag' | 'startedAt'> & { readonly connectorId?: number },
): Station['ordered'][number] | undefined {
  const since = instant(startedAt) - ORDER_HOLDS_MS;
  return station.ordered.findLast((order) =>
    sameTag(order.idTag, idTag) && instant(order.at) >= since && !(isBeforeOrder(order, startedAt) && isCard(order))
    && (connectorId === undefined || order.connectorId === connectorId));
}

/** Its clock is wrong: nobody begins with an app what was not ordered. */
export function isBeforeOrder({ at }: Station['ordered'][number], startedAt: string): boolean {
  return instant(at) > instant(startedAt) + CLOCK_BEHIND_MS;
}

/** Nobody holds an app to a reader. */
export function isCard({ token }: OrderedStart): boolean {
  const { type } = JSON.parse(token) as Partial<Token>;
  return type === 'RFID' || type === 'OTHER';
}

/** CMD-06: a card that a command named lately at this station, at whatever connector. */
export function commandedCard(
  station: Station, { idTag, startedAt }: Pick<Start, 'idTag' | 'startedAt'>,
): OrderedStart | undefined {
  const since = instant(startedAt) - COMMAND_COVERS_MS;
  return station.commanded.findLast((order) =>
    sameTag(order.idTag, idTag) && instant(order.at) >= since && !isBeforeOrder(order, startedAt));
}

/**
 * CMD-06: one more charge by the card of a command whose owner would have to be asked, and may not be:
 * the command's authorization counts. By a card, that is.
 */
export function coveredStart(station: Station, start: Pick<Start, 'idTag' | 'startedAt'>): Authorization | undefined {
  const order = commandedCard(station, start);
  if (!order) return undefined;
  const { whitelist } = JSON.parse(order.token) as Partial<Token>;
  return isCard(order) && (whitelist === 'NEVER' || whitelist === 'ALLOWED_OFFLINE') ? byCommand(order) : undefined;
}

export function byCommand({ token, reference }: OrderedStart): Authorization {
  return { status: 'Accepted', authMethod: 'COMMAND', token, reference };
}

/**
 * S16-21, S16-22: the card of a charge that runs at the station, or one of its group, ends it whatever its owner says of
 * charging by now; for the next charge it is asked about when that starts.
 */
export function endsCharge(
  { open, starts }: Station, shown: { readonly idTag: string; readonly group?: string | undefined },
): { readonly group?: string } | undefined {
  const charge = starts.find(({ transactionId, status, group }) => {
    const begun = open[transactionId];
    if (!begun || status !== 'Accepted') return false;
    return sameTag(begun.idTag, shown.idTag) || (group !== undefined && shown.group !== undefined && sameTag(group, shown.group));
  });
  return charge && (charge.group === undefined ? {} : { group: charge.group });
}

/** What the station may call the card's group, for another card of it to end the charge. */
export function groupOf({ status, token }: Pick<Authorization, 'status' | 'token'>): { readonly group?: string } {
  if (status !== 'Accepted' || !token?.includes('"group_id"')) return {};
  const { group_id: group } = JSON.parse(token) as Partial<Token>;
  return group === undefined ? {} : { group: idTagOf(group) };
}

/** What is still ordered once one of them began: what was ordered before for its card, at its connector, is that charge or none. */
export function stillOrdered(
  ordered: Station['ordered'], { authorization: { orderId }, connectorId, idTag }: Pick<Start, 'authorization' | 'connectorId' | 'idTag'>,
): Station['ordered'] {
  if (orderId === undefined) return ordered;
  return ordered.filter((order) => order.orderId !== orderId && !(order.connectorId === connectorId && sameTag(order.idTag, idTag)));
}

/** With one more: those that may begin yet. */
export function ordersWith(orders: Station['ordered'], order: Station['ordered'][number]): Station['ordered'] {
  const since = instant(order.at) - ORDER_HOLDS_MS;
  return [...orders.filter(({ at }) => instant(at) >= since), order].slice(-ORDERS_KEPT);
}

/** S16-03: an idTag compares without case. */
function sameTag(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
