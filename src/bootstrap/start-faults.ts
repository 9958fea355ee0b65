// What went wrong at the start, in words that say what to do. The stack is for faults that nobody foresaw.

import { DatabaseLoginFault } from '#adapters/persistence/postgres/database-logins.ts';
import { ConfigurationFaults } from '#bootstrap/config.ts';
import { FolderTaken } from '#bootstrap/folder-lock.ts';
import { Refusal } from '#domain/shared/refusal.ts';

interface SystemFault {
  readonly code?: string;
  readonly path?: string;
  readonly port?: number;
  readonly address?: string;
}

export const explained = (fault: unknown): string => {
  const isPlain = [ConfigurationFaults, FolderTaken, DatabaseLoginFault].some((kind) => fault instanceof kind);
  if (isPlain) return (fault as Error).message;
  if (fault instanceof Refusal && fault.reason === 'storage.unavailable') {
    return 'The database does not answer, or does not let us in: check DATABASE_URL.';
  }
  if (!(fault instanceof Error)) return `Could not start: ${String(fault)}`;
  const { code, path, port, address } = fault as SystemFault;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another process: stop it, or set PORT to another one.`;
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine: check HOST.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return path
        ? `${path} cannot be written: set DATA_DIR to a folder that this user may write to.`
        : `Port ${port} may not be used by this user: set PORT to one above 1023.`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `${path} is in the way: set DATA_DIR to a folder.`;
    case undefined:
      return `Could not start: ${fault.message}\n${fault.stack ?? ''}`;
    default:
      return `Could not start: ${fault.message}`;
  }
};
