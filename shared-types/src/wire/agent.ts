import * as z from 'zod';
import { agentNameSchema, labelSchema, sha256Schema } from '../ids.ts';
import { text } from '../well-formed.ts';
import { logReportSchema } from './log.ts';

/** Raised when an agent of the version before can no longer take part; older ones get 426. */
export const AGENT_PROTOCOL = 1;

/** Items of one chunk of a list; a chunk is expanded in one SQL batch (500 rows: 10 to 20 ms). */
export const MAX_CHUNK_ITEMS = 500;
/** JSON bytes of the chunks of one request: lists beyond it are sent ahead of the report. */
export const MAX_ITEMS_BYTES = 1_000_000;
/** Items of one task: they travel in one claim answer, and their commands are one attempt. */
export const MAX_GROUP_ITEMS = 1_000;
/** UTF-8 bytes of an attempt's output that are kept with the attempt. */
export const MAX_TAIL_BYTES = 65_536;
/** Reports in one request. */
export const MAX_REPORTS = 1_000;

const lease = z.int().positive();
const session = z.int().nonnegative();
const time = z.int().nonnegative();

/** One of an agent's tasks: (stage, ordinal) is the task, `lease` the claim that gave it. */
export const leaseKeySchema = z.strictObject({ stage: z.int(), ordinal: z.int().nonnegative(), lease });
export type LeaseKey = z.infer<typeof leaseKeySchema>;

export const registerRequestSchema = z.strictObject({
  protocol: z.int(),
  name: agentNameSchema,
  /** Random, one per process start: the same one again is the same session. */
  boot_id: text().min(8).max(64),
  /** Process start, ms since 1970: a delayed registration of an older process does not win. */
  started_at: time,
  hostname: text().max(255),
  version: text().max(50),
  slots: z.int().nonnegative().max(10_000),
  labels: z.array(labelSchema).max(100),
  /** Where this agent keeps batch files. Agents with the same value see the same files. */
  storage: text().min(1).max(200),
  /** Leases whose outcome this agent still has to tell (in its outbox); all others it held are lost. */
  have: z.array(leaseKeySchema).max(100_000),
});
export type RegisterRequest = z.infer<typeof registerRequestSchema>;

export const registerAnswerSchema = z.object({
  session,
  /** A lease lives this long after the agent was last heard of. */
  lease_ms: z.int().positive(),
  heartbeat_ms: z.int().positive(),
  poll_ms: z.int().positive(),
  internal_cycle_ms: z.int().positive(),
});
export type RegisterAnswer = z.infer<typeof registerAnswerSchema>;

/** What the agent has room for. The control plane subtracts its live leases itself. */
export const claimRequestSchema = z.strictObject({
  session,
  /** All CPU slots of the machine; 0 takes nothing (draining, disk full) but still hears signals. */
  slots: z.int().nonnegative().max(10_000),
  /** Lease numbers that the agent knows (running or in its outbox). */
  have: z.array(lease).max(100_000),
});
export type ClaimRequest = z.infer<typeof claimRequestSchema>;

/** `{PLAN_PATH}` of another batch, or its `{BATCH_PATH}` where `batch_id` is given, on the machine that runs the task. */
export const pathReferenceSchema = z.strictObject({
  plan_name: z.string(),
  plan_digest: sha256Schema,
  bundle: sha256Schema.nullable(),
  plan_folder: z.string(),
  batch_id: z.string().nullable(),
});
export type PathReference = z.infer<typeof pathReferenceSchema>;

export const inputBindingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('value'), value: z.string() }),
  /** Travels: one file, placed at `{BATCH_PATH}/inputs/NAME/<file_name>`. */
  z.strictObject({ kind: z.literal('file'), sha256: sha256Schema, file_name: z.string() }),
  /** Travels: a gzipped tar, unpacked at `{BATCH_PATH}/inputs/NAME`. */
  z.strictObject({ kind: z.literal('folder'), sha256: sha256Schema }),
  /** Written by tasks at `{BATCH_PATH}/output/<path>`, and sent back when the task that names it succeeds. */
  z.strictObject({ kind: z.literal('output_file'), path: z.string() }),
  z.strictObject({ kind: z.literal('output_folder'), path: z.string() }),
  /** Text with paths of the batches that this one was started by: only the machine knows them. */
  z.strictObject({
    kind: z.literal('parent_path'),
    parts: z.array(z.union([z.string(), pathReferenceSchema])),
  }),
]);
export type InputBinding = z.infer<typeof inputBindingSchema>;

