// Work behind the requests: on a schedule or on demand, kept until it is done, and each run on one node at a time.

/** What is handed over with an enqueued job. It is kept in the database: no secrets, ids rather than copies. */
export type JobData = Readonly<Record<string, string | number | boolean | null>>;

/** One run of a job. A run that fails or is lost with its process is tried again, so each step must be harmless to repeat. */
export interface JobRun {
  /** What it was enqueued with; empty for a run by schedule. */
  readonly data: JobData;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborted when the process stops or the time is up: finish the step in hand, and return. */
  readonly signal: AbortSignal;
}

export interface Job {
  /** Lower case, words joined by dashes; unique. */
  readonly name: string;
  /**
   * With it, the job runs once in each period of this many seconds, however many nodes there are; at most once every 5. The
   * first run comes right after the start unless another node had this period's. Periods that nobody was up for are not made up.
   */
  readonly everySeconds?: number;
  /** A run that takes longer counts as lost and is tried again; from 1. */
  readonly timeoutSeconds: number;
  /** How often a run that failed is tried again, at growing distances; after that it is logged as an error and kept for a week. */
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
  /** Takes up these jobs and their schedules. Call it once. */
  start(jobs: readonly Job[]): Promise<void>;
  /** Takes up nothing more and waits for the runs in hand, for that many seconds at most; what is left is tried again elsewhere. */
  stop(seconds: number): Promise<void>;
}
