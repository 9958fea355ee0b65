// Secrets for a desk: made once, kept beside the data, so that sessions and keys survive a restart. Production brings its own.

import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export interface Secrets {
  readonly session: readonly [string, ...string[]];
  readonly pepper: readonly [string, ...string[]];
}

const shape = z.object({ session: z.string().min(32), pepper: z.string().min(32) });

const make = (): z.infer<typeof shape> => ({
  session: randomBytes(32).toString('base64url'),
  pepper: randomBytes(32).toString('base64url'),
});

/** Undefined when there is no such file. */
const stored = async (file: string): Promise<z.infer<typeof shape> | undefined> => {
  const text = await readFile(file, 'utf8').catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return undefined;
    throw fault;
  });
  if (text === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    const advice = 'remove it to make new ones (sessions and keys made with the old ones end)';
    throw new Error(`${file} does not hold our secrets; ${advice}`, { cause });
  }
};

/** @param folder undefined: they end with the process */
const generated = async (folder: string | undefined): Promise<z.infer<typeof shape>> => {
  if (folder === undefined) return make();
  const file = join(folder, 'secrets.json');
  const known = await stored(file);
  if (known) return known;
  const fresh = make();
  await mkdir(folder, { recursive: true });
  try {
    // `link` fails where there is a file already: of two processes that start together, one makes the secrets for both.
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(fresh, null, 2), { mode: 0o600 });
    await link(draft, file).finally(() => rm(draft));
    return fresh;
  } catch (fault) {
    const others = (fault as NodeJS.ErrnoException).code === 'EEXIST' ? await stored(file) : undefined;
    if (!others) throw fault;
    return others;
  }
};

export const secretsFor = async (
  configured: { readonly sessionSecrets: readonly string[]; readonly apiKeyPeppers: readonly string[] },
  folder: string | undefined,
): Promise<Secrets> => {
  const [session, ...olderSessions] = configured.sessionSecrets;
  const [pepper, ...olderPeppers] = configured.apiKeyPeppers;
  const own = session === undefined || pepper === undefined ? await generated(folder) : undefined;
  return {
    session: [session ?? own?.session ?? '', ...olderSessions],
    pepper: [pepper ?? own?.pepper ?? '', ...olderPeppers],
  };
};
