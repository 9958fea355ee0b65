// What an organization's admins ask of a reconciliation: begin one, look at its plan, carry it out.

import { acting, actorOf, permitted } from '#application/access/permitted.ts';
import type { IdentityProvider } from '#application/ports/identity-provider.ts';
import type { ReconciliationStep } from '#application/ports/reconciliations.ts';
import type { Store } from '#application/ports/store.ts';
import type { Ids } from '#application/ports/system.ts';
import type { Transaction, UnitOfWork } from '#application/unit-of-work.ts';
import type { Caller } from '#domain/access/caller.ts';
import type { Source } from '#domain/audit/audit-entry.ts';
import { approved, beginReconciliation, isUnderWay, type Reconciliation } from '#domain/provisioning/reconciliation.ts';
import type { OrganizationId, ReconciliationId } from '#domain/shared/ids.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** So many of the changes that wait are shown; the plan counts them all. */
const shown = 50;

export interface ReconciliationUseCases {
  /** The newest reconciliation, and the first of the changes that wait. @throws Refusal `reconciliation.not_found` */
  readonly getReconciliation: (caller: Caller, organizationId: OrganizationId) => Promise<ReconciliationShown>;
  /**
   * Begins to read what the provider lists; the plan follows, and nothing is changed until it is asked for.
   * @throws Refusal `reconciliation.not_supported`, `reconciliation.not_ready`, `reconciliation.under_way`
   */
  readonly startReconciliation: (
    caller: Caller,
    organizationId: OrganizationId,
    source: Source,
  ) => Promise<Reconciliation>;
  /**
   * Carries out a plan that was shown. Where the directory has said something newer meanwhile, that stands.
   * @throws Refusal `reconciliation.not_planned`, `reconciliation.removes_most`, `reconciliation.not_supported`
   */
  readonly applyReconciliation: (
    caller: Caller,
    request: {
      readonly organizationId: OrganizationId;
      readonly plan: ReconciliationId;
      /** The caller knows that it removes most of the directory. */
      readonly removeMost: boolean;
    },
    source: Source,
  ) => Promise<Reconciliation>;
}

export interface ReconciliationShown {
  readonly run: Reconciliation;
  readonly next: readonly ReconciliationStep[];
}

export const getReconciliation =
  (store: Store): ReconciliationUseCases['getReconciliation'] =>
  async (caller, organizationId) => {
    permitted(caller, organizationId, 'orgs:manage');
    return store.transact(organizationId, async ({ reconciliations }) => {
      const run = await reconciliations.of(organizationId);
      if (!run) throw new Refusal('reconciliation.not_found');
      return { run, next: run.plan ? await reconciliations.steps(organizationId, shown) : [] };
    });
  };

export const startReconciliation =
  (
    provider: IdentityProvider,
    uow: UnitOfWork,
    wake: (organizationId: OrganizationId) => void,
    ids: Ids,
  ): ReconciliationUseCases['startReconciliation'] =>
  async (caller, organizationId, source) => {
    const run = await acting(uow, caller, organizationId, 'orgs:manage', source, async (tx, actor) => {
      if (!provider.directory) throw new Refusal('reconciliation.not_supported');
      const organization = await tx.organizations.get(organizationId);
      if (organization?.state.provider?.provider !== provider.name) throw new Refusal('reconciliation.not_ready');
      const before = await tx.reconciliations.of(organizationId);
      if (before && isUnderWay(before)) throw new Refusal('reconciliation.under_way');
      const facts = { id: ids.next('recon'), organizationId, by: actorOf(actor), unasked: false };
      const begun = beginReconciliation(facts, tx.now);
      await tx.reconciliations.save(begun);
      return begun;
    });
    wake(organizationId);
    return run;
  };

export const applyReconciliation =
  (
    provider: IdentityProvider,
    uow: UnitOfWork,
    wake: (organizationId: OrganizationId) => void,
  ): ReconciliationUseCases['applyReconciliation'] =>
  async (caller, { organizationId, plan, removeMost }, source) => {
    const run = await acting(uow, caller, organizationId, 'orgs:manage', source, async (tx, actor) => {
      if (!provider.directory) throw new Refusal('reconciliation.not_supported');
      const before = await tx.reconciliations.of(organizationId);
      if (before?.id !== plan) throw new Refusal('reconciliation.not_planned');
      const wanted = approved(before, actorOf(actor), removeMost, tx.now);
      await tx.reconciliations.save(wanted);
      tellBegun(tx, wanted);
      return wanted;
    });
    wake(organizationId);
    return run;
  };

/** One line in the trail before the lines of its changes. */
export const tellBegun = (tx: Transaction, { id, organizationId, plan }: Reconciliation): void => {
  if (plan) tx.tell({ type: 'directory.reconciliation_begun', organizationId, reconciliation: id, plan });
};
