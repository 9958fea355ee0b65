// The use cases, and what runs behind them: one line per part.

import { ContainerModule } from 'inversify';
import { batchedActivity } from '#application/access/activity.ts';
import * as agents from '#application/access/agents.ts';
import { authenticateCaller } from '#application/access/authenticate-caller.ts';
import { whoAmI } from '#application/access/who-am-i.ts';
import { recordRefusal, searchAudit, verifyAudit } from '#application/audit/audit.ts';
import { forgetIdempotencyKeys } from '#application/idempotency/forget-keys.ts';
import { onlyOnce } from '#application/idempotency/only-once.ts';
import * as invitations from '#application/invitations/invitations.ts';
import * as members from '#application/memberships/members.ts';
import { createOrganization } from '#application/organizations/create-organization.ts';
import { getOrganization, listMyOrganizations } from '#application/organizations/organizations.ts';
import { transferOwnership } from '#application/organizations/transfer-ownership.ts';
import { listEvents, replayEvent } from '#application/provisioning/events.ts';
import * as provisioning from '#application/provisioning/provisioning-settings.ts';
import { receiveDelivery } from '#application/provisioning/receive-delivery.ts';
import * as reconciliation from '#application/provisioning/reconciliation.ts';
import { applyInbox } from '#application/reactions/apply-inbox.ts';
import { catchUpEvents } from '#application/reactions/catch-up-events.ts';
import { endOverdueSessions, expireApiKeys, forgetOldEvents } from '#application/reactions/expiry.ts';
import { reconcileDirectory, serviceJobs } from '#application/reactions/jobs.ts';
import { reconcileDirectories } from '#application/reactions/reconcile-directories.ts';
import { relayOutbox } from '#application/reactions/relay-outbox.ts';
import { worker } from '#application/reactions/worker.ts';
import { beginLogin } from '#application/sessions/begin-login.ts';
import { completeLogin } from '#application/sessions/complete-login.ts';
import * as sessions from '#application/sessions/end-sessions.ts';
import { keepSessionAlive } from '#application/sessions/keep-session-alive.ts';
import { refreshOnce } from '#application/sessions/refresh-once.ts';
import { refreshSession } from '#application/sessions/refresh-session.ts';
import { signOut } from '#application/sessions/sign-out.ts';
import { switchOrganization } from '#application/sessions/switch-organization.ts';
import { connectionTests, failLogin, startConnectionTest } from '#application/sso/connection-tests.ts';
import * as sso from '#application/sso/connections.ts';
import { unitOfWork } from '#application/unit-of-work.ts';
import type { UseCases } from '#application/use-cases.ts';
import { T } from '#bootstrap/tokens.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