/** A list (foreach source) that the agent reads once the task has succeeded, and sends. */
export const listSpecSchema = z.strictObject({
  list: z.int(),
  path: z.string(),
  jsonpath: z.string().nullable(),
  /** The largest group of its items that becomes one task; none: 1. */
  group_size: z.int().positive().optional(),
});
export type ListSpec = z.infer<typeof listSpecSchema>;

/** What all tasks of a stage have in common; sent once per answer, however many tasks it names. */
export const stageSpecSchema = z.object({
  stage: z.int(),
  batch_id: z.string(),
  key: z.string(),
  plan_name: z.string(),
  /** Version of the plan on disk: sha256 of the bundle, or of plan.md where there is no bundle. */
  plan_digest: sha256Schema,
  /** The gzipped tar to unpack as `{PLAN_PATH}`; null: the plan is plan.md alone. */
  bundle: sha256Schema.nullable(),
  /** Where `{PLAN_PATH}` is in the bundle, as `a/b`: a child batch may run a plan of its parent's folder. None: its top. */
  plan_folder: z.string().optional(),
  setup: z.string().nullable(),
  inputs: z.record(z.string(), inputBindingSchema),
  /** Command template: the agent substitutes, since only it knows `{PLAN_PATH}` and `{BATCH_PATH}`. Null: the task only reads `lists`. */
  command: z.string().nullable(),
  env: z.record(z.string(), z.string()),
  /** Names of secrets that the agent puts into the environment of the process. */
  secrets: z.array(z.string()).optional(),
  /** Names of those that any task of the plan needs: Setup gets the ones that the machine has. */
  setup_secrets: z.array(z.string()).optional(),
  timeout_ms: z.int().positive().nullable(),
  produces: z.array(z.string()),
  lists: z.array(listSpecSchema),
  has_list: z.boolean(),
});
export type StageSpec = z.infer<typeof stageSpecSchema>;

/** Ends in `cancelled` (stop), or is a failed attempt: by SIGTERM and later SIGKILL (abort), or SIGKILL at once (kill). */
export const SIGNALS = ['stop', 'abort', 'kill'] as const;
export type Signal = (typeof SIGNALS)[number];
/** A lease whose processes must end. A later, harder signal may follow for the same lease. */
export const stopSchema = z.object({ ...leaseKeySchema.shape, kind: z.enum(SIGNALS).default('stop') });
export type Stop = z.infer<typeof stopSchema>;

export const leasedTaskSchema = z.object({
  stage: z.int(),
  ordinal: z.int(),
  lease,
  /** Numbered from 1; never reset. */
  attempt: z.int().positive(),
  /** What people call the task: `extract_invoice-7`. */
  name: z.string().optional(),
  /** The task's item where its stage has a list, and a task for each item. */
  item: z.unknown().optional(),
  /** Its items where its stage has a task for each group of items; `first`: place of the first one in the list, from 0. */
  group: z.object({ first: z.int().nonnegative(), items: z.array(z.unknown()).min(1) }).optional(),
});
export type LeasedTask = z.infer<typeof leasedTaskSchema>;

export const claimAnswerSchema = z.object({
  /** Live leases of this agent that are not in `have`. */
  leases: z.array(leasedTaskSchema),
  /** Definitions of the stages that `leases` name. */
  stages: z.array(stageSpecSchema),
  /** Leases whose processes must be stopped and reported. */
  stops: z.array(stopSchema),
  /**
   * How long the request had been held when these leases were given: the agent was heard of then, not when it
   * asked. None: at once.
   */
  waited_ms: z.int().nonnegative().optional(),
});
export type ClaimAnswer = z.infer<typeof claimAnswerSchema>;

export const OUTCOMES = ['succeeded', 'failed', 'stopped', 'returned'] as const;
/**
 * `succeeded`; `failed` (uses up a try); `stopped` (on a stop signal); `returned` (handed back unstarted or
 * at a drain: ready again at once, uses nothing up).
 */
export type Outcome = (typeof OUTCOMES)[number];

/** `child`: of a task of type execute_plan, whose child batch failed. */
export const ERROR_TYPES = ['worker', 'timeout', 'definition', 'lost', 'child'] as const;
export type ErrorType = (typeof ERROR_TYPES)[number];

export const listReportSchema = z.strictObject({
  list: z.int(),
  count: z.int().nonnegative(),
  /** sha256 of each chunk's JSON, in order: the report is accepted only when all of them are there. */
  chunks: z.array(sha256Schema).max(10_000),
});
export type ListReport = z.infer<typeof listReportSchema>;

/** Whether every machine places a file of this path inside the folder it is relative to. */
function staysInside(path: string): boolean {
  if (path.includes('\0')) return false;
  return path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}

