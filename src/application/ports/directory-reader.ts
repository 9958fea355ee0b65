// What a provider lists of an organization's directories right now, page by page: to find what its events did not bring.

import type { DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import type { ListedDirectory } from '#domain/provisioning/drift.ts';

export interface ListedPage<T> {
  readonly items: readonly T[];
  /** Where a reading that broke off goes on after this page; null when this was the last. */
  readonly next: string | null;
}

/**
 * Pages come one at a time, as they are asked for, however many people there are. Every method may throw Refusal
 * `identity.unavailable` or `identity.throttled` (with `retry_after_seconds` where the provider says so), also in the middle: then
 * nothing is known of what was not read. A page that cannot be read is such a fault, never an empty page.
 */
export interface DirectoryReader {
  /**
   * For so many seconds before a reading, what the provider said may not show in its lists yet; the difference of the clocks
   * included. What was said in that time is left to its event.
   */
  readonly lagSeconds: number;
  /** All directories of the organization, by the provider's name of it; also those that are being set up or taken down. */
  directories(organization: string): Promise<readonly ListedDirectory[]>;
  /** Groups of a directory. @param from `next` of the page before; from the beginning without it */
  groups(directory: string, from?: string | null): AsyncIterable<ListedPage<DirectoryGroupFacts>>;
  /** People of a directory, in whatever state. */
  users(directory: string, from?: string | null): AsyncIterable<ListedPage<DirectoryPerson>>;
  /** The people of one group. */
  members(
    group: { readonly directory: string; readonly group: string },
    from?: string | null,
  ): AsyncIterable<ListedPage<DirectoryPerson>>;
}
