// Secrets for a desk: made once, kept beside the data, so that sessions and keys survive a restart. Production brings its own.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
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

/** @param folder undefined: they end with the process */
const generated = async (folder: string | undefined): Promise<z.infer<typeof shape>> => {
  if (folder === undefined) return make();
  const file = join(folder, 'secrets.json');
  const known = await readFile(file, 'utf8').catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return undefined;
    throw fault;
  });
  if (known !== undefined) {
    const parsed = shape.safeParse(JSON.parse(known));
    if (!parsed.success)
      throw new Error(
        `${file} does not hold our secrets; remove it to make new ones (sessions and keys made with the old ones end)`,
      );
    return parsed.data;
  }
  const fresh = make();
  await mkdir(folder, { recursive: true });
  // `wx`: two processes starting at once must not each believe in secrets of their own.
  await writeFile(file, JSON.stringify(fresh, null, 2), { flag: 'wx', mode: 0o600 });
  await chmod(file, 0o600);
  return fresh;
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
