import type { IdTagInfo } from '#ocpp';
import type { Link } from './charger-link.ts';
import type { Settings } from './charger-settings.ts';

/** S16-03: tags are compared without case. */
export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Who may charge: the central system decides, and the station remembers for when it cannot ask. */
export class Cards {
  readonly #link: Link;
  readonly #settings: Settings;
  readonly #failed: (why: string) => void;
  readonly #known = new Map<string, IdTagInfo>();

  constructor(link: Link, settings: Settings, failed: (why: string) => void) {
    this.#link = link;
    this.#settings = settings;
    this.#failed = failed;
  }

  /** Offline the cache answers, if the station may; the central system checks it later (S16-41). */
  async authorize(idTag: string): Promise<IdTagInfo> {
    const known = this.#known.get(idTag.toLowerCase());
    if (known && this.#settings.boolean('LocalPreAuthorize')) return known;
    if (this.#link.open) {
      try {
        const answer = await this.#link.call('Authorize', { idTag });
        const info = answer['idTagInfo'] as IdTagInfo;
        this.remember(idTag, info);
        return info;
      } catch (error) {
        this.#failed(String(error));
        if (this.#link.open) return { status: 'Invalid' };
      }
    }
    if (!this.#settings.boolean('LocalAuthorizeOffline')) return { status: 'Invalid' };
    if (known) return known;
    const anybody = this.#settings.boolean('AllowOfflineTxForUnknownId');
    return { status: anybody ? 'Accepted' : 'Invalid' };
  }

  remember(idTag: string, info: IdTagInfo): void {
    if (this.#settings.boolean('AuthorizationCacheEnabled'))
      this.#known.set(idTag.toLowerCase(), info);
  }
}
