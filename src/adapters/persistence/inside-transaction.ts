// Notices when work inside a transaction starts another one or asks a read model: that would wait for itself, or read past its own changes.

import { AsyncLocalStorage } from 'node:async_hooks';

interface Mark {
  open: boolean;
}

const current = new AsyncLocalStorage<Mark>();

/** @throws Error (a fault of the caller) when called from inside a transaction that is still open */
export const refuseInsideTransaction = (what: string): void => {
  if (current.getStore()?.open) throw new Error(`${what} from inside a transaction: use the repositories it was given`);
};

/** Runs one transaction; until it ends, `refuseInsideTransaction` refuses in everything it calls. */
export const insideTransaction = async <T>(work: () => Promise<T>): Promise<T> => {
  const mark: Mark = { open: true };
  try {
    return await current.run(mark, work);
  } finally {
    mark.open = false;
  }
};

/** The same questions, refused from inside a transaction. */
export const outsideTransactionsOnly = <Q extends object>(questions: Q): Q =>
  new Proxy(questions, {
    get(target, name, receiver) {
      refuseInsideTransaction('A read model was asked');
      return Reflect.get(target, name, receiver);
    },
  });
