// What one can ask about the events that providers told; a part of the table of contents (`UseCases`), with its conventions.

import type { HeardOf, Page, PageRequest } from '#application/ports/read-models.ts';
import type { InboxStatus } from '#application/ports/store.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import type { InboxEventId, OrganizationId } from '#domain/shared/ids.ts';

export interface EventUseCases {
  /** What was heard about the organization, newest first, and what became of it; never what it said. */
  readonly listEvents: (
    caller: Caller,
    organizationId: OrganizationId,
    filter: { readonly status?: InboxStatus | undefined },
    page: PageRequest,
  ) => Promise<Page<HeardOf>>;
  /**
   * Has an event applied again that waits, was set aside, or was ignored: soon, with all its tries. Replaying one that is to be
   * applied anyway only hastens it.
   * @throws Refusal `event.not_found`, `event.applied_already`, `event.forgotten`
   */
  readonly replayEvent: (
    caller: Caller,
    organizationId: OrganizationId,
    event: InboxEventId,
    source: Source,
  ) => Promise<HeardOf>;
}
