import type { Bus } from '#bus';
import { jsonText } from '#contracts';
import { getLocation } from '#contracts/locations';
import type { Granted } from '#grants';
import { type Location, sameParty } from '#ocpi';
import type { OcpiRequest } from './exchange.ts';
import { viewerIn } from './partners/partner.ts';
import { locationView } from './pushes/views.ts';

type Asking = Pick<OcpiRequest, 'caller' | 'routing' | 'addressed'>;

/** Our Locations for who asks: what is private, or not granted to them, is as unknown as what is not there. LOC-07. */
export class Seen {
  constructor(private readonly parts: {
    readonly bus: Bus; readonly grantedNow: () => Promise<Granted>;
  }) {}

  /** A Location of ours as they may see it. */
  async view(locationId: string, request: Asking): Promise<string | undefined> {
    return (await this.look(locationId, request)).view;
  }

  /** Whether there is one that they may not see. */
  async hides(locationId: string, request: Asking): Promise<boolean> {
    const { isThere, view } = await this.look(locationId, request);
    return isThere && view === undefined;
  }

  private async look(locationId: string, request: Asking): Promise<{ isThere: boolean; view?: string | undefined }> {
    const { bus, grantedNow } = this.parts;
    const { locationJson, private: isPrivate } = await bus.ask(getLocation, { locationId });
    const text = locationJson && jsonText(locationJson);
    const { addressed } = request;
    if (!text || (addressed && !sameParty(JSON.parse(text) as Location, addressed))) return { isThere: false };
    return { isThere: true, view: isPrivate ? undefined : locationView(text, viewerIn(request), await grantedNow()) };
  }
}
