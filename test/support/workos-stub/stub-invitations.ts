// The stub's invitations: mails that nobody reads but a test, and what taking one up does. Its errors are those of WorkOS' OpenAPI document.

import { invitation as invitationWire } from '../workos-payloads.ts';
import { newId, notFound, ok, pageOf, type StubAnswer, StubError, type StubRequest, text } from './stub-answers.ts';
import type { StubOrganizations, StubUser } from './stub-organizations.ts';

export interface StubInvitation {
  readonly id: string;
  readonly email: string;
  readonly organization: string;
  readonly inviter: string | null;
  /** What the link in the mail carries. */
  readonly token: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  state: 'pending' | 'accepted' | 'revoked';
  changedAt: Date;
  acceptedBy: string | null;
}

export interface StubInvitationsOptions {
  readonly now: () => Date;
  readonly organizations: StubOrganizations;
  readonly onEvent: (name: string, data: unknown) => void;
}

const day = 24 * 3600 * 1000;
const refused = (code: string): StubError => new StubError(400, { code, message: 'Request could not be processed.' });

export class StubInvitations {
  readonly invitations: StubInvitation[] = [];
  readonly #options: StubInvitationsOptions;

  constructor(options: StubInvitationsOptions) {
    this.#options = options;
  }

  stateOf({ state, expiresAt }: StubInvitation): StubInvitation['state'] | 'expired' {
    return state === 'pending' && this.#options.now() >= expiresAt ? 'expired' : state;
  }

  behind(token: string | null | undefined): StubInvitation | undefined {
    return this.invitations.find((one) => one.token === token);
  }

  /** An invitation that somebody sends from the dashboard, or that the API is asked for. */
  send(facts: Pick<StubInvitation, 'email' | 'organization' | 'inviter'>, days: number): StubInvitation {
    const { now, organizations, onEvent } = this.#options;
    const token = newId('token');
    const at = now();
    const expiresAt = new Date(at.getTime() + days * day);
    const invitation: StubInvitation = {
      id: newId('invitation'),
      ...facts,
      token,
      createdAt: at,
      expiresAt,
      state: 'pending',
      changedAt: at,
      acceptedBy: null,
    };
    this.invitations.push(invitation);
    const user = this.#userNamed(facts.email);
    if (user) organizations.addMembership(facts.organization, user.id, { status: 'pending' });
    onEvent('invitation.created', this.#told(invitation));
    return invitation;
  }

  /** Undefined when the request is about something else. */
  handle(request: StubRequest): StubAnswer | undefined {
    const { method, path, query } = request;
    if (method === 'GET' && path === '/user_management/users') {
      const { organizations } = this.#options;
      const found = organizations.users.filter(({ email }) => email === (query.get('email') ?? email));
      return pageOf(found, query, (user) => organizations.userWire(user));
    }
    if (path === '/user_management/invitations') return method === 'GET' ? this.#list(query) : this.#invite(request);
    const [, id, verb] = /^\/user_management\/invitations\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    if (method === 'POST' && id && verb === 'revoke') return this.#revoke(id);
    return undefined;
  }

  /** Whoever follows the link without an account gets one: they read the mailbox, so the address is theirs. */
  signUp(token: string | null, email: string | null): StubUser | undefined {
    const invitation = this.behind(token);
    if (invitation?.email !== email || email === null) return undefined;
    const user = this.#options.organizations.addUser({ email });
    this.#options.onEvent('user.created', this.#options.organizations.userWire(user));
    return user;
  }

  /** The sign-in takes the invitation up. */
  accept(token: string, user: StubUser): void {
    const invitation = this.behind(token);
    if (invitation?.acceptedBy === user.id) return;
    if (!invitation || this.stateOf(invitation) !== 'pending') {
      throw new StubError(400, { error: 'invitation_invalid', error_description: 'The invitation is not good.' });
    }
    if (invitation.email !== user.email) {
      const error = 'invitation_cannot_be_used_for_email';
      throw new StubError(400, { error, error_description: 'It is for another address.' });
    }
    const { organizations, onEvent, now } = this.#options;
    Object.assign(invitation, { state: 'accepted', acceptedBy: user.id, changedAt: now() });
    const standing = organizations.memberships.find(
      (one) => one.organization === invitation.organization && one.user === user.id,
    );
    if (standing) standing.status = 'active';
    const membership = standing ?? organizations.addMembership(invitation.organization, user.id);
    onEvent('invitation.accepted', this.#told(invitation));
    onEvent(`organization_membership.${standing ? 'updated' : 'created'}`, organizations.membershipWire(membership));
  }

  #userNamed(email: string): StubUser | undefined {
    return this.#options.organizations.users.find((user) => user.email === email);
  }

  #pendingTo(organization: string, email: string): StubInvitation | undefined {
    return this.invitations.find(
      (one) => one.organization === organization && one.email === email && this.stateOf(one) === 'pending',
    );
  }