export const fileReportSchema = z.strictObject({
  /** Relative to `{BATCH_PATH}`, with `/`. */
  path: text()
    .min(1)
    .max(4_096)
    .refine(staysInside, 'a path is relative, without empty names, ".", ".." and NUL'),
  sha256: sha256Schema,
  size: z.int().nonnegative(),
  /** Permissions alone: no setuid, no type of file. */
  mode: z.int().nonnegative().max(0o777),
});
export type FileReport = z.infer<typeof fileReportSchema>;

/** The complete final message of an attempt. Every field is always there; the first reason wins. */
export const reportSchema = z.strictObject({
  stage: z.int(),
  ordinal: z.int().nonnegative(),
  lease,
  attempt: z.int().positive(),
  outcome: z.enum(OUTCOMES),
  error_type: z.enum(ERROR_TYPES).nullable(),
  /** One sentence on what went wrong, for people; null on success. */
  message: text().max(2_000).nullable(),
  exit_code: z.int().nullable(),
  signal: text().max(20).nullable(),
  /** The end of the output, at most `MAX_TAIL_BYTES`. */
  tail: text().max(MAX_TAIL_BYTES),
  started_at: time.nullable(),
  ended_at: time,
  lists: z.array(listReportSchema).max(100),
  files: z.array(fileReportSchema).max(10_000),
  /** The output as a file; none: the attempt wrote none. */
  log: logReportSchema.optional(),
});
export type Report = z.infer<typeof reportSchema>;

export const resultsRequestSchema = z.strictObject({
  session,
  reports: z.array(reportSchema).max(MAX_REPORTS),
  /** Asks for the next tasks in the same round trip. */
  claim: claimRequestSchema.nullable(),
});
export type ResultsRequest = z.infer<typeof resultsRequestSchema>;

export const REPORT_RESULTS = ['accepted', 'lease_lost', 'items_incomplete', 'files_missing'] as const;
export type ReportResult = (typeof REPORT_RESULTS)[number];

export const resultsAnswerSchema = z.object({
  /**
   * In the order of the reports. Worth another try are `items_incomplete`, after sending the items again, and
   * `files_missing`, after sending the content of the files again.
   */
  results: z.array(z.enum(REPORT_RESULTS)),
  claim: claimAnswerSchema.nullable(),
});
export type ResultsAnswer = z.infer<typeof resultsAnswerSchema>;

export const heartbeatRequestSchema = z.strictObject({
  session,
  running: z.array(leaseKeySchema).max(100_000),
});
export type HeartbeatRequest = z.infer<typeof heartbeatRequestSchema>;

export const heartbeatAnswerSchema = z.object({
  stops: z.array(stopSchema),
  /** Leases that somebody else has taken over, or that are gone: end their processes, nothing to report. */
  gone: z.array(leaseKeySchema),
});
export type HeartbeatAnswer = z.infer<typeof heartbeatAnswerSchema>;

/** Chunks of a list, sent ahead of the report that counts them. Sending one twice changes nothing. */
export const itemsRequestSchema = z.strictObject({
  session,
  list: z.int(),
  /** The lease of the attempt that read the list: its chunks stay apart from those of another attempt. */
  lease,
  chunks: z
    .array(
      z.strictObject({
        /** Place of its first item in the list; chunks follow each other without gaps. */
        offset: z.int().nonnegative(),
        sha256: sha256Schema,
        /** The chunk's text is hashed as `JSON.stringify(items)`. */
        items: z.array(z.unknown()).min(1).max(MAX_CHUNK_ITEMS),
        /** Items whose name an earlier one has: place in the chunk, and the number that its name gets. */
        repeats: z
          .array(
            z.tuple([
              z
                .int()
                .nonnegative()
                .max(MAX_CHUNK_ITEMS - 1),
              z.int().min(2),
            ]),
          )
          .max(MAX_CHUNK_ITEMS)
          .optional(),
      }),
    )
    .min(1)
    .max(1_000),
});
export type ItemsRequest = z.infer<typeof itemsRequestSchema>;

/** What only says that something was done, or that somebody is there. */
export const okSchema = z.object({ ok: z.literal(true) });

/** An agent as people see it. */
export const agentViewSchema = z.object({
  name: z.string(),
  state: z.enum(['connected', 'missing', 'draining']),
  hostname: z.string(),
  version: z.string(),
  slots: z.int(),
  leased: z.int(),
  labels: z.array(z.string()),
  last_seen_at: z.iso.datetime(),
});
export type AgentView = z.infer<typeof agentViewSchema>;
