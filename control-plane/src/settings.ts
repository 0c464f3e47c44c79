/** The numbers of an installation. Times in ms, sizes in bytes. */
export interface Settings {
  /** A lease lives this long after its agent was last heard of. */
  readonly lease_ms: number;
  readonly heartbeat_ms: number;
  /** The longest that a claim without work is held. */
  readonly poll_ms: number;
  /** How often an agent looks after its own affairs (outbox, timeouts). */
  readonly internal_cycle_ms: number;
  readonly tick_ms: number;
  /** How often an instance with waiting agents looks whether another instance has made work. */
  readonly wake_poll_ms: number;
  /** An agent sends output of its tasks at this interval, and at the shorter one while somebody reads along. */
  readonly log_pace_ms: number;
  readonly followed_log_pace_ms: number;
  /** Database reads of one request that follows a log; then its reader comes back. */
  readonly follow_reads: number;
  /** How often a batch that somebody watches is looked at: the most that its events are behind. */
  readonly events_poll_ms: number;
  /** A stream of events without any sends a sign of life this often. */
  readonly events_heartbeat_ms: number;
  /** The longest that a stream of events is held; the client comes back and goes on where it was. */
  readonly events_ms: number;
  readonly max_json_bytes: number;
  readonly max_markdown_bytes: number;
  readonly max_bundle_bytes: number;
  readonly max_unpacked_bytes: number;
  readonly max_bundle_entries: number;
  readonly max_blob_bytes: number;
}

export const DEFAULT_SETTINGS: Settings = {
  // Three missed heartbeats and a little: a machine that dies gives its tasks away within 45 s.
  lease_ms: 35_000,
  heartbeat_ms: 10_000,
  // Below 30 s, which proxies and Workers give a request that sends nothing.
  poll_ms: 25_000,
  internal_cycle_ms: 5_000,
  tick_ms: 5_000,
  // 25 reads per held request: within the 50 subrequests of a Worker.
  wake_poll_ms: 1_000,
  // 100 busy agents make 100 small writes a second; a reader is about as far behind when it begins.
  log_pace_ms: 1_000,
  // Nobody notices a quarter of a second, and a task that prints all the time costs four writes a second.
  followed_log_pace_ms: 250,
  follow_reads: Number.POSITIVE_INFINITY,
  // Three looks in two seconds, of at most three events each: about four events a second whatever happens.
  events_poll_ms: 700,
  // Below the 30 s to 60 s after which proxies take a silent connection for dead.
  events_heartbeat_ms: 15_000,
  events_ms: 300_000,
  // A full load of reports: 1,000 short ones, or about 250 that carry the largest tail.
  max_json_bytes: 16 << 20,
  max_markdown_bytes: 2 << 20,
  // Held in memory while it is looked through (a Worker has 128 MB). Data belongs into inputs, which are streamed.
  max_bundle_bytes: 32 << 20,
  max_unpacked_bytes: 256 << 20,
  max_bundle_entries: 10_000,
  max_blob_bytes: 16 * 2 ** 30,
};