  #invite({ body }: StubRequest): StubAnswer {
    const { organizations } = this.#options;
    const [organization, email] = [text(body['organization_id']), text(body['email']).toLowerCase()];
    const inviter = text(body['inviter_user_id']) || null;
    if (!organizations.organizations.some(({ id }) => id === organization)) throw notFound('Organization');
    if (inviter !== null && !organizations.users.some(({ id }) => id === inviter)) throw notFound('User');
    const user = this.#userNamed(email);
    const standing = organizations.memberships.find(
      (one) => one.organization === organization && one.user === user?.id && one.status !== 'pending',
    );
    if (standing) throw refused('user_already_organization_member');
    if (this.#pendingTo(organization, email)) throw refused('email_already_invited_to_organization');
    const invitation = this.send({ organization, email, inviter }, Number(body['expires_in_days'] ?? 7));
    return ok(this.#wireOf(invitation), 201);
  }

  #list(query: URLSearchParams): StubAnswer {
    const found = this.invitations.filter(
      ({ organization, email }) =>
        organization === (query.get('organization_id') ?? organization) && email === (query.get('email') ?? email),
    );
    const inOrder = query.get('order') === 'asc' ? found : found.toReversed();
    return pageOf(inOrder, query, (invitation) => this.#wireOf(invitation));
  }

  #revoke(id: string): StubAnswer {
    const invitation = this.invitations.find((one) => one.id === id);
    if (!invitation) throw notFound('Invitation');
    if (this.stateOf(invitation) !== 'pending') throw refused('invite_not_pending');
    this.revoke(invitation);
    return ok(this.#wireOf(invitation));
  }

  /** From the dashboard, or by the API: who was invited is expected no more. */
  revoke(invitation: StubInvitation): void {
    const { organizations, onEvent, now } = this.#options;
    Object.assign(invitation, { state: 'revoked', changedAt: now() });
    const user = this.#userNamed(invitation.email);
    organizations.memberships = organizations.memberships.filter(
      (one) => one.organization !== invitation.organization || one.user !== user?.id || one.status !== 'pending',
    );
    onEvent('invitation.revoked', this.#told(invitation));
  }

  /** An event tells neither token nor link. */
  #told(invitation: StubInvitation) {
    const changed = invitation.changedAt.toISOString();
    const state = this.stateOf(invitation);
    return invitationWire({
      id: invitation.id,
      email: invitation.email,
      state,
      accepted_at: state === 'accepted' ? changed : null,
      revoked_at: state === 'revoked' ? changed : null,
      expires_at: invitation.expiresAt.toISOString(),
      organization_id: invitation.organization,
      inviter_user_id: invitation.inviter,
      accepted_user_id: invitation.acceptedBy,
      created_at: invitation.createdAt.toISOString(),
      updated_at: changed,
    });
  }

  #wireOf(invitation: StubInvitation) {
    const accept = `https://app.example.com/auth/start?invitation_token=${invitation.token}`;
    return { ...this.#told(invitation), token: invitation.token, accept_invitation_url: accept };
  }
}
