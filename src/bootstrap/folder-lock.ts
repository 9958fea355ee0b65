// One process per data folder: the embedded database must not be opened twice.

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export class FolderTaken extends Error {
  constructor(folder: string, holder: number) {
    super(`${folder} is in use by process ${holder}. Stop it, or set DATA_DIR to another folder.`);
    this.name = 'FolderTaken';
  }
}

/** How long two processes may both believe that they cleared away the lock of a dead one. */
const doubtMilliseconds = 50;

const isRunning = (pid: number): boolean => {
  if (pid === process.pid) return false; // a restarted container counts its processes from the start
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const holderOf = async (file: string): Promise<number | undefined> => {
  const [pid] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
  return pid && /^[1-9]\d*$/.test(pid) ? Number(pid) : undefined;
};

/**
 * Takes the folder for this process. What a killed process left behind is taken over.
 * @returns gives it back
 * @throws FolderTaken when another running process has it
 */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'lock');
  const mark = `${process.pid} ${randomUUID()}`;
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, mark);
  try {
    for (let tries = 0; ; tries += 1) {
      const isTaken = await link(draft, file).then(
        () => false,
        (fault: NodeJS.ErrnoException) => {
          if (fault.code !== 'EEXIST' || tries > 5) throw fault;
          return true;
        },
      );
      if (!isTaken) {
        await wait(doubtMilliseconds);
        if ((await readFile(file, 'utf8').catch(() => '')) === mark) return () => rm(file, { force: true });
      }
      const holder = await holderOf(file);
      if (holder !== undefined && isRunning(holder)) throw new FolderTaken(folder, holder);
      await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
};
