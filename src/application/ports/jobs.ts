// Work behind the requests: on a schedule or on demand, kept until it is done, and each run on one node at a time.

/** What is handed over with an enqueued job. It is kept in the database: no secrets, ids rather than copies. */
export type JobData = Readonly<Record<string, string | number | boolean | null>>;

/** One run of a job. A run that fails or is lost with its process is tried again, so each step must be harmless to repeat. */
export interface JobRun {
  /** What it was enqueued with; empty for a run by schedule. */
  readonly data: JobData;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborted when the process stops or the time is up: finish the step in hand, and return. Such a run counts as failed. */
  readonly signal: AbortSignal;
}

export interface Job {
  /** Lower case, words joined by dashes; unique. */
  readonly name: string;
  /**
   * With it, the job runs once in each period of this many seconds, however many nodes there are. Periods are counted from
   * 1970 by the clock of the database; a start in the middle of one runs what nobody ran in it. Missed periods are not made up.
   */
  readonly everySeconds?: number;
  /** A run that takes longer counts as lost and is tried again; from 1. */
  readonly timeoutSeconds: number;
  /** How often a run that failed is tried again, at growing distances; after that it is logged as an error. */
  readonly retries: number;
  run(run: JobRun): Promise<void>;
}

/** The side that asks for work. Any node may, also one that does none itself. */
export interface Jobs {
  /**
   * Keeps a run of the job for whoever is free first. Runs of a job take turns: never two of the same job and key at once.
   * @param key runs of one key that have not begun are one run: the second is not kept
   * @returns false when such a run was waiting already
   * @throws Refusal `storage.unavailable`
   */
  enqueue(job: string, data: JobData, key?: string): Promise<boolean>;
}

/** The side that does it. */
export interface JobRunner extends Jobs {
  /**
   * Once, before anything else: makes these jobs known. With `work` this node also does them and keeps their schedules; without
   * it, it only enqueues.
   * @throws Refusal `storage.unavailable`
   */
  start(jobs: readonly Job[], mode: { readonly work: boolean }): Promise<void>;
  /** Takes up nothing more and waits for the runs in hand, for that many seconds at most; what is left is tried again elsewhere. */
  stop(seconds: number): Promise<void>;
}
