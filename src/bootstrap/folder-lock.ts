// One process per data folder: the embedded database must not be opened twice.

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const isRunning = (pid: number): boolean => {
  if (pid === process.pid) return false; // a restarted container counts its processes from the start
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Takes the folder for this process. What a killed process left behind is taken over at once.
 * @returns gives it back
 * @throws Error that names the process which has it
 */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'lock');
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, String(process.pid));
  try {
    for (let tries = 0; ; tries += 1) {
      try {
        await link(draft, file);
        return () => rm(file, { force: true });
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 2) throw fault;
      }
      const holder = Number(await readFile(file, 'utf8').catch(() => ''));
      if (isRunning(holder)) {
        throw new Error(
          `The data folder ${folder} is in use by process ${holder}. Stop it, or set DATA_DIR to another folder.`,
        );
      }
      await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
};
