// The events that were heard about an organization: seen by its admins, and applied again at their wish.

import { acting, permitted } from '#application/access/permitted.ts';
import type { ReadModels } from '#application/ports/read-models.ts';
import type { EventUseCases } from '#application/provisioning/event-use-cases.ts';
import type { UnitOfWork } from '#application/unit-of-work.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { dueAtOnce } from '#domain/shared/time.ts';

export const listEvents =
  (readModels: ReadModels): EventUseCases['listEvents'] =>
  async (caller, organizationId, filter, page) => {
    permitted(caller, organizationId, 'orgs:manage');
    return readModels.events(organizationId, filter, page);
  };

export const replayEvent =
  (uow: UnitOfWork, wakeInbox: () => void): EventUseCases['replayEvent'] =>
  async (caller, organizationId, id, source) => {
    const replayed = await acting(uow, caller, organizationId, 'orgs:manage', source, async (tx) => {
      const event = await tx.inbox.get(organizationId, id);
      if (!event) throw new Refusal('event.not_found');
      const { payload, ...heard } = event;
      if (heard.status === 'applied') throw new Refusal('event.applied_already');
      if (payload === null) throw new Refusal('event.forgotten');
      const again = {
        ...heard,
        status: 'stored',
        attempts: 0,
        dueAt: dueAtOnce(tx.now),
        settledAt: null,
        note: null,
      } as const;
      await tx.inbox.settle(id, again);
      const { externalId, name, status, attempts } = heard;
      tx.tell({ type: 'provider_event.replayed', organizationId, event: { id, externalId, name, status, attempts } });
      return again;
    });
    wakeInbox();
    return replayed;
  };
