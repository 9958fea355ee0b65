// What WorkOS lists of an organization's directories, a page at a time and never faster than WorkOS allows.

import { z } from 'zod';
import { listedDirectory, listedGroup, listedPerson } from '#adapters/identity/wire/listed.ts';
import { whenNo } from '#adapters/identity/workos/failures.ts';
import type { Pace } from '#adapters/identity/workos/pace.ts';
import type { Lane } from '#adapters/identity/workos/transport.ts';
import type { DirectoryReader, ListedPage } from '#application/ports/directory-reader.ts';
import type { Clock } from '#application/ports/system.ts';
import type { ListedDirectory } from '#domain/provisioning/drift.ts';
import { Refusal } from '#domain/shared/refusal.ts';
import { secondsAfter } from '#domain/shared/time.ts';

export interface DirectoryReaderParts {
  /** Nobody waits for it. */
  readonly lane: Lane;
  readonly pace: Pace;
  readonly clock: Clock;
}

/** The most that WorkOS gives at once. */
const pageSize = 100;
/** Our clock and WorkOS' may differ, and its lists may trail its events, by so much together: what was said since then stays. */
const lagSeconds = 300;
/** More directories than any organization has; a list that does not end must not keep us for ever. */
const mostPages = 20;

const list = z.object({
  data: z.array(z.unknown()),
  list_metadata: z.object({ after: z.string().min(1).nullish() }),
});

/** The directory went away under our eyes: what it listed until then proves nothing. */
const gone = (): never => {
  throw new Refusal('identity.unavailable');
};

/**
 * The lists are read as they stand on the wire, since the SDK's own reading drops the fields `name` and `emails` that events
 * carry. A person's groups are read group by group: the `groups` of a listed user are empty in newer environments of WorkOS, and
 * asking for each person's would take a call for everybody.
 */
export const workosDirectoryReader = ({ lane, pace, clock }: DirectoryReaderParts): DirectoryReader => {
  /** @param about whose pace it goes at */
  const read = async <T>(
    about: string,
    path: string,
    query: Readonly<Record<string, string>>,
    from: string | null,
    readOne: (json: unknown, now: Date) => T,
  ): Promise<ListedPage<T>> => {
    await pace.turn(about);
    const asked = { ...query, limit: pageSize, order: 'asc', ...(from !== null && { after: from }) };
    // Not tried again by the SDK: its attempts would not keep the pace. Whoever reads goes on from the last page.
    const { data } = await lane
      .ask('list a directory', (workos) => workos.get<unknown>(path, { query: asked, maxRetries: 0 }))
      .catch(whenNo<never>({ not_found: gone, invalid: gone, forbidden: gone }));
    const page = list.safeParse(data);
    if (!page.success) throw new Refusal('identity.unavailable');
    const next = page.data.list_metadata.after ?? null;
    // A cursor that does not move would have us read the same page for ever.
    if (next !== null && next === from) throw new Refusal('identity.unavailable');
    const now = clock.now();
    return { items: page.data.data.map((json) => readOne(json, now)), next };
  };

  return {
    async directories(organization) {
      const asOf = secondsAfter(clock.now(), -lagSeconds);
      const directories: ListedDirectory[] = [];
      let from: string | null = null;
      for (let pages = 0; pages === 0 || from !== null; pages += 1) {
        if (pages >= mostPages) throw new Refusal('identity.unavailable');
        const query = { organization_id: organization };
        const page: ListedPage<ListedDirectory> = await read(
          organization,
          '/directories',
          query,
          from,
          listedDirectory,
        );
        directories.push(...page.items);
        from = page.next;
      }
      return { asOf, directories };
    },
    groups: (directory, from) => read(directory, '/directory_groups', { directory }, from, listedGroup),
    users: (directory, from) => read(directory, '/directory_users', { directory }, from, listedPerson),
    members: ({ directory, group }, from) => read(directory, '/directory_users', { group }, from, listedPerson),
  };
};
