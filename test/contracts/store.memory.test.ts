import { memoryReadModels } from '#adapters/persistence/memory/memory-read-models.ts';
import { MemoryStore } from '#adapters/persistence/memory/memory-store.ts';
import { readModelsContract } from './read-models.contract.ts';
import { reconciliationsContract } from './reconciliations.contract.ts';
import { storeContract } from './store.contract.ts';
import type { StoreKind } from './store-words.ts';

const inMemory: StoreKind = {
  async open(ids) {
    const store = new MemoryStore(ids);
    return { store, readModels: memoryReadModels(store), close: async () => {} };
  },
  parallel: true,
  keeps: false,
};

storeContract('the memory store', inMemory);
readModelsContract('the memory store', inMemory);
reconciliationsContract('the memory store', inMemory);
