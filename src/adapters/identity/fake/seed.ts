// The people one meets in a demo: a small company with single sign-on and a directory, and a smaller one with neither.

import type { Change } from '#adapters/identity/fake/journal.ts';
import type { FakeWorld } from '#adapters/identity/fake/world.ts';
import type {
  FakeDirectory,
  FakeDirectoryGroup,
  FakeDirectoryUser,
  FakeOrganization,
} from '#adapters/identity/fake/world-state.ts';
import type { AssignableRole, Role } from '#domain/memberships/role.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';

/** The organizations of ours that the seed fills. They are made at the provider if they are not there yet. */
export interface SeedOrganizations {
  readonly acme: OrganizationId;
  readonly globex: OrganizationId;
}

export interface SeededPerson {
  readonly subject: string;
  readonly email: string;
  readonly name: string;
  /** The role that the demo gives them in that organization. */
  readonly role: Role;
  /** Whether the directory speaks for them; the others are let in by hand. */
  readonly inDirectory: boolean;
}

export interface SeededOrganization {
  readonly organization: FakeOrganization;
  readonly people: readonly SeededPerson[];
}

export interface Seeded {
  readonly acme: SeededOrganization & {
    readonly directory: FakeDirectory;
    /** Which group of the directory should confer which role. */
    readonly groups: readonly { readonly group: FakeDirectoryGroup; readonly role: AssignableRole }[];
  };
  readonly globex: SeededOrganization;
}

interface Planned {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly groups?: readonly string[];
}

const groupRoles: readonly { readonly name: string; readonly role: AssignableRole }[] = [
  { name: 'Admins', role: 'admin' },
  { name: 'Engineering', role: 'developer' },
  { name: 'Data', role: 'analyst' },
  { name: 'Security', role: 'auditor' },
];

/** The owner is not in the directory: whatever is done to the directory, somebody is left who can sign in and repair it. */
const acmePeople: readonly Planned[] = [
  { email: 'olivia.owner@acme.test', name: 'Olivia Owner', role: 'owner' },
  { email: 'adam.admin@acme.test', name: 'Adam Admin', role: 'admin', groups: ['Admins', 'Engineering'] },
  { email: 'dora.developer@acme.test', name: 'Dora Developer', role: 'developer', groups: ['Engineering'] },
  { email: 'anna.analyst@acme.test', name: 'Anna Analyst', role: 'analyst', groups: ['Data'] },
  { email: 'aldo.auditor@acme.test', name: 'Aldo Auditor', role: 'auditor', groups: ['Security'] },
  { email: 'sam.service@acme.test', name: 'Sam Service', role: 'service_account' },
  { email: 'carla@consult.test', name: 'Carla Consultant', role: 'analyst', groups: ['Data'] },
];

const globexPeople: readonly Planned[] = [
  { email: 'gus.owner@globex.test', name: 'Gus Owner', role: 'owner' },
  { email: 'carla@consult.test', name: 'Carla Consultant', role: 'developer' },
];

/** People whom the world knew before are left as they are, wherever they have been admitted or dismissed since. */
const seedPeople = async (
  world: FakeWorld,
  organization: FakeOrganization,
  people: readonly Planned[],
  known: ReadonlySet<string>,
): Promise<readonly SeededPerson[]> => {
  const seeded: SeededPerson[] = [];
  for (const { email, name, role, groups } of people) {
    const person = await world.people.add({ email, name });
    if (!known.has(email)) await world.organizations.admit(person.subject, organization.ref);
    seeded.push({ subject: person.subject, email, name, role, inDirectory: groups !== undefined });
  }
  return seeded;
};

/** An organization that is already there keeps its name and domains. */
const seedOrganization = async (
  world: FakeWorld,
  externalId: OrganizationId,
  name: string,
  domain: string,
): Promise<FakeOrganization> =>
  world.organizations.byExternalId(externalId) ??
  (await world.organizations.ensure({ externalId, name, domains: [domain] }));

const now = async <T>(change: Promise<Change<T>>): Promise<T> => (await change).now;

/** Only a new directory is filled: what was done to an older one by hand stays as it is. */
const seedDirectory = async (world: FakeWorld, organization: FakeOrganization): Promise<FakeDirectory> => {
  const known = world.directories.all().find((directory) => directory.organization === organization.ref);
  if (known) return known;
  const directory = await now(
    world.directories.connect(organization.ref, { name: 'Acme Okta', type: 'okta scim v2.0', inactiveUsers: 'kept' }),
  );
  for (const { name } of groupRoles) await world.directories.createGroup(directory.id, { name });
  for (const { email, name, groups } of acmePeople) {
    if (groups) await now<FakeDirectoryUser>(world.directories.hire(directory.id, { email, name, groups }));
  }
  return directory;
};

/**
 * Fills the world with the demo's people. Seeding twice changes nothing and says nothing. What it says goes wherever the world
 * delivers to at the time.
 */
export const seedDemo = async (world: FakeWorld, ours: SeedOrganizations): Promise<Seeded> => {
  const known = new Set(world.people.all().map(({ email }) => email));
  const acme = await seedOrganization(world, ours.acme, 'Acme', 'acme.test');
  const globex = await seedOrganization(world, ours.globex, 'Globex', 'globex.test');
  if (!acme.connection) await world.organizations.setSso(acme.ref, true);

  const people = await seedPeople(world, acme, acmePeople, known);
  const directory = await seedDirectory(world, acme);
  const groups = groupRoles.flatMap(({ name, role }) => {
    const group = directory.groups.find((one) => one.name === name);
    return group ? [{ group, role }] : [];
  });
  return {
    acme: { organization: acme, people, directory, groups },
    globex: { organization: globex, people: await seedPeople(world, globex, globexPeople, known) },
  };
};
