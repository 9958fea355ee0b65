// Reconciliation of an organization's directory: begin one, look at its plan, carry the plan out.

import { z } from 'zod';
import type { UseCases } from '#application/use-cases.ts';
import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import { changes } from '#domain/provisioning/drift.ts';
import type { Reconciliation } from '#domain/provisioning/reconciliation.ts';
import { idOf, idShape, org } from './inputs.ts';
import { type Route, route } from './kit/route.ts';

const count = z.int().min(0);
const change = z.enum(changes);

const reconciliationShape = z
  .object({
    id: idShape('recon'),
    state: z
      .enum(['reading', 'planned', 'applying', 'done', 'failed'])
      .meta({ description: '`planned` waits for its `plan_id` to be sent; `reading` and `applying` are under way.' }),
    by_schedule: z.boolean().meta({ description: 'Begun by schedule: carried out by itself unless it removes most.' }),
    started_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    as_of: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'What the directory said after this moment stands, whatever the plan says.' }),
    directories: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        type: z.string(),
        state: z.enum(['connected', 'unsettled']).meta({
          description: '`unsettled`: being set up or taken down, or without credentials; nothing follows from it.',
        }),
      }),
    ),
    plan: z
      .object({
        changes: z
          .partialRecord(change, count)
          .meta({ description: 'How many changes of each kind; none: all agrees.' }),
        people: count.meta({ description: 'People active in the directories, as known here before.' }),
        people_leaving: count,
        group_places: count.meta({ description: 'Places of people in groups, as known here before.' }),
        group_places_leaving: count,
        removes_most: z.boolean().meta({ description: 'More than half of people or places, and more than ten.' }),
      })
      .nullable(),
    settled: count.meta({ description: 'How many changes were made, or overtaken by newer news.' }),
    note: z.string().nullable().meta({ description: 'Why it waits or failed.' }),
  })
  .meta({ id: 'Reconciliation' });

const shownShape = z
  .object({
    reconciliation: reconciliationShape,
    next_changes: z
      .array(
        z.object({
          change,
          directory_id: z.string(),
          person: z.object({ id: z.string(), email: z.string().nullable(), name: z.string().nullable() }).nullable(),
          group: z.object({ id: z.string(), name: z.string() }).nullable(),
        }),
      )
      .meta({ description: 'The first of those that wait, in the order in which they will be made.' }),
  })
  .meta({ id: 'ReconciliationPlan' });

const iso = (moment: Date | null): string | null => moment?.toISOString() ?? null;

const reconciliation = (run: Reconciliation) => ({
  id: run.id,
  state: run.state,
  by_schedule: run.unasked,
  started_at: run.startedAt.toISOString(),
  finished_at: iso(run.finishedAt),
  as_of: iso(run.asOf),
  directories: run.directories.map(({ id, name, type, state }) => ({ id, name, type, state })),
  plan: run.plan && {
    changes: run.plan.changes,
    people: run.plan.headcount.people,
    people_leaving: run.plan.headcount.peopleLeaving,
    group_places: run.plan.headcount.places,
    group_places_leaving: run.plan.headcount.placesLeaving,
    removes_most: run.plan.removesMost,
  },
  settled: run.settled,
  // A fault's own words may name inner things; the log has them.
  note: run.note === null ? null : 'It was interrupted; see the log of the service.',
});

const about = (event: DirectoryEvent) => ({
  directory_id: event.directoryId,
  person: 'user' in event ? { id: event.user.id, email: event.user.email, name: event.user.name } : null,
  group: 'group' in event ? { id: event.group.id, name: event.group.name } : null,
});

export const reconciliationRoutes = (
  useCases: Pick<UseCases, 'getReconciliation' | 'startReconciliation' | 'applyReconciliation'>,
): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/organizations/{org}/directory/reconcile',
    operation: 'getReconciliation',
    summary: 'The newest reconciliation of the directory, and what it would change',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    answers: [200, shownShape],
    refuses: ['reconciliation.not_found'],
    async handle({ caller, params }) {
      const { run, next } = await useCases.getReconciliation(caller, params.org);
      return {
        reconciliation: reconciliation(run),
        next_changes: next.map(({ drift }) => ({ change: drift.change, ...about(drift.event) })),
      };
    },
  }),

  route({
    method: 'post',
    path: '/v1/organizations/{org}/directory/reconcile',
    operation: 'reconcileDirectory',
    summary: 'Compare with what the identity provider lists, and carry out the difference',
    description:
      'Without `plan_id` it begins to read; nothing is changed, and the plan is there when the state is `planned`. With `plan_id` that plan is carried out. What the directory says meanwhile is newer and stands.',
    tags: ['directory'],
    allows: 'orgs:manage',
    params: { org },
    body: z.strictObject({
      plan_id: idOf('recon').optional().meta({ description: 'The plan to carry out: the `id` of a reconciliation.' }),
      remove_most: z
        .boolean()
        .default(false)
        .meta({ description: 'Needed for a plan with `removes_most`: the caller knows what it removes.' }),
    }),
    answers: [202, reconciliationShape],
    refuses: [
      'reconciliation.not_supported',
      'reconciliation.not_ready',
      'reconciliation.under_way',
      'reconciliation.not_planned',
      'reconciliation.removes_most',
    ],
    async handle({ caller, params, body, source }) {
      const organizationId = params.org;
      const run =
        body.plan_id === undefined
          ? await useCases.startReconciliation(caller, organizationId, source)
          : await useCases.applyReconciliation(
              caller,
              { organizationId, plan: body.plan_id, removeMost: body.remove_most },
              source,
            );
      return reconciliation(run);
    },
  }),
];
