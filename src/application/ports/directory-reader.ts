// What a provider lists of an organization's directories right now, page by page: to find what its events did not bring.

import type { DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import type { ListedDirectory } from '#domain/provisioning/drift.ts';

export interface ListedPage<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null when this was the last. Good for a day at least, also after a restart. */
  readonly next: string | null;
}

export interface ListedDirectories {
  /**
   * Not after the moment of the reading by the provider's own clock, however clocks differ and however its lists trail its
   * events. Whatever is read afterwards is at least as new.
   */
  readonly asOf: Date;
  /** Also those that are being set up or taken down. */
  readonly directories: readonly ListedDirectory[];
}

/**
 * One page at a time, however many people there are: who reads goes on with `next`, and begins with null. Every method may throw
 * Refusal `identity.unavailable` or `identity.throttled` (with `retry_after_seconds` where the provider says so): then nothing is
 * known of what was not read. A page that cannot be read is such a fault, never an empty page.
 */
export interface DirectoryReader {
  /** All directories of the organization, by the provider's name of it. */
  directories(organization: string): Promise<ListedDirectories>;
  groups(directory: string, from: string | null): Promise<ListedPage<DirectoryGroupFacts>>;
  /** People in whatever state. */
  users(directory: string, from: string | null): Promise<ListedPage<DirectoryPerson>>;
  /** The people of one group. */
  members(
    group: { readonly directory: string; readonly group: string },
    from: string | null,
  ): Promise<ListedPage<DirectoryPerson>>;
}
