// What an event of the wire means to us. Pure and total: what we do not follow or cannot read becomes "nothing", with the reason.
//
// The wire is WorkOS' (its docs, Events); our own fake provider speaks it too. Missing facts are read so
// that nobody gains by them: no state is not `active`, no status is no membership, an unknown word verifies nothing.

import { z } from 'zod';
import {
  isRecord,
  maybeForeignId,
  maybeMoment,
  maybeRef,
  maybeText,
  moment,
  ref,
  yes,
} from '#adapters/identity/wire/words.ts';
import type { ProviderEvent } from '#application/provisioning/provider-event.ts';
import type { DirectoryEvent, DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import { earlier } from '#domain/shared/time.ts';

/** The part of the envelope that meaning depends on. */
const spoken = z.object({ id: ref, event: ref, created_at: moment, data: z.unknown().optional() });

interface Said {
  readonly id: string;
  readonly at: Date;
}

const neverSaidWhen = new Date(0);

/** When the record last changed: as it says itself, but not after the event that carries it. */
const changed = (
  record: { updated_at?: Date | undefined; created_at?: Date | undefined },
  { at }: Said,
  otherwise: Date,
): Date => earlier(record.updated_at ?? record.created_at ?? otherwise, at);

const times = { updated_at: maybeMoment, created_at: maybeMoment };

const personName = z
  .object({ name: maybeText, first_name: maybeText, last_name: maybeText })
  .transform(
    ({ name, first_name, last_name }) =>
      name ?? ([first_name, last_name].filter((part) => part !== null).join(' ') || null),
  );

const nameOf = (record: unknown): string | null => personName.safeParse(record).data ?? null;

const address = z.object({ primary: yes, value: maybeText });

const primaryAddress = (emails: readonly unknown[]): string | null =>
  emails.map((entry) => address.safeParse(entry).data).find((entry) => entry?.primary && entry.value)?.value ?? null;

const directoryUser = z
  .looseObject({
    id: ref,
    idp_id: maybeForeignId,
    email: maybeText,
    emails: z.array(z.unknown()).catch([]),
    state: z.string().min(1).catch('unknown'),
    ...times,
  })
  .transform((user) => ({ ...user, email: user.email ?? primaryAddress(user.emails), name: nameOf(user) }));

const directoryGroup = z.looseObject({ id: ref, name: maybeText, ...times });

const inDirectory = z.object({ directory_id: ref, organization_id: maybeRef });

const personFrom = (user: z.infer<typeof directoryUser>, said: Said, otherwise: Date): DirectoryPerson => ({
  id: user.id,
  idpId: user.idp_id,
  email: user.email,
  name: user.name,
  state: user.state,
  updatedAt: changed(user, said, otherwise),
});

const groupFrom = (group: z.infer<typeof directoryGroup>, said: Said, otherwise: Date): DirectoryGroupFacts => ({
  id: group.id,
  name: group.name ?? group.id,
  updatedAt: changed(group, said, otherwise),
});

/** A person and a group as lists have them: read as in an event about them. Throws ZodError for what cannot be read. */
export const personOnList = (json: unknown, now: Date): DirectoryPerson =>
  personFrom(directoryUser.parse(json), { id: '', at: now }, now);
export const groupOnList = (json: unknown, now: Date): DirectoryGroupFacts =>
  groupFrom(directoryGroup.parse(json), { id: '', at: now }, now);

const directorySays = (organization: string | null, event: DirectoryEvent): ProviderEvent => ({
  about: 'directory',
  organization,
  event,
});

/** Throws ZodError for a shape that cannot be read; `interpret` catches it. */
type Reader = (data: unknown, said: Said) => ProviderEvent;

const directoryConnected: Reader = (data, { id, at }) => {
  const directory = z.object({ id: ref, organization_id: maybeRef, name: maybeText, type: maybeText }).parse(data);
  return directorySays(directory.organization_id, {
    kind: 'directory.connected',
    id,
    at,
    directoryId: directory.id,
    name: directory.name ?? directory.id,
    type: directory.type ?? 'unknown',
  });
};

const directoryDisconnected: Reader = (data, { id, at }) => {
  const directory = z.object({ id: ref, organization_id: maybeRef }).parse(data);
  return directorySays(directory.organization_id, {
    kind: 'directory.disconnected',
    id,
    at,
    directoryId: directory.id,
  });
};

const aboutDirectoryUser =
  (kind: 'user.created' | 'user.updated' | 'user.deleted'): Reader =>
  (data, said) => {
    const { directory_id, organization_id } = inDirectory.parse(data);
    const user = personFrom(directoryUser.parse(data), said, said.at);
    return directorySays(organization_id, { kind, ...said, directoryId: directory_id, user });
  };

const aboutDirectoryGroup =
  (kind: 'group.created' | 'group.updated' | 'group.deleted'): Reader =>
  (data, said) => {
    const { directory_id, organization_id } = inDirectory.parse(data);
    const group = groupFrom(directoryGroup.parse(data), said, said.at);
    return directorySays(organization_id, { kind, ...said, directoryId: directory_id, group });
  };

const link = z.object({ user: directoryUser, group: directoryGroup });

const place = z.object({ directory_id: maybeRef, organization_id: maybeRef }).catch({
  directory_id: null,
  organization_id: null,
});

/** Where it happened: the event says so, or else the records that it quotes. */
const placeOf = (data: unknown): { directoryId: string; organization: string | null } => {
  const quoted = isRecord(data) ? [data['group'], data['user']] : [];
  const places = [data, ...quoted].map((record) => place.parse(record));
  const found = { directory_id: places.find(({ directory_id }) => directory_id !== null)?.directory_id };
  return {
    directoryId: z.object({ directory_id: ref }).parse(found).directory_id,
    organization: places.find(({ organization_id }) => organization_id !== null)?.organization_id ?? null,
  };
};

/**
 * The person and the group are only quoted here. A quoted record that does not say when it changed counts as older than
 * anything: news of its own must not lose to it.
 */
const aboutGroupMember =
  (kind: 'group.member_added' | 'group.member_removed'): Reader =>
  (data, said) => {
    const { user, group } = link.parse(data);
    const { directoryId, organization } = placeOf(data);
    return directorySays(organization, {
      kind,
      ...said,
      directoryId,
      user: personFrom(user, said, neverSaidWhen),
      group: groupFrom(group, said, neverSaidWhen),
    });
  };

/** Who was deleted matters more than how they are reached, so a deletion is read even without an address. */
const aboutUser =
  (what: 'created' | 'updated' | 'deleted'): Reader =>
  (data, { at }) => {
    const email = what === 'deleted' ? z.string().catch('') : z.string().min(1);
    const user = z.looseObject({ id: ref, email, email_verified: yes }).parse(data);
    return {
      about: 'user',
      what,
      subject: user.id,
      email: user.email,
      emailVerified: user.email_verified,
      name: nameOf(user),
      at,
    };
  };

const claimState = z.enum(['pending', 'verified', 'failed']).catch('pending');

const claim = z.object({ domain: z.string().min(1), state: claimState });

const aboutOrganization =
  (what: 'created' | 'updated' | 'deleted'): Reader =>
  (data, { at }) => {
    const organization = z
      .object({
        id: ref,
        name: maybeText,
        external_id: maybeForeignId,
        domains: z.array(z.unknown()).catch([]),
      })
      .parse(data);
    return {
      about: 'organization',
      what,
      organization: organization.id,
      name: organization.name ?? organization.id,
      externalId: organization.external_id,
      domains: organization.domains
        .map((entry) => claim.safeParse(entry).data)
        .filter((entry) => entry !== undefined)
        .map(({ domain, state }) => ({ name: domain, state })),
      at,
    };
  };

const aboutDomain =
  (state?: 'verified' | 'failed' | 'deleted'): Reader =>
  (data, { at }) => {
    const wrapped = isRecord(data) && isRecord(data['organization_domain']) ? data['organization_domain'] : data;
    const domain = z.object({ organization_id: ref, ...claim.shape }).parse(wrapped);
    return {
      about: 'domain',
      organization: domain.organization_id,
      name: domain.domain,
      state: state ?? domain.state,
      at,
    };
  };

const membershipStatus = (status: unknown): 'active' | 'pending' | 'ended' =>
  status === 'active' || status === 'pending' ? status : 'ended';

const aboutMembership =
  (deleted: boolean): Reader =>
  (data, { at }) => {
    const membership = z
      .object({
        user_id: ref,
        organization_id: ref,
        status: z.unknown().optional(),
        role: z.object({ slug: maybeText }).nullable().catch(null),
        directory_managed: yes,
      })
      .parse(data);
    return {
      about: 'membership',
      organization: membership.organization_id,
      subject: membership.user_id,
      status: deleted ? 'ended' : membershipStatus(membership.status),
      role: membership.role?.slug ?? null,
      directoryManaged: membership.directory_managed,
      at,
    };
  };

const aboutInvitation =
  (what: 'sent' | 'accepted' | 'revoked'): Reader =>
  (data, { at }) => {
    const invitation = z
      .object({ id: ref, organization_id: maybeRef, email: z.string().min(1), accepted_user_id: maybeRef })
      .parse(data);
    return {
      about: 'invitation',
      what,
      id: invitation.id,
      organization: invitation.organization_id,
      email: invitation.email,
      acceptedBy: invitation.accepted_user_id,
      at,
    };
  };

const sessionEnded: Reader = (data, { at }) => {
  const session = z.object({ id: ref }).parse(data);
  return { about: 'session', what: 'ended', providerSession: session.id, at };
};

const aboutConnection =
  (state: 'active' | 'inactive' | 'deleted'): Reader =>
  (data, { at }) => {
    const connection = z
      .object({ id: ref, organization_id: ref, name: maybeText, connection_type: maybeText })
      .parse(data);
    return {
      about: 'connection',
      organization: connection.organization_id,
      id: connection.id,
      name: connection.name ?? connection.id,
      type: connection.connection_type ?? 'unknown',
      state,
      at,
    };
  };

/** Without a kind there is one certificate: the one that every SAML connection has, with which answers are signed. */
const usualCertificate = 'ResponseSigning';

const aboutCertificate =
  (what: 'expiring' | 'renewed'): Reader =>
  (data, { at }) => {
    const { connection, certificate } = z
      .object({
        connection: z.object({ id: ref, organization_id: ref }),
        certificate: z
          .object({ certificate_type: maybeText, expiry_date: maybeMoment })
          .catch({ certificate_type: null, expiry_date: undefined }),
      })
      .parse(data);
    return {
      about: 'connection',
      organization: connection.organization_id,
      id: connection.id,
      certificate: {
        what,
        kind: certificate.certificate_type ?? usualCertificate,
        expiresAt: certificate.expiry_date ?? null,
      },
      at,
    };
  };

/** A map, not an object: the name is the sender's, and an object would also answer to `constructor`. */
const readers: ReadonlyMap<string, Reader> = new Map([
  ['dsync.activated', directoryConnected],
  ['dsync.deleted', directoryDisconnected],
  ['dsync.user.created', aboutDirectoryUser('user.created')],
  ['dsync.user.updated', aboutDirectoryUser('user.updated')],
  ['dsync.user.deleted', aboutDirectoryUser('user.deleted')],
  ['dsync.group.created', aboutDirectoryGroup('group.created')],
  ['dsync.group.updated', aboutDirectoryGroup('group.updated')],
  ['dsync.group.deleted', aboutDirectoryGroup('group.deleted')],
  ['dsync.group.user_added', aboutGroupMember('group.member_added')],
  ['dsync.group.user_removed', aboutGroupMember('group.member_removed')],
  ['user.created', aboutUser('created')],
  ['user.updated', aboutUser('updated')],
  ['user.deleted', aboutUser('deleted')],
  ['organization.created', aboutOrganization('created')],
  ['organization.updated', aboutOrganization('updated')],
  ['organization.deleted', aboutOrganization('deleted')],
  ['organization_domain.created', aboutDomain()],
  ['organization_domain.updated', aboutDomain()],
  ['organization_domain.verified', aboutDomain('verified')],
  ['organization_domain.verification_failed', aboutDomain('failed')],
  ['organization_domain.deleted', aboutDomain('deleted')],
  ['organization_membership.created', aboutMembership(false)],
  ['organization_membership.updated', aboutMembership(false)],
  ['organization_membership.deleted', aboutMembership(true)],
  ['invitation.created', aboutInvitation('sent')],
  ['invitation.resent', aboutInvitation('sent')],
  ['invitation.accepted', aboutInvitation('accepted')],
  ['invitation.revoked', aboutInvitation('revoked')],
  ['session.revoked', sessionEnded],
  ['connection.activated', aboutConnection('active')],
  ['connection.deactivated', aboutConnection('inactive')],
  ['connection.deleted', aboutConnection('deleted')],
  ['connection.saml_certificate_renewal_required', aboutCertificate('expiring')],
  ['connection.saml_certificate_renewed', aboutCertificate('renewed')],
]);

/** The names with consequences; everything else is stored and left alone. */
export const followed: readonly string[] = [...readers.keys()];

const unreadable = (name: string, error: z.ZodError): ProviderEvent => {
  const fields = new Set(error.issues.map(({ path }) => path.join('.') || 'all of it'));
  return { about: 'nothing', because: `unreadable: ${[name, ...fields].join(' ')}` };
};

/**
 * Reads a stored payload: the whole event as it was heard. The reason in `nothing` names fields, never their content.
 * Never throws.
 */
export const interpret = (payload: Readonly<Record<string, unknown>>): ProviderEvent => {
  const event = spoken.safeParse(payload);
  if (!event.success) return unreadable('event', event.error);
  const { id, event: name, created_at: at, data } = event.data;
  const read = readers.get(name);
  if (!read) return { about: 'nothing', because: `not followed: ${name}` };
  try {
    return read(data, { id, at });
  } catch (thrown) {
    if (thrown instanceof z.ZodError) return unreadable(name, thrown);
    throw thrown;
  }
};
