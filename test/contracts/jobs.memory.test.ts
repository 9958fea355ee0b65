import { vi } from 'vitest';
import { MemoryJobs } from '#adapters/jobs/memory/memory-jobs.ts';
import { systemClock } from '#adapters/system/system-clock.ts';
import { type JobsKind, jobsContract } from './jobs.contract.ts';

const inMemory: JobsKind = {
  shared: false,
  async open() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    const pass = async (seconds: number): Promise<void> => {
      await vi.advanceTimersByTimeAsync(seconds * 1000);
    };
    return {
      node: (log) => new MemoryJobs({ clock: systemClock, log, lookMilliseconds: 500 }),
      pass,
      async until(holds) {
        for (let tries = 0; !holds(); tries += 1) {
          if (tries === 1000) throw new Error('it never came to be');
          await pass(0.1);
        }
      },
      close: async () => void vi.useRealTimers(),
    };
  },
};

jobsContract('memory', inMemory);