export const applicationModule = new ContainerModule(({ bind }) => {
  bind(T.activity).toResolvedValue(batchedActivity, [T.store]).inSingletonScope();

  // The unit of work wakes the outbox worker, which itself works in units: the wake-up is looked up when it is needed.
  bind(T.unitOfWork)
    .toDynamicValue((parts) =>
      unitOfWork(
        parts.get(T.store),
        parts.get(T.callerCache),
        () => parts.get(T.outboxWorker).wake(),
        parts.get(T.clock),
        parts.get(T.ids),
      ),
    )
    .inSingletonScope();
  bind(T.outboxWorker)
    .toResolvedValue(
      (store, uow, provider, clock, log) => worker('outbox', relayOutbox(store, uow, provider, clock, log), log),
      [T.store, T.unitOfWork, T.identityProvider, T.clock, T.log],
    )
    .inSingletonScope();
  bind(T.inboxWorker)
    .toResolvedValue(
      (store, uow, deliveries, clock, ids, log, { lanesAtOnce }) =>
        worker('inbox', applyInbox(store, uow, deliveries, clock, ids, log, lanesAtOnce), log),
      [T.store, T.unitOfWork, T.deliveries, T.clock, T.ids, T.log, T.settings],
    )
    .inSingletonScope();
  bind(T.catchUp)
    .toResolvedValue(
      (store, provider, inbox, clock, ids) => catchUpEvents(store, provider, inbox.wake, clock, ids),
      [T.store, T.identityProvider, T.inboxWorker, T.clock, T.ids],
    )
    .inSingletonScope();

  bind(T.jobList)
    .toResolvedValue(
      (store, uow, catchUp, provider, jobs, clock, ids, log) =>
        serviceJobs({
          reconciler: reconcileDirectories(store, uow, provider, clock, ids, log),
          wakeReconciliation: (organization) => jobs.enqueue(reconcileDirectory, { organization }, organization),
          catchUpEvents: catchUp,
          endOverdueSessions: endOverdueSessions(uow, clock),
          expireApiKeys: expireApiKeys(uow, clock),
          forgetOldEvents: forgetOldEvents(store, clock),
          forgetIdempotencyKeys: forgetIdempotencyKeys(store, clock),
        }),
      [T.store, T.unitOfWork, T.catchUp, T.identityProvider, T.jobs, T.clock, T.ids, T.log],
    )
    .inSingletonScope();

  bind(T.useCases)
    .toDynamicValue((parts): UseCases => {
      const settings = parts.get(T.settings);
      const provider = parts.get(T.identityProvider);
      const uow = parts.get(T.unitOfWork);
      const store = parts.get(T.store);
      const readModels = parts.get(T.readModels);
      const standings = parts.get(T.standings);
      const cache = parts.get(T.callerCache);
      const activity = parts.get(T.activity);
      const log = parts.get(T.log);
      const inbox = parts.get(T.inboxWorker);
      const deliveries = parts.get(T.deliveries);
      const [clock, ids, entropy] = [parts.get(T.clock), parts.get(T.ids), parts.get(T.entropy)];
      const [digest, seal, networks] = [parts.get(T.digest), parts.get(T.seal), parts.get(T.networks)];
      const { trustSeconds } = settings;
      const refresh = refreshOnce(provider, cache, digest);
      const jobs = parts.get(T.jobs);
      const wakeReconciliation = (organization: OrganizationId): void => {
        // Begun it is already: should this not work, the next round of the schedule finds it.
        jobs.enqueue(reconcileDirectory, { organization }, organization).catch((fault: unknown) => {
          log.warn('a reconciliation could not be woken; it goes on within a minute', { organization, fault });
        });
      };
      const tests = connectionTests(provider, readModels, uow, clock);
      return {
        beginLogin: beginLogin(provider, readModels, seal, entropy, digest, settings),
        completeLogin: completeLogin({
          provider,
          readModels,
          standings,
          uow,
          seal,
          clock,
          ids,
          entropy,
          digest,
          connectionTests: tests,
        }),
        failLogin: failLogin(tests, uow, seal, clock, digest),
        signOut: signOut(provider, uow, clock, settings),
        refreshSession: refreshSession(provider, refresh, standings, readModels, uow, seal, clock, settings),
        keepSessionAlive: keepSessionAlive(refresh, readModels, cache, seal, clock, log, trustSeconds),
        switchOrganization: switchOrganization(provider, readModels, uow, seal, clock, settings),

        onlyOnce: onlyOnce(store, seal, digest, entropy, clock, log),

        authenticateCaller: authenticateCaller({
          standings,
          provider,
          cache,
          activity,
          uow,
          clock,
          digest,
          networks,
          trustSeconds,
        }),
        whoAmI: whoAmI(readModels, cache, trustSeconds),

        listMySessions: sessions.listMySessions(readModels),
        endMySession: sessions.endMySession(uow, clock),
        listSessions: sessions.listSessions(readModels),
        endSession: sessions.endSession(uow, clock),
        endAllSessions: sessions.endAllSessions(uow, clock),
        endMemberSessions: sessions.endMemberSessions(uow, clock),

        createOrganization: createOrganization(uow, clock, ids),
        listMyOrganizations: listMyOrganizations(readModels),
        getOrganization: getOrganization(readModels),
        transferOwnership: transferOwnership(uow, clock),

        listMembers: members.listMembers(readModels),
        changeRole: members.changeRole(uow, readModels, clock),
        removeMember: members.removeMember(uow, clock),

        invite: invitations.invite(uow, clock, ids),
        listInvitations: invitations.listInvitations(readModels, clock),
        resendInvitation: invitations.resendInvitation(uow, clock),
        revokeInvitation: invitations.revokeInvitation(uow, clock),

        createAgent: agents.createAgent(uow, clock, ids),
        listAgents: agents.listAgents(readModels),
        getAgent: agents.getAgent(readModels),
        issueApiKey: agents.issueApiKey(uow, clock, ids, entropy, digest, networks),
        listApiKeys: agents.listApiKeys(readModels),
        revokeApiKey: agents.revokeApiKey(uow, clock),

        getReconciliation: reconciliation.getReconciliation(store),
        startReconciliation: reconciliation.startReconciliation(provider, uow, wakeReconciliation, ids),
        applyReconciliation: reconciliation.applyReconciliation(provider, uow, wakeReconciliation),
        getDirectory: provisioning.getDirectory(readModels),
        listGroups: provisioning.listGroups(readModels),
        getRoleMappings: provisioning.getRoleMappings(uow),
        setRoleMappings: provisioning.setRoleMappings(uow, clock, ids),
        getProvisioningPolicy: provisioning.getProvisioningPolicy(readModels),
        setProvisioningPolicy: provisioning.setProvisioningPolicy(uow, clock, ids),

        getSso: sso.getSso(provider, readModels),
        createSetupLink: sso.createSetupLink(provider, uow, settings),
        createConnection: sso.createConnection(provider, uow, clock),
        startConnectionTest: startConnectionTest(provider, readModels, uow, seal, clock, entropy, digest, settings),
        removeConnection: sso.removeConnection(provider, uow, clock),

        listEvents: listEvents(readModels),
        replayEvent: replayEvent(uow, inbox.wake),
        receiveDelivery: receiveDelivery(store, deliveries, inbox.wake, clock, ids),

        searchAudit: searchAudit(readModels),
        verifyAudit: verifyAudit(readModels, digest),
        recordRefusal: recordRefusal(uow),
      };
    })
    .inSingletonScope();
});
