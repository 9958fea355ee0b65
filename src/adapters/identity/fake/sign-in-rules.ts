// Who may sign in, how, and to which organization. Pure: the world and the request go in, a verdict comes out.

import type {
  FakeDirectory,
  FakeDirectoryUser,
  FakeMethod,
  FakeOrganization,
  Person,
  WorldState,
} from '#adapters/identity/fake/world-state.ts';
import { domainOf, type Email } from '#domain/users/email.ts';

export type SignInRefusal =
  | 'not_an_address'
  | 'unknown_person'
  | 'unknown_organization'
  | 'terminated'
  | 'not_a_member'
  | 'sso_required'
  | 'no_sso'
  | 'no_password'
  | 'invitation_not_good'
  | 'invitation_for_somebody_else';

export type Verdict =
  | { readonly may: 'enter'; readonly person: Person | undefined; readonly organization: FakeOrganization | undefined }
  | { readonly may: 'not_enter'; readonly because: SignInRefusal };

type KnownWorld = Pick<WorldState, 'people' | 'organizations' | 'memberships' | 'directories'>;

export const hasSso = (organization: FakeOrganization): boolean => organization.connection?.state === 'active';

/** Every directory record of this person in this organization, deleted ones too. */
export const recordsOf = (
  world: KnownWorld,
  organization: string,
  person: { readonly email: string; readonly subject: string | undefined },
): readonly { readonly directory: FakeDirectory; readonly user: FakeDirectoryUser }[] =>
  world.directories
    .filter((directory) => directory.organization === organization)
    .flatMap((directory) =>
      directory.users
        .filter((user) =>
          person.subject !== undefined && user.subject !== null
            ? user.subject === person.subject
            : user.email === person.email,
        )
        .map((user) => ({ directory, user })),
    );

/** Whether the address is of a domain that this organization has verified. */
export const vouchesFor = (organization: FakeOrganization, email: Email): boolean =>
  organization.domains.some(({ name, state }) => state === 'verified' && name === domainOf(email));

/**
 * Whether the organization may say that this address became that one: only under domains that it has verified. Else one
 * customer's directory could rename a person whom it shares with another customer, and sign in as them.
 */
export const mayReaddress = (organization: FakeOrganization, from: string, to: string): boolean =>
  vouchesFor(organization, from as Email) && vouchesFor(organization, to as Email);

/** The person who signs in with this address: whoever the directory says has it now, before whoever had it when they first came. */
export const personBehind = (world: KnownWorld, email: string): Person | undefined => {
  const readdressed = world.directories.flatMap(({ organization: ref, users }) => {
    const organization = world.organizations.find((one) => one.ref === ref);
    return users
      .filter((user) => user.email === email && user.state === 'active' && user.subject !== null)
      .flatMap((user) => world.people.filter(({ subject }) => subject === user.subject))
      .filter((person) => organization && mayReaddress(organization, person.email, email));
  });
  return readdressed[0] ?? world.people.find((one) => one.email === email);
};

/**
 * Whether the provider counts the person among the organization's: by membership, by an active directory user, or by an
 * address of a verified domain. A person whose every directory record there is inactive or deleted has left.
 */
export const belongs = (
  world: KnownWorld,
  organization: FakeOrganization,
  { email, subject }: { readonly email: Email; readonly subject: string | undefined },
): 'yes' | 'left' | 'no' => {
  const records = recordsOf(world, organization.ref, { email, subject });
  if (records.some(({ user }) => user.state === 'active')) return 'yes';
  if (records.length > 0) return 'left';
  const member = world.memberships.some(
    (membership) => membership.organization === organization.ref && membership.subject === subject,
  );
  return member || vouchesFor(organization, email) ? 'yes' : 'no';
};

/** The organizations to try when none was named: where the person went last, then the home of the address, then the rest. */
const candidates = (world: KnownWorld, email: Email, person: Person | undefined): readonly FakeOrganization[] => {
  const rank = (organization: FakeOrganization): number => {
    if (organization.ref === person?.lastOrganization) return 0;
    return vouchesFor(organization, email) ? 1 : 2;
  };
  return world.organizations
    .filter((organization) => belongs(world, organization, { email, subject: person?.subject }) !== 'no')
    .toSorted((a, b) => rank(a) - rank(b));
};

/** Undefined when they may. */
const obstacle = (
  world: KnownWorld,
  organization: FakeOrganization,
  request: {
    readonly email: Email;
    readonly method: FakeMethod;
    readonly person: Person | undefined;
    readonly invited: boolean;
  },
): SignInRefusal | undefined => {
  const { email, method, person, invited } = request;
  const standing = belongs(world, organization, { email, subject: person?.subject });
  if (standing === 'left' && !(invited && method === 'password')) return 'terminated';
  if (hasSso(organization) && method === 'password') return 'sso_required';
  if (!hasSso(organization) && method === 'sso') return 'no_sso';
  if (standing === 'no' && !invited) return 'not_a_member';
  const inDirectory = recordsOf(world, organization.ref, { email, subject: undefined }).length > 0;
  if (method === 'sso' && !person && !inDirectory && !invited) return 'unknown_person';
  if (method === 'password' && person && !person.password) return 'no_password';
  return undefined;
};

/**
 * A newcomer with an address that nobody governs signs up by password; nobody signs up by single sign-on, since there it is
 * the customer's directory that knows people.
 */
export const judgeSignIn = (
  world: KnownWorld,
  request: {
    readonly email: Email;
    readonly method: FakeMethod;
    readonly organization?: string | undefined;
    /** By the organization that is named, which lets in whom it invited. */
    readonly invited?: boolean | undefined;
  },
): Verdict => {
  const { email, method, invited = false } = request;
  const person = personBehind(world, email);
  if (person?.terminated) return { may: 'not_enter', because: 'terminated' };

  const named = world.organizations.find(({ ref }) => ref === request.organization);
  if (request.organization !== undefined && !named) return { may: 'not_enter', because: 'unknown_organization' };

  const tried = named ? [named] : candidates(world, email, person);
  const obstacles = tried.map((organization) => ({
    organization,
    because: obstacle(world, organization, { email, method, person, invited }),
  }));
  const open = obstacles.find(({ because }) => because === undefined);
  if (open) return { may: 'enter', person, organization: open.organization };
  const [first] = obstacles;
  if (first?.because !== undefined) return { may: 'not_enter', because: first.because };

  if (method === 'sso') return { may: 'not_enter', because: person ? 'no_sso' : 'unknown_person' };
  if (person && !person.password) return { may: 'not_enter', because: 'no_password' };
  return { may: 'enter', person, organization: undefined };
};
