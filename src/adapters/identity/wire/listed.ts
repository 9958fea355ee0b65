// Records of a directory as the wire lists them: read exactly as in events, so that the same record never looks changed.

import { z } from 'zod';
import { groupOnList, personOnList } from '#adapters/identity/wire/interpret.ts';
import { maybeText, ref } from '#adapters/identity/wire/words.ts';
import type { DirectoryGroupFacts, DirectoryPerson } from '#domain/provisioning/directory-event.ts';
import type { ListedDirectory } from '#domain/provisioning/drift.ts';
import { Refusal } from '#domain/shared/refusal.ts';

/** @throws Refusal `identity.unavailable`: who cannot be read must not look as if they were gone */
const orUnavailable = <T>(read: () => T): T => {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof z.ZodError) throw new Refusal('identity.unavailable');
    throw thrown;
  }
};

/** @param now no record is younger */
export const listedPerson = (json: unknown, now: Date): DirectoryPerson => orUnavailable(() => personOnList(json, now));

export const listedGroup = (json: unknown, now: Date): DirectoryGroupFacts =>
  orUnavailable(() => groupOnList(json, now));

const directory = z.object({ id: ref, name: maybeText, type: maybeText, state: z.string().catch('unknown') });

/** What a connected directory is called: `linked` in lists, `active` in events and in the SDK. */
const connected = new Set(['linked', 'active']);

export const listedDirectory = (json: unknown): ListedDirectory => {
  const { id, name, type, state } = orUnavailable(() => directory.parse(json));
  return { id, name: name ?? id, type: type ?? 'unknown', state: connected.has(state) ? 'connected' : 'unsettled' };
};
