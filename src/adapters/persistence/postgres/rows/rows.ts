// All rows that MikroORM is told about.

import { AgentRow } from './agent.row.ts';
import { ApiKeyRow } from './api-key.row.ts';
import { AuditEntryRow } from './audit.row.ts';
import { DirectoryGroupRow, DirectoryRow, DirectoryUserRow, GroupLinkRow } from './directory.row.ts';
import { IdempotencyKeyRow } from './idempotency-key.row.ts';
import { FeedCursorRow, InboxRow } from './inbox.row.ts';
import { InvitationRow } from './invitation.row.ts';
import { MembershipRow } from './membership.row.ts';
import { OrganizationRow, VerifiedDomainRow } from './organization.row.ts';
import { OutboxRow } from './outbox.row.ts';
import { ReconciliationItemRow, ReconciliationRow } from './reconciliation.row.ts';
import { SessionRow } from './session.row.ts';
import { ConnectionRow, RoleMappingsRow } from './settings.row.ts';
import { UserIdentityRow, UserRow } from './user.row.ts';

export const rows = [
  OrganizationRow,
  VerifiedDomainRow,
  UserRow,
  UserIdentityRow,
  MembershipRow,
  InvitationRow,
  SessionRow,
  AgentRow,
  ApiKeyRow,
  DirectoryRow,
  DirectoryUserRow,
  DirectoryGroupRow,
  GroupLinkRow,
  ReconciliationRow,
  ReconciliationItemRow,
  RoleMappingsRow,
  ConnectionRow,
  InboxRow,
  FeedCursorRow,
  OutboxRow,
  AuditEntryRow,
  IdempotencyKeyRow,
];
