/** One server under test, already listening on loopback. */
export interface RunningServer {
  readonly name: string
  /** Without a trailing slash; below it lie the files. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The root of its process tree. */
  readonly pid: number
}

export interface ServerUnderTest {
  readonly name: string
  /** `undefined` when what it needs is not installed. */
  start(bench: Bench): Promise<RunningServer | undefined>
}

/** Where a run keeps everything; removed when it ends. */
export interface Bench {
  readonly dir: string
  /** The files that every server serves. */
  readonly data: string
}

/** What one server did in one round of one work. */
export interface Sample {
  /** In the unit of the work; the better the larger. */
  readonly value: number
  readonly p99Ms?: number
  /** Of the whole process tree of the server. */
  readonly cpuMsPerRequest?: number
  readonly peakRssMib: number
  readonly grownRssMib: number
  /** Answers that were not what was asked for. */
  readonly failures: number
}

export interface Work {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** How far davmesh must reach, as a share of another server's median. */
  readonly target?: { readonly of: string; readonly ratio: number }
  /** Has the kernel hold what will be read, so that nobody is measured waiting for the disk. */
  warm?(bench: Bench): Promise<void>
  run(server: RunningServer, bench: Bench, options: RunOptions): Promise<Outcome>
}

export interface RunOptions {
  readonly seconds: number
  readonly round: number
}

/** What a work measured; the runner adds what the process used. */
export interface Outcome {
  readonly value: number
  readonly requests: number
  readonly failures: number
  readonly p99Ms?: number
}
